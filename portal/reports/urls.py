"""Cohorts and their reports."""

from __future__ import annotations

from django.urls import path

from portal.reports import cohort_views, views

urlpatterns = [
    # /o/<org>/cohorts/
    path("o/<slug:org>/cohorts/", views.cohorts, name="cohorts"),
    path("o/<slug:org>/cohorts/new/", views.cohort_new, name="cohort_new"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/", views.cohort, name="cohort"),
    path(
        "o/<slug:org>/cohorts/<int:cohort_id>/report/<slug:kind>/", views.cohort_report_file, name="cohort_report_file"
    ),
    path("o/<slug:org>/cohorts/<int:cohort_id>/edit/", cohort_views.cohort_edit, name="cohort_edit"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/membership/", cohort_views.cohort_membership, name="cohort_membership"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/people/", cohort_views.cohort_people, name="cohort_people"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/selection/", cohort_views.cohort_selection, name="cohort_selection"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/enrol/", cohort_views.cohort_enrol, name="cohort_enrol"),
    # /o/<org>/reports/
    path("o/<slug:org>/reports/", views.reports, name="reports"),
]

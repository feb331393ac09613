"""Cohorts and their reports."""

from __future__ import annotations

from django.urls import path

from portal.reports import views

urlpatterns = [
    # /o/<org>/cohorts/
    path("o/<slug:org>/cohorts/", views.cohorts, name="cohorts"),
    path("o/<slug:org>/cohorts/new/", views.cohort_new, name="cohort_new"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/", views.cohort, name="cohort"),
    path(
        "o/<slug:org>/cohorts/<int:cohort_id>/report/<slug:kind>/", views.cohort_report_file, name="cohort_report_file"
    ),
    # /o/<org>/reports/
    path("o/<slug:org>/reports/", views.reports, name="reports"),
]

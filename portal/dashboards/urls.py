"""The pages that look across every app: the door, the organisation's home and roster, the programme, the learner."""

from __future__ import annotations

from django.urls import path

from portal.dashboards import reconciling_views, setup_views, views

urlpatterns = [
    path("", views.front_door, name="front_door"),
    path("o/<slug:org>/", views.organisation_home, name="organisation_home"),
    path("o/<slug:org>/roster/", views.roster, name="roster"),
    path("o/<slug:org>/roster/<int:employee_id>/", views.employee, name="employee"),
    path("o/<slug:org>/roster/<int:employee_id>/cohorts/", views.employee_enrolment, name="employee_enrolment"),
    path("o/<slug:org>/audit/", views.organisation_audit, name="organisation_audit"),
    path("o/<slug:org>/reconciliation/", reconciling_views.reconciliation, name="reconciliation"),
    path("o/<slug:org>/reconciliation/match/", reconciling_views.reconciliation_match, name="reconciliation_match"),
    path("o/<slug:org>/reconciliation/settle/", reconciling_views.reconciliation_settle, name="reconciliation_settle"),
    path("manage/", views.manage, name="manage"),
    path("manage/organisations/", views.manage_organisations, name="manage_organisations"),
    path("manage/organisations/<slug:slug>/", views.manage_organisation, name="manage_organisation"),
    path("manage/organisations/<slug:slug>/setup-links/", setup_views.create, name="manage_setup_link_new"),
    path(
        "manage/organisations/<slug:slug>/setup-links/<int:link>/revoke/",
        setup_views.revoke,
        name="manage_setup_link_revoke",
    ),
    path("manage/organisations/<slug:slug>/cohorts/<int:cohort_id>/", views.manage_cohort, name="manage_cohort"),
    path("manage/programme/", views.manage_programme, name="manage_programme"),
    path("manage/reconciliation/", views.manage_reconciliation, name="manage_reconciliation"),
    path("manage/audit/", views.manage_audit, name="manage_audit"),
    path("me/", views.learner_home, name="learner_home"),
    path("me/privacy/", views.learner_privacy, name="learner_privacy"),
    path("me/certificate/", views.learner_certificates, name="learner_certificates"),
    path("i/<str:token>/", views.not_yet, name="invitation"),
    path("c/<str:code>/", views.not_yet, name="certificate_check"),
    path("road/", views.not_yet, name="road"),
]

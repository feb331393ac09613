"""The pages that look across every app: the door, the organisation's home and roster, the programme, the learner."""

from __future__ import annotations

from django.urls import path

from portal.dashboards import certificate_views, learner_views, reconciling_views, setup_views, views

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
    path("me/", learner_views.learner_home, name="learner_home"),
    path("me/privacy/", learner_views.learner_privacy, name="learner_privacy"),
    path("me/certificate/", learner_views.learner_certificates, name="learner_certificates"),
    path("me/certificate/<str:code>/", learner_views.learner_certificate_pdf, name="learner_certificate_pdf"),
    path("me/private-address/", learner_views.private_address, name="private_address"),
    path("me/private-address/remove/", learner_views.private_address_remove, name="private_address_remove"),
    path("me/lost/", certificate_views.lost_certificates, name="lost_certificates"),
    path("me/address/<str:token>/", certificate_views.private_address_confirm, name="private_address_confirm"),
    path("i/<str:token>/", views.not_yet, name="invitation"),
    path("c/<str:code>/", certificate_views.certificate_check, name="certificate_check"),
    path("c/<str:code>/pdf/<str:seal>/", certificate_views.certificate_file, name="certificate_pdf"),
    path("road/", views.not_yet, name="road"),
]

"""The JSON contract, version 1."""

from __future__ import annotations

from django.urls import path

from portal.api.v1.cohorts import ListCohorts, ReadCohortReport
from portal.api.v1.completions import RecordCompletions
from portal.api.v1.me import ReadMe
from portal.api.v1.rosters import PutRoster, ReadImport
from portal.api.v1.schema import ReadSchema
from portal.api.v1.xapi import ReadAbout, ReadAboutWithSlash, Statements, StatementsWithSlash
from portal.core.mail_views import mail_report

urlpatterns = [
    path("api/v1/schema/", ReadSchema.as_view(), name="api_schema"),
    path("api/v1/me/", ReadMe.as_view(), name="api_me"),
    path("api/v1/completions/", RecordCompletions.as_view(), name="api_completions"),
    # What the mail provider says became of each mail.
    path("api/v1/mail/<slug:provider>/", mail_report, name="mail_report"),
    # xAPI's own addresses have no slash; a POST must not rely on a redirect that adds or takes one.
    path("api/v1/xapi/about", ReadAbout.as_view(), name="xapi_about"),
    path("api/v1/xapi/about/", ReadAboutWithSlash.as_view(), name="xapi_about_slash"),
    path("api/v1/xapi/statements", Statements.as_view(), name="xapi_statements"),
    path("api/v1/xapi/statements/", StatementsWithSlash.as_view(), name="xapi_statements_slash"),
    # /api/v1/organisations/<slug>/
    path("api/v1/organisations/<slug:slug>/roster/", PutRoster.as_view(), name="api_roster"),
    path("api/v1/organisations/<slug:slug>/imports/<int:import_id>/", ReadImport.as_view(), name="api_import"),
    path("api/v1/organisations/<slug:slug>/cohorts/", ListCohorts.as_view(), name="api_cohorts"),
    path(
        "api/v1/organisations/<slug:slug>/cohorts/<int:cohort_id>/report/",
        ReadCohortReport.as_view(),
        name="api_cohort_report",
    ),
]

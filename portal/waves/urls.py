"""Waves of a cohort, and the address at which everyone begins."""

from __future__ import annotations

from django.urls import path

from portal.waves import code_views, paper_views, views

urlpatterns = [
    path("o/<slug:org>/start/", views.wave_start, name="wave_start"),
    # /o/<org>/cohorts/<cohort>/waves/
    path("o/<slug:org>/cohorts/<int:cohort_id>/waves/", views.wave_list, name="waves"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/waves/new/", views.wave_new, name="wave_new"),
    path("o/<slug:org>/cohorts/<int:cohort_id>/sheets/", paper_views.sheets, name="wave_sheets"),
    # /o/<org>/cohorts/codes/
    path("o/<slug:org>/cohorts/codes/", paper_views.codes, name="codes"),
    path("o/<slug:org>/cohorts/codes/print/", paper_views.codes_print, name="codes_print"),
    path("o/<slug:org>/cohorts/codes/<int:code_id>/revoke/", paper_views.code_revoke, name="code_revoke"),
    # /code/
    path("code/", code_views.code, name="code"),
    path("code/passkey/", code_views.code_passkey, name="code_passkey"),
    path("code/sign-in/", code_views.code_sign_in, name="code_sign_in"),
    # /o/<org>/cohorts/waves/<wave>/
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/", views.wave_page, name="wave"),
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/edit/", views.wave_edit, name="wave_edit"),
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/try/", views.wave_try, name="wave_try"),
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/plan/", views.wave_plan, name="wave_plan"),
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/pause/", views.wave_pause, name="wave_pause"),
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/resume/", views.wave_resume, name="wave_resume"),
    path("o/<slug:org>/cohorts/waves/<int:wave_id>/stop/", views.wave_stop, name="wave_stop"),
]

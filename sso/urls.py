"""The addresses of each connection, and HR's pages about them."""

from __future__ import annotations

from django.urls import path

from sso import sign_out_views, views

urlpatterns = [
    path("sso/<uuid:connection>/login/", views.sign_in, name="sso_login"),
    path("sso/<uuid:connection>/acs/", views.acs, name="sso_acs"),
    path("sso/<uuid:connection>/acs/finish/", views.finish, name="sso_finish"),
    path("sso/<uuid:connection>/metadata/", views.metadata, name="sso_metadata"),
    path("sso/<uuid:connection>/sls/", sign_out_views.single_logout, name="sso_sls"),
    path("o/<slug:org>/sign-in/", views.sign_in_settings, name="sign_in_settings"),
    path("o/<slug:org>/sign-in/<uuid:connection>/metadata/", views.replace, name="sign_in_replace"),
    path("o/<slug:org>/sign-in/<uuid:connection>/test/", views.begin_test, name="sign_in_test"),
    path("o/<slug:org>/sign-in/<uuid:connection>/tested/", views.tested, name="sign_in_tested"),
    path("o/<slug:org>/sign-in/<uuid:connection>/activate/", views.activate, name="sign_in_activate"),
    path("o/<slug:org>/matches/", views.matches, name="matches"),
    path("o/<slug:org>/matches/<int:affiliation>/", views.match, name="match"),
]

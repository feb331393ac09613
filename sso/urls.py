"""The addresses of each connection, and HR's pages about them."""

from __future__ import annotations

from django.urls import path

from sso import setup_views, views

urlpatterns = [
    path("sso/<uuid:connection>/login/", views.sign_in, name="sso_login"),
    path("sso/<uuid:connection>/acs/", views.acs, name="sso_acs"),
    path("sso/<uuid:connection>/acs/finish/", views.finish, name="sso_finish"),
    path("sso/<uuid:connection>/metadata/", views.metadata, name="sso_metadata"),
    path("sso/<uuid:connection>/sls/", views.sign_out, name="sso_sls"),
    path("o/<slug:org>/sign-in/", views.sign_in_settings, name="sign_in_settings"),
    path("o/<slug:org>/sign-in/<uuid:connection>/metadata/", views.replace, name="sign_in_replace"),
    path("o/<slug:org>/sign-in/<uuid:connection>/test/", setup_views.begin_test, {"step": "test"}, name="sign_in_test"),
    path("o/<slug:org>/sign-in/<uuid:connection>/activate/", views.activate, name="sign_in_activate"),
    path("o/<slug:org>/matches/", views.matches, name="matches"),
    path("o/<slug:org>/matches/<int:affiliation>/", views.match, name="match"),
    # The set-up: by an owner, or by whoever holds a link.
    path("o/<slug:org>/sign-in/new/", setup_views.new, name="sign_in_new"),
    path("o/<slug:org>/sign-in/links/new/", setup_views.create_link, name="setup_link_new"),
    path("o/<slug:org>/sign-in/links/<int:link>/revoke/", setup_views.revoke_link, name="setup_link_revoke"),
    path("o/<slug:org>/sign-in/<uuid:connection>/setup/", setup_views.step_by_owner, name="sign_in_setup"),
    path(
        "o/<slug:org>/sign-in/<uuid:connection>/setup/<slug:step>/",
        setup_views.step_by_owner,
        name="sign_in_setup_step",
    ),
    path("sso/<uuid:connection>/tested/", setup_views.test_returned, name="sso_tested"),
    path("setup/<str:token>/", setup_views.step_by_link, name="setup"),
    path("setup/<str:token>/<slug:step>/", setup_views.step_by_link, name="setup_step"),
]

"""The addresses of each connection, and HR's pages about them."""

from __future__ import annotations

from django.urls import path

from sso import attempts_views, desk_views, joining_views, views

urlpatterns = [
    path("sso/<uuid:connection>/login/", views.sign_in, name="sso_login"),
    path("sso/<uuid:connection>/acs/", views.acs, name="sso_acs"),
    path("sso/<uuid:connection>/acs/finish/", views.finish, name="sso_finish"),
    path("sso/<uuid:connection>/metadata/", views.metadata, name="sso_metadata"),
    path("sso/<uuid:connection>/sls/", views.sign_out, name="sso_sls"),
    path("o/<slug:org>/sign-in/", views.sign_in_settings, name="sign_in_settings"),
    path("o/<slug:org>/sign-in/<uuid:connection>/metadata/", views.replace, name="sign_in_replace"),
    path("o/<slug:org>/sign-in/<uuid:connection>/test/", views.begin_test, name="sign_in_test"),
    path("o/<slug:org>/sign-in/<uuid:connection>/tested/", views.tested, name="sign_in_tested"),
    path("o/<slug:org>/sign-in/<uuid:connection>/activate/", views.activate, name="sign_in_activate"),
    path("o/<slug:org>/matches/", desk_views.matches, name="matches"),
    path("o/<slug:org>/matches/linked/", desk_views.linked, name="matches_linked"),
    path("o/<slug:org>/matches/suspended/", desk_views.suspended, name="matches_suspended"),
    path("o/<slug:org>/matches/<int:affiliation>/", desk_views.match, name="match"),
    path("o/<slug:org>/matches/<int:affiliation>/yes/", desk_views.say_yes, name="match_yes"),
    path("o/<slug:org>/matches/<int:affiliation>/no/", desk_views.say_no, name="match_no"),
    path("o/<slug:org>/matches/<int:affiliation>/maybe/", desk_views.say_maybe, name="match_maybe"),
    path("o/<slug:org>/matches/<int:affiliation>/undo/", desk_views.undo, name="match_undo"),
    path("o/<slug:org>/sign-in/attempts/", attempts_views.attempts, name="sign_in_attempts"),
    path("o/<slug:org>/sign-in/attempts/<str:attempt_code>/", attempts_views.attempt, name="sign_in_attempt"),
    path(
        "o/<slug:org>/sign-in/attempts/<str:attempt_code>/message/",
        attempts_views.attempt_message,
        name="sign_in_message",
    ),
    path("manage/attempts/", attempts_views.manage_attempts, name="manage_attempts"),
    path("manage/attempts/<str:attempt_code>/", attempts_views.manage_attempt, name="manage_attempt"),
    path("me/join/", joining_views.join, name="join"),
]

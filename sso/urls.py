"""The addresses of each connection, and HR's pages about them."""

from __future__ import annotations

from django.urls import path

from sso import (
    attempts_views,
    confirming_views,
    desk_views,
    joining_views,
    life_views,
    setup_views,
    sign_out_views,
    views,
)

urlpatterns = [
    path("sso/<uuid:connection>/login/", views.sign_in, name="sso_login"),
    path("sso/<uuid:connection>/acs/", views.acs, name="sso_acs"),
    path("sso/<uuid:connection>/acs/finish/", views.finish, name="sso_finish"),
    path("sso/<uuid:connection>/metadata/", views.metadata, name="sso_metadata"),
    path("sso/<uuid:connection>/sls/", sign_out_views.single_logout, name="sso_sls"),
    path("o/<slug:org>/sign-in/", views.sign_in_settings, name="sign_in_settings"),
    path("o/<slug:org>/sign-in/<uuid:connection>/metadata/", views.replace, name="sign_in_replace"),
    path("o/<slug:org>/sign-in/<uuid:connection>/test/", setup_views.begin_test, {"step": "test"}, name="sign_in_test"),
    path("o/<slug:org>/sign-in/<uuid:connection>/activate/", views.activate, name="sign_in_activate"),
    path("o/<slug:org>/sign-in/confirm/", confirming_views.confirm, name="sign_in_confirm"),
    path("o/<slug:org>/sign-in/required/", life_views.required, name="sign_in_required"),
    path("o/<slug:org>/sign-in/required/<int:user_id>/", life_views.glass, name="sign_in_glass"),
    path("o/<slug:org>/sign-in/<uuid:connection>/", life_views.connection_page, name="sign_in_connection"),
    path("o/<slug:org>/sign-in/<uuid:connection>/confirmed/", confirming_views.confirmed, name="sign_in_confirmed"),
    path("o/<slug:org>/sign-in/<uuid:connection>/versions/<int:version>/", life_views.version, name="sign_in_version"),
    path("o/<slug:org>/sign-in/<uuid:connection>/follow/", life_views.follow, name="sign_in_follow"),
    path("o/<slug:org>/sign-in/<uuid:connection>/read/", life_views.read_again, name="sign_in_read"),
    path("o/<slug:org>/sign-in/<uuid:connection>/keys/", life_views.keys, name="sign_in_keys"),
    path("o/<slug:org>/sign-in/<uuid:connection>/move/", life_views.move, name="sign_in_move"),
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

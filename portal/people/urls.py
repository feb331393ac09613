"""Settings of an organisation: its members and their roles, its thresholds."""

from __future__ import annotations

from django.urls import path

from portal.people import domain_views, views

urlpatterns = [
    path("o/<slug:org>/settings/", views.organisation_settings, name="organisation_settings"),
    path("o/<slug:org>/settings/change/", views.settings_change, name="settings_change"),
    path("o/<slug:org>/settings/roles/", views.role_grant, name="role_grant"),
    path("o/<slug:org>/support/leave/", views.support_leave, name="support_leave"),
    path("o/<slug:org>/settings/roles/<int:user_id>/withdraw/", views.role_withdraw, name="role_withdraw"),
    path("o/<slug:org>/settings/domains/", domain_views.domains, name="domains"),
    path("o/<slug:org>/settings/domains/<int:domain_id>/check/", domain_views.domain_check, name="domain_check"),
    path("o/<slug:org>/settings/domains/<int:domain_id>/remove/", domain_views.domain_remove, name="domain_remove"),
]

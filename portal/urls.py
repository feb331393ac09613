"""The whole URL tree on one screen. Every path ends in a slash, except what machines and browsers fix."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from portal.core import views as core
from sso.sign_out_views import leave

urlpatterns = [
    path("healthz", core.healthz, name="healthz"),
    path("readyz", core.readyz, name="readyz"),
    path("metrics", core.metrics, name="metrics"),
    path("i18n/language/", login_not_required(set_language), name="set_language"),
    # Signing out, for everybody: whoever came by their company signs out there too.
    path("account/logout/", leave, name="account_logout"),
    # /account/ : staff sign-in, second factor, passkeys
    path("account/", include("allauth.urls")),
    # / · /o/<org>/ · /manage/ · /me/
    path("", include("portal.dashboards.urls")),
    path("", include("portal.people.urls")),
    path("", include("imports.urls")),
    path("", include("portal.waves.urls")),
    path("", include("portal.reports.urls")),
    # /sso/<connection>/ · /o/<org>/sign-in/ · /o/<org>/matches/
    path("", include("sso.urls")),
    path("", include("portal.api.urls")),
]

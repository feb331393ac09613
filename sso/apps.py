"""Company sign-in: each organisation's own identity provider."""

from __future__ import annotations

from django.apps import AppConfig


class SSOConfig(AppConfig):
    name = "sso"
    default_auto_field = "django.db.models.BigAutoField"

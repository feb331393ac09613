"""The JSON contract."""

from __future__ import annotations

from django.apps import AppConfig


class APIConfig(AppConfig):
    name = "portal.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"

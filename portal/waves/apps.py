"""When invitations leave."""

from __future__ import annotations

from django.apps import AppConfig


class WavesConfig(AppConfig):
    name = "portal.waves"
    label = "waves"
    default_auto_field = "django.db.models.BigAutoField"

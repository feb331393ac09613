"""Facts from the learning platform, and the counts made of them."""

from __future__ import annotations

from django.apps import AppConfig


class ProgressConfig(AppConfig):
    name = "portal.progress"
    label = "progress"
    default_auto_field = "django.db.models.BigAutoField"

"""Who takes part in which cohort, and how far they are."""

from __future__ import annotations

from django.apps import AppConfig


class EnrolmentsConfig(AppConfig):
    name = "portal.enrolments"
    label = "enrolments"
    default_auto_field = "django.db.models.BigAutoField"

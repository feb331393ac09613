"""Programmes and their cohorts."""

from __future__ import annotations

from django.apps import AppConfig


class CohortsConfig(AppConfig):
    name = "portal.cohorts"
    label = "cohorts"
    default_auto_field = "django.db.models.BigAutoField"

"""Organisations, their e-mail domains, and the doors that lead to them."""

from __future__ import annotations

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "portal.organisations"
    label = "organisations"
    default_auto_field = "django.db.models.BigAutoField"

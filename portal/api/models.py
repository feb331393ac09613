"""Tokens by which other systems speak to the portal."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class ApiToken(models.Model):
    """A secret that is shown once and kept as a digest.

    `scopes` are `completions:write` and `organisation:SLUG`; with an organisation named, the token reaches no other.
    """

    name = models.CharField(max_length=100, unique=True)
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=80))
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

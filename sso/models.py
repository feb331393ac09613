"""An organisation's link to its identity provider, and the traces of signing in through it."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from portal.core.models import TenantModel
from portal.people.models import User


class Connection(TenantModel):
    """One identity provider of one organisation. `public_id` is in every URL and never changes.

    `sp_private_key` is encrypted at rest (`portal.core.sealing`).
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        CONFIGURED = "configured"
        TESTED = "tested"
        ACTIVE = "active"
        FAILING = "failing"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.CONFIGURED)
    idp_entity_id = models.CharField(max_length=1024)
    idp_sso_url = models.CharField(max_length=1024)
    idp_sso_binding = models.CharField(max_length=100)
    idp_slo_url = models.CharField(max_length=1024, blank=True)
    idp_certificates = ArrayField(models.TextField())
    attribute_mapping = models.JSONField(default=dict)
    entity_id = models.CharField(max_length=300)
    sp_certificate = models.TextField()
    sp_private_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "idp_entity_id"], name="sso_one_per_idp"),)


class SignInRequest(TenantModel):
    """A request that we sent, once: sent → answered (a verified assertion waits, sealed) → finished.

    `browser` is the digest of the nonce in the cookie of the browser that asked; `ticket` that of the one-time code
    that carries the answer from the POST, where the cookie does not arrive, to the GET, where it does.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    request_id = models.CharField(max_length=80)
    browser = models.BinaryField(max_length=32)
    next_path = models.CharField(max_length=500, blank=True)
    purpose = models.CharField(max_length=10, default="sign-in")
    sent_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ticket = models.BinaryField(max_length=32, null=True, blank=True)
    ticket_expires_at = models.DateTimeField(null=True, blank=True)
    answer = models.BinaryField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "connection", "request_id"], name="sso_request_once"),
        )
        indexes = (
            models.Index(fields=["organisation", "ticket"], name="sso_request_by_ticket"),
            models.Index(fields=["organisation", "expires_at"], name="sso_request_expiry"),
        )


class UsedAssertion(TenantModel):
    """An assertion is taken once: its id is remembered until it could no longer be accepted anyway."""

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "connection", "digest"], name="sso_assertion_once"),
        )
        indexes = (models.Index(fields=["organisation", "expires_at"], name="sso_assertion_expiry"),)


class Identity(TenantModel):
    """(Connection, stable id) → login. The stable id is a persistent NameID or a mapped immutable attribute."""

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    subject = models.CharField(max_length=512)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    email = models.CharField(max_length=254, blank=True)
    employee_number = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "connection", "subject"], name="sso_identity_once"),
        )


class SignInTrace(TenantModel):
    """A sign-in that failed: the code that the person was shown, and what went wrong."""

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    code = models.CharField(max_length=12)
    error = models.CharField(max_length=60)
    details = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "code"], name="sso_trace_code"),)
        indexes = (models.Index(fields=["organisation", "-id"], name="sso_trace_newest"),)

"""An organisation's link to its identity provider, and what signing in through it leaves behind."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from portal.core.models import TenantModel
from portal.organisations.models import SetupLink
from portal.people.models import Affiliation, Employee, User


class Connection(TenantModel):
    """One identity provider of one organisation. `public_id` is in every URL and never changes.

    A draft has our side only: the partner's IT types it in before there is metadata to give us. Our private keys are
    encrypted at rest (`portal.core.sealing`): the one that signs, the next one, published before it signs
    (`next_signs_at`), and the previous one, which still decrypts (`previous_until`). A closed connection lets nobody
    in; of several open ones, newcomers are led to the one with the latest `leads_since`. `certificates_until` is when
    the last certificate of one of the two sides ends, kept so that the programme sees the day without the certificates.
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
    vendor = models.CharField(max_length=30, blank=True)
    setup_link = models.ForeignKey(
        SetupLink,
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    idp_entity_id = models.CharField(max_length=1024, blank=True)
    idp_sso_url = models.CharField(max_length=1024, blank=True)
    idp_sso_binding = models.CharField(max_length=100, blank=True)
    idp_slo_url = models.CharField(max_length=1024, blank=True)
    idp_slo_binding = models.CharField(max_length=100, blank=True)
    idp_slo_response_url = models.CharField(max_length=1024, blank=True)
    idp_certificates = ArrayField(models.TextField(), default=list)
    attribute_mapping = models.JSONField(default=dict)
    entity_id = models.CharField(max_length=300)
    sp_certificate = models.TextField()
    sp_private_key = models.BinaryField()
    next_certificate = models.TextField(blank=True)
    next_private_key = models.BinaryField(null=True, blank=True)
    next_signs_at = models.DateTimeField(null=True, blank=True)
    previous_certificate = models.TextField(blank=True)
    previous_private_key = models.BinaryField(null=True, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    metadata_url = models.CharField(max_length=1024, blank=True)
    metadata_etag = models.CharField(max_length=200, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    metadata_read_at = models.DateTimeField(null=True, blank=True)
    metadata_failure = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    leads_since = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField(null=True, blank=True)
    certificates_until = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(
                fields=["organisation", "idp_entity_id"], condition=~Q(idp_entity_id=""), name="sso_one_per_idp"
            ),
            models.CheckConstraint(condition=Q(state="draft") | ~Q(idp_entity_id=""), name="sso_only_drafts_are_empty"),
        )


class MetadataVersion(TenantModel):
    """What an identity provider said of itself, once: read → pending or held → in use → past, or declined.

    `reasons` are the codes of why it waits for a person (a new certificate, another host…). A past one can be put back.
    `url` is the address at which a set-up read it, followed once somebody has confirmed what it said.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        HELD = "held"
        IN_USE = "in_use"
        PAST = "past"
        DECLINED = "declined"

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State)
    source = models.CharField(max_length=10)
    url = models.CharField(max_length=1024, blank=True)
    reasons = ArrayField(models.CharField(max_length=60), default=list)
    idp_entity_id = models.CharField(max_length=1024)
    idp_sso_url = models.CharField(max_length=1024)
    idp_sso_binding = models.CharField(max_length=100)
    idp_slo_url = models.CharField(max_length=1024, blank=True)
    idp_slo_binding = models.CharField(max_length=100, blank=True)
    idp_slo_response_url = models.CharField(max_length=1024, blank=True)
    idp_certificates = ArrayField(models.TextField())
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=200, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (models.Index(fields=["organisation", "connection", "-id"], name="sso_metadata_newest"),)


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
    """(Connection, stable id) → login. The stable id is a persistent NameID or a mapped immutable attribute.

    A suspended one signs in nobody before somebody says again who it is: its identity provider was replaced.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    subject = models.CharField(max_length=512)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    email = models.CharField(max_length=254, blank=True)
    employee_number = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "connection", "subject"], name="sso_identity_once"),
        )


class DeclinedMatch(TenantModel):
    """HR's word that somebody who signed in is not this employee: the desk does not propose them again."""

    affiliation = models.ForeignKey(Affiliation, on_delete=models.CASCADE, related_name="+")
    employee = models.ForeignKey(
        Employee, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    declined_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "affiliation", "employee"], name="sso_declined_once"),
        )


class SignInSession(TenantModel):
    """A browser session that began here: what a sign-out on either side needs to end the other.

    The NameID and the SessionIndex are sealed; their digests find the session that a sign-out names.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    session_key = models.CharField(max_length=40)
    name_id = models.BinaryField(max_length=32)
    session_index = models.BinaryField(max_length=32, null=True, blank=True)
    sealed = models.BinaryField()
    started_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (
            models.Index(fields=["organisation", "connection", "name_id"], name="sso_session_by_name"),
            models.Index(fields=["organisation", "user"], name="sso_session_by_user"),
            models.Index(fields=["organisation", "expires_at"], name="sso_session_expiry"),
        )


class SignInTrace(TenantModel):
    """An attempt to sign in: the code that the person was shown, what came, and what went wrong, if anything did.

    `error` is "" when it succeeded. `raw` is the message, sealed, for administrators only and until `raw_until`.
    """

    connection = models.ForeignKey(
        Connection, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    code = models.CharField(max_length=12)
    error = models.CharField(max_length=60, blank=True)
    details = models.JSONField(default=dict)
    purpose = models.CharField(max_length=10, default="sign-in")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    name_id = models.BinaryField(max_length=32, null=True, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    assertion = models.BinaryField(max_length=32, null=True, blank=True)
    certificate = models.CharField(max_length=95, blank=True)
    client_address = models.CharField(max_length=45, blank=True)
    raw = models.BinaryField(null=True, blank=True)
    raw_until = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "code"], name="sso_trace_code"),)
        indexes = (
            models.Index(fields=["organisation", "-id"], name="sso_trace_newest"),
            # Few fail among many: what stops people is counted without reading who got in.
            models.Index(fields=["organisation", "error", "-id"], condition=~Q(error=""), name="sso_trace_failed"),
            models.Index(fields=["organisation", "raw_until"], condition=Q(raw__isnull=False), name="sso_trace_raw"),
        )

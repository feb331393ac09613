"""Organisations, the e-mail domains they own, and the doors by which a request finds its organisation."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.core.models import TenantModel


class Language(models.TextChoices):
    FRENCH = "fr", "Français"
    ENGLISH = "en", "English"


class Organisation(models.Model):
    """A partner of the programme. `departure_*` are the circuit breaker of imports, `small_group` that of reports.

    Since `sign_in_enforced_at` its people come by the company sign-in alone, break-glass owners excepted.
    """

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    sort_name = models.CharField(max_length=200)
    language = models.CharField(max_length=2, choices=Language, default=Language.FRENCH)
    time_zone = models.CharField(max_length=40, default="Europe/Paris")
    accent = models.CharField(max_length=20, blank=True)
    support_contact = models.CharField(_("whom employees ask for help"), max_length=200, blank=True)
    names_required = models.BooleanField(default=True)
    departure_percent = models.PositiveSmallIntegerField(default=10)
    departure_floor = models.PositiveSmallIntegerField(default=3)
    small_group = models.PositiveSmallIntegerField(default=10)
    sign_in_enforced_at = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(departure_percent__lte=100), name="organisations_departure_percent"),
        )

    def __str__(self) -> str:
        return self.name


class EmailDomain(models.Model):
    """A domain that an organisation says is its own; it counts only once verified, and then for one organisation.

    `challenge` is what its TXT record must hold. `missing_since` says since when the record was not found again.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="email_domains")
    domain = models.CharField(max_length=253)
    challenge = models.CharField(max_length=64, blank=True)
    include_subdomains = models.BooleanField(default=False)
    verified_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organisation", "domain"], name="organisations_domain_once"),
            models.UniqueConstraint(
                fields=["domain"], condition=Q(verified_at__isnull=False), name="organisations_domain_owner"
            ),
        )

    def __str__(self) -> str:
        return self.domain


class DoorKind(models.TextChoices):
    CONNECTION = "connection"
    LEARNER = "learner"
    MEMBER = "member"
    SETUP = "setup"
    CODE = "code"
    CERTIFICATE = "certificate"


class Door(models.Model):
    """What leads to an organisation before any scope is known: a digest of what the visitor holds, and whose it is.

    It says nothing else: the scope is entered, and everything is checked again inside it.
    """

    kind = models.CharField(max_length=20, choices=DoorKind)
    digest = models.BinaryField(max_length=32)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "digest", "organisation"], name="organisations_door_once"),
        )


class SetupLink(TenantModel):
    """A link by which a partner's IT connects its identity provider, without an account and for a limited time.

    Only the digest of its token is kept; the door of kind "setup" leads from it to the organisation.
    """

    digest = models.BinaryField(max_length=32)
    recipient = models.CharField(max_length=200, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "digest"], name="organisations_setup_once"),)

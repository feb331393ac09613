"""Logins, employees, and what ties the one to the other."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.core.models import TenantModel
from portal.organisations.models import Language, Organisation

BY_CODE = "code:"
"""How the names of logins begin that a printed code made: learners, here and nowhere else."""


class StaffRole(models.TextChoices):
    """The programme's own people. Their role is on the login, never on an identity that a partner asserts."""

    NONE = "", _("none")
    ACCOUNT_MANAGER = "account_manager", _("account manager")


class LearnerReference(models.Model):
    """The person as the learning platform knows them, whoever employs them: what the million counts.

    One per employee until linked to a login, one per login after; a link merges them.
    """

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    merged_into = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    first_certified_on = models.DateField(null=True, blank=True)

    class Meta:
        indexes = (
            # The count of people certified reads this index alone, whatever the number of people.
            models.Index(
                fields=["first_certified_on"],
                condition=Q(first_certified_on__isnull=False, merged_into__isnull=True),
                name="people_learner_certified",
            ),
        )


class User(AbstractBaseUser):
    """A login. Accounts with a password are named by `username`, their e-mail address; SSO logins get an opaque one.

    `email` is not unique and is proof of nothing.
    """

    username = models.CharField(max_length=254, unique=True)
    email = models.CharField(max_length=254, blank=True)
    name = models.CharField(max_length=200, blank=True)
    staff_role = models.CharField(max_length=20, choices=StaffRole, default=StaffRole.NONE, blank=True)
    learner = models.ForeignKey(LearnerReference, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    language = models.CharField(max_length=2, choices=Language, default=Language.FRENCH)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"

    objects: ClassVar[BaseUserManager[Self]] = BaseUserManager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(staff_role="") | Q(username__contains="@"), name="people_staff_have_passwords"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name


class Employee(TenantModel):
    """An HR record. It may exist before any login; inactive people stay, with their history.

    Empty text means "unknown". `sort_name` is the folded name: the database has no collation for it. `edited` lists
    the fields that a person changed by hand, which an import does not overwrite. `attributes` are columns of the
    organisation's own that HR chose to keep, each under its header.
    """

    employee_number = models.CharField(max_length=64, blank=True)
    email = models.CharField(max_length=254, blank=True)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    sort_name = models.CharField(max_length=310, blank=True)
    site = models.CharField(max_length=150, blank=True)
    department = models.CharField(max_length=150, blank=True)
    manager_email = models.CharField(max_length=254, blank=True)
    hired_on = models.DateField(null=True, blank=True)
    left_on = models.DateField(null=True, blank=True)
    language = models.CharField(max_length=2, choices=Language, blank=True)
    active = models.BooleanField(default=True)
    edited = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    attributes = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField()), blank=True
    )
    learner = models.ForeignKey(LearnerReference, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(
                fields=["organisation", "employee_number"],
                condition=~Q(employee_number=""),
                name="people_employee_number",
            ),
            # An e-mail is a key only for people without a number: shared mailboxes are real.
            models.UniqueConstraint(
                fields=["organisation", "email"],
                condition=Q(employee_number="") & ~Q(email=""),
                name="people_employee_email_key",
            ),
            models.CheckConstraint(condition=~Q(employee_number="") | ~Q(email=""), name="people_employee_has_a_key"),
        )
        indexes = (
            models.Index(fields=["organisation", "sort_name", "id"], name="people_employee_by_name"),
            models.Index(fields=["organisation", "site"], name="people_employee_by_site"),
            models.Index(fields=["organisation", "changed_at"], name="people_employee_changed"),
            models.Index(fields=["organisation", "email"], condition=~Q(email=""), name="people_employee_by_email"),
        )

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.employee_number or self.email


class Affiliation(models.Model):
    """A login known to an organisation, linked to the employee it is, or not yet."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="affiliations")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(
        Employee, null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organisation", "user"], name="people_affiliation_once"),
            models.UniqueConstraint(
                fields=["organisation", "employee"],
                condition=Q(employee__isnull=False),
                name="people_one_login_per_employee",
            ),
        )
        indexes = (
            models.Index(
                fields=["organisation", "created_at", "id"],
                condition=Q(employee__isnull=True),
                name="people_affiliation_waiting",
            ),
        )


class Membership(TenantModel):
    """A role of HR in one organisation.

    `break_glass` owners may still use their password once the company sign-in is enforced.
    """

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        ROSTER_MANAGER = "roster_manager", _("roster manager")
        REPORT_VIEWER = "report_viewer", _("report viewer")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=20, choices=Role)
    granted_at = models.DateTimeField(auto_now_add=True)
    break_glass = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (
            models.UniqueConstraint(fields=["organisation", "user"], name="people_one_role"),
            models.CheckConstraint(condition=Q(break_glass=False) | Q(role="owner"), name="people_glass_is_owners"),
        )


class SupportAccess(TenantModel):
    """An account manager inside an organisation, for a stated reason and a limited time."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=200)
    opened_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        abstract = False
        indexes = (models.Index(fields=["organisation", "user", "expires_at"], name="people_support_current"),)


class PrivateAddress(models.Model):
    """An address of the person's own, so that the certificate outlives the job; no employer reads it.

    `candidate` is one that waits to be confirmed by the link whose digest is kept; until then `address` stays.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="private_address")
    address = models.CharField(max_length=254, blank=True)
    candidate = models.CharField(max_length=254, default="", db_default="", blank=True)
    digest = models.BinaryField(max_length=32, null=True, blank=True)
    asked_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["digest"], condition=Q(digest__isnull=False), name="people_private_link_once"
            ),
        )
        indexes = (
            models.Index(fields=["address"], condition=Q(verified_at__isnull=False), name="people_private_by_address"),
        )


class AccessCode(TenantModel):
    """A printed code of one employee without a company account: used once, to make a passkey.

    Only its digest is kept; the door of kind "code" leads from it to the organisation.
    """

    employee = models.ForeignKey(
        Employee, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    digest = models.BinaryField(max_length=32)
    printed_by = models.CharField(max_length=200)
    printed_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=["organisation", "digest"], name="people_code_once"),)
        indexes = (models.Index(fields=["organisation", "employee"], name="people_code_of"),)

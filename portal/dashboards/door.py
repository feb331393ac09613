"""Which door is mine: who signed in → where they belong; and in the demo, whom to try."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.dashboards.journal import role_label
from portal.organisations.models import Organisation
from portal.people.models import StaffRole
from portal.people.session import organisations_with_a_role

if TYPE_CHECKING:
    from django.http import HttpRequest

    from portal.people.models import User


@dataclass(frozen=True, slots=True)
class Belonging:
    """Where a signed-in person belongs: at one address, or in one of these organisations."""

    url: str
    choices: list[Organisation]


def belonging(request: HttpRequest, user: User) -> Belonging:
    """Say where this login belongs, among the organisations whose door it has used in this session."""
    if user.staff_role == StaffRole.ACCOUNT_MANAGER:
        return Belonging(reverse("manage"), [])
    ids = organisations_with_a_role(request, user)
    if not ids:
        return Belonging(reverse("learner_home"), [])
    choices = list(Organisation.objects.filter(pk__in=ids).order_by("sort_name"))
    return Belonging(reverse("organisation_home", args=[choices[0].slug]), choices if len(choices) > 1 else [])


def demo_accounts() -> list[dict[str, str]]:
    """Return whom the demo lets in, in the reader's words; outside the demo, and before it is seeded, nobody."""
    path = settings.DEMO_DIRECTORY / "demo" / "accounts.json"
    if not settings.DEMO or not path.is_file():
        return []
    ways = {"company": _("company account"), "password": _("staff sign-in")}
    accounts: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        {**account, "role": role_label(account["role"]), "how": ways.get(account["how"], account["how"])}
        for account in accounts
    ]

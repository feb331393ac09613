"""Finding people by what someone typed: an employee number, an e-mail address, or the beginning of a name.

Conditions are equalities and ranges on stored keys: any other loses its index behind row-level security.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from portal.core.text import fold
from portal.people.models import Affiliation, Employee, Membership, User

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from portal.organisations.models import Organisation

_AFTER_EVERY_LETTER = "\U0010ffff"


def employees_matching(organisation: Organisation, text: str) -> QuerySet[Employee]:
    """Return who has exactly this e-mail or number; when nobody has the number, whose name begins with the words."""
    roster = Employee.objects.filter(organisation_id=organisation.pk)
    text = text.strip()
    if "@" in text:
        return roster.filter(email=text.lower())
    numbered = roster.filter(employee_number=text)
    if text and numbered.exists():
        return numbered
    return roster.filter(_name_begins_with(text))


def logins_matching(organisation: Organisation, text: str, *, limit: int = 20) -> list[Affiliation]:
    """Return the logins known to the organisation whose employee matches, or who wait for one and match themselves."""
    known = Affiliation.objects.filter(organisation=organisation).select_related("user", "employee")
    employees = list(employees_matching(organisation, text).values_list("pk", flat=True)[:limit])
    linked = known.filter(employee_id__in=employees).order_by("id")
    waiting = known.filter(
        Q(user__email=text.strip().lower()) | Q(user__name__istartswith=text.strip()), employee__isnull=True
    ).order_by("id")
    return [*linked, *waiting[:limit]]


def login_known_to(organisation: Organisation, user_id: int) -> User | None:
    """Return a login that came to this organisation, or has a role in it: nobody else can be given one."""
    known = (
        Affiliation.objects.filter(organisation=organisation, user_id=user_id).exists()
        or Membership.objects.filter(organisation_id=organisation.pk, user_id=user_id).exists()
    )
    return User.objects.filter(pk=user_id, is_active=True).first() if known else None


def _name_begins_with(text: str) -> Q:
    """Names are stored last name first; people type either order."""
    words = fold(text).split()
    if not words:
        return Q(pk__in=[])
    orders = {" ".join(order) for order in (words, words[-1:] + words[:-1], words[1:] + words[:1])}
    found = Q()
    for order in sorted(orders):
        found |= Q(sort_name__gte=order, sort_name__lt=order + _AFTER_EVERY_LETTER)
    return found

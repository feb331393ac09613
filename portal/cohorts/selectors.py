"""What is read of programmes and cohorts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from portal.cohorts.models import DEFAULT_PROGRAMME, Cohort, Programme
from portal.core.errors import Refusal

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from portal.organisations.models import Organisation


def programme_coded(code: str = DEFAULT_PROGRAMME) -> Programme:
    """Return the programme.

    Raises:
        Refusal: `unknown_programme`.
    """
    programme = Programme.objects.filter(code=code).first()
    if programme is None:
        raise Refusal("unknown_programme", _("There is no programme “%(code)s”.") % {"code": code})
    return programme


def cohort_key(name: str) -> str:
    """The name as cohorts are told apart by: trimmed, case-folded."""
    return " ".join(name.split()).casefold()


def cohorts(organisation: Organisation) -> QuerySet[Cohort]:
    return Cohort.objects.filter(organisation_id=organisation.pk).select_related("programme").order_by("name_key", "id")


def cohort_named(organisation: Organisation, reference: str) -> Cohort:
    """Return the cohort that a name, or `id:N`, refers to.

    Raises:
        Refusal: `unknown_cohort`.
    """
    wanted = cohorts(organisation)
    number = reference.removeprefix("id:")
    if number != reference:
        found = wanted.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    else:
        found = wanted.filter(name_key=cohort_key(reference)).first()
    if found is None:
        message = _("%(organisation)s has no cohort “%(cohort)s”.")
        raise Refusal("unknown_cohort", message % {"organisation": organisation.name, "cohort": reference})
    return found

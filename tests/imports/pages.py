"""What the tests of an import's pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

if TYPE_CHECKING:
    from imports.models import RosterImport
    from portal.organisations.models import Organisation


def at(organisation: Organisation, found: RosterImport, name: str = "import_detail", *more: int) -> str:
    return reverse(name, args=[organisation.slug, found.pk, *more])

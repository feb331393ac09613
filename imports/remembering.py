"""What an organisation's HR has said once: how its columns are read, and what its sites are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from imports.models import ColumnMapping, SiteName
from imports.pipeline.fields import ROSTER_FIELDS
from imports.pipeline.mapping import Mapping
from portal.core.tenancy import cursor_rows
from portal.core.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping as Map
    from typing import Any

    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

_LATEST = 50
_KNOWN_HEADERS = frozenset(synonym for field in ROSTER_FIELDS for synonym in field.synonyms)


def remember_mapping(*, actor: Actor, organisation: Organisation, mapping: Mapping) -> None:
    """Keep the columns that HR confirmed, for the next file with these headers.

    Of a file without headers nothing is kept: what HR pointed at is the row of a person.
    """
    if not any(fold(header) in _KNOWN_HEADERS for header in mapping.headers):
        return
    ColumnMapping.objects.update_or_create(
        organisation_id=organisation.pk,
        signature=mapping.signature,
        defaults={
            "mapping": mapping.as_json(),
            "confirmed_by_id": actor.user_id,
            "confirmed_at": timezone.now(),
        },
    )


def remembered_mappings(organisation: Organisation) -> list[dict[str, Any]]:
    """The mappings that HR confirmed, the latest first, as JSON."""
    known = ColumnMapping.objects.filter(organisation_id=organisation.pk).order_by("-confirmed_at")
    return list(known.values_list("mapping", flat=True)[:_LATEST])


def is_remembered(organisation: Organisation, mapping: Mapping) -> bool:
    """Whether HR confirmed exactly these columns before: then they need not be shown first again."""
    found = ColumnMapping.objects.filter(organisation_id=organisation.pk, signature=mapping.signature).first()
    return found is not None and Mapping.from_json(found.mapping).columns == mapping.columns


def remember_sites(*, organisation: Organisation, names: Map[str, str]) -> None:
    """Keep other ways of writing sites: {as the file writes it: what it is called}. The last of equal ones counts."""
    folded = {fold(written)[:150]: site for written, site in names.items()}
    SiteName.objects.bulk_create(
        [SiteName(organisation_id=organisation.pk, written=written, site=site) for written, site in folded.items()],
        update_conflicts=True,
        unique_fields=["organisation", "written"],
        update_fields=["site"],
    )


def call_sites_by_name(organisation: Organisation) -> None:
    """Give the sites of `landing_row` the names that HR gave them."""
    known = dict(SiteName.objects.filter(organisation_id=organisation.pk).values_list("written", "site"))
    if not known:
        return
    written = [site for (site,) in cursor_rows("SELECT DISTINCT site FROM landing_row WHERE site <> ''")]
    names = {site: known[fold(site)] for site in written if known.get(fold(site), site) != site}
    if names:
        cursor_rows(
            "UPDATE landing_row l SET site = n.site FROM unnest(%s::text[], %s::text[]) n (written, site)"
            " WHERE l.site = n.written",
            [list(names), list(names.values())],
        )

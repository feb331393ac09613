"""Write the report on a cohort."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from portal.cohorts.selectors import cohort_named
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.selectors import organisation_named
from portal.people.commands import PortalCommand
from portal.progress.services import catch_up
from portal.reports.documents import Format
from portal.reports.services import export_cohort_report

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Write the report on a cohort. COHORT is its name, or id:N."

    def add_options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("cohort")
        parser.add_argument("--format", required=True, choices=[kind.value for kind in Format])
        parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="needed for csv and xlsx")

    def work(
        self,
        *,
        actor: Actor,
        slug: str,
        cohort: str,
        format: str,  # noqa: A002  The option's name in the contract.
        out: Path | None,
        **_options: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        wanted = Format(format)
        organisation = organisation_named(slug)
        if out is None and wanted in {Format.CSV, Format.XLSX}:
            raise Refusal("out_needed", _("Say where the file goes: --out FILE."))
        catch_up(actor=actor, organisation=organisation)
        with organisation_scope(organisation.pk):
            _name, content = export_cohort_report(
                actor=actor, organisation=organisation, cohort=cohort_named(organisation, cohort), wanted=wanted
            )
            if out is not None:
                _write(out, content)
        if wanted is Format.JSON:
            document: dict[str, Any] = json.loads(content)
            return document
        return {"file": str(out), "format": wanted.value, "bytes": len(content)}

    def render(self, document: Any) -> str:  # noqa: ANN401  A JSON document.
        return super().render(document) if "file" in document else json.dumps(document, ensure_ascii=False)


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError:
        message = _("“%(file)s” cannot be written. Check the folder and the permissions.")
        raise Refusal("unwritable_file", message % {"file": str(out)}) from None

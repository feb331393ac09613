"""A cohort report as a document: JSON and CSV for machines, XLSX for people, in their language.

JSON and CSV use the names of the contract, XLSX the reader's language. All of them hold the same rows: the whole cohort
first, then its sites.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.core.workbook import Sheet, write_csv, write_xlsx
from portal.reports.dataset import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.core.workbook import Cell
    from portal.progress.selectors import Figures
    from portal.reports.dataset import CohortReport


class Format(StrEnum):
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


CONTENT_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def written(report: CohortReport, wanted: Format) -> bytes:
    """Return the document.

    Raises:
        Refusal: `not_yet`: there is no PDF yet.
    """
    if wanted is Format.PDF:
        raise Refusal("not_yet", _("PDF reports do not exist yet: take CSV or XLSX."))
    if wanted is Format.JSON:
        return json.dumps(report_json(report), ensure_ascii=False).encode()
    if wanted is Format.CSV:
        return _csv(report)
    return _xlsx(report)


def file_name(report: CohortReport, wanted: Format) -> str:
    """Name the file after what it holds; an address or a header can carry it as it is."""
    name = slugify(report.cohort) or str(report.cohort_id)
    return f"{report.organisation}-{name}-{report.as_of:%Y-%m-%d}.{wanted}"


def report_json(report: CohortReport) -> dict[str, Any]:
    """The JSON of the contract."""
    return {
        "organisation": report.organisation,
        "cohort": report.cohort,
        "cohort_id": report.cohort_id,
        "programme": report.programme,
        "as_of": report.as_of.isoformat(),
        "small_group": report.small_group,
        **asdict(report.totals),
        "by_site": [
            {"site": line.site, **_measures(line.figures), "suppressed": line.suppressed} for line in report.by_site
        ],
    }


def _csv(report: CohortReport) -> bytes:
    header = ("level", "site", *MEASURES, "suppressed", "organisation", "cohort", "programme", "as_of")
    about = (report.organisation, report.cohort, report.programme, report.as_of.isoformat())
    out = io.StringIO(newline="")
    rows: list[tuple[Cell, ...]] = [("cohort", "", *_measures(report.totals).values(), 0, *about)]
    rows += [
        ("site", line.site, *_measures(line.figures).values(), int(line.suppressed), *about) for line in report.by_site
    ]
    write_csv(out, header, rows)
    # The mark at the beginning is what makes Excel read the accents.
    return out.getvalue().encode("utf-8-sig")


def _xlsx(report: CohortReport) -> bytes:
    out = io.BytesIO()
    headings = [name for name, _meaning in measure_meanings().values()]
    write_xlsx(
        out,
        [
            Sheet(_("Report"), [_("Group"), *headings, _("Note")], _xlsx_rows(report)),
            Sheet(_("Definitions"), [_("Word"), _("Meaning")], _definitions(report)),
        ],
    )
    return out.getvalue()


def _xlsx_rows(report: CohortReport) -> Iterator[tuple[Cell, ...]]:
    yield (_("Whole cohort"), *_measures(report.totals).values(), "")
    for line in report.by_site:
        note = _("not shown: small group") if line.suppressed else ""
        yield (line.site or _("No site"), *_measures(line.figures).values(), note)


def _definitions(report: CohortReport) -> Iterator[tuple[Cell, ...]]:
    yield (_("Organisation"), report.organisation_name)
    yield (_("Cohort"), report.cohort)
    yield (_("Programme"), report.programme)
    yield (_("As of"), report.as_of.isoformat(timespec="minutes"))
    yield from measure_meanings().values()
    yield (
        _("Small groups"),
        _("Sites with fewer than %(number)d people enrolled are not shown, nor those that would reveal them.")
        % {"number": report.small_group},
    )


def measure_meanings() -> dict[str, tuple[str, str]]:
    """What each count is called and means, in the reader's language."""
    return {
        "roster": (_("Roster"), _("Active employees, enrolled or not.")),
        "enrolled": (_("Enrolled"), _("People in the cohort; withdrawn people do not count, those who left do.")),
        "invited": (_("Invited"), _("An invitation has left.")),
        "started": (_("Started"), _("The learning platform reported a first step, or anything after it.")),
        "completed": (_("Completed"), _("The whole course was followed, or a certificate obtained.")),
        "certified": (_("Certified"), _("A certificate was obtained and not revoked.")),
    }


def _measures(figures: Figures | None) -> dict[str, int | None]:
    return {name: getattr(figures, name) if figures else None for name in MEASURES}

"""The files that an import gives back: its redacted copy, the same with what is wrong marked in it, the template."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from django.utils.translation import gettext as _

from imports.messages import field_label, row_message
from imports.models import RowIssue
from imports.pipeline.mapping import Mapping
from imports.pipeline.redaction import CopyFormat
from imports.pipeline.returning import Fault, mark, only_faulty
from imports.pipeline.template import ColumnKind, TemplateColumn, TemplateWords, write_template
from imports.reading import open_file
from portal.cohorts.selectors import cohorts
from portal.people.selectors import site_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imports.models import RosterImport
    from portal.organisations.models import Organisation

    File = tuple[IO[bytes], str, str]

MOST_FAULTS = 100_000
"""More comments than that open in no spreadsheet; such a file is wrong as a whole."""

_TYPES = {
    CopyFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    CopyFormat.CSV: "text/csv; charset=utf-8",
}
_CHOICES = {"language": ("fr", "en")}
_LISTED = 1_000


def redacted_copy(organisation: Organisation, roster_import: RosterImport) -> File:
    """Return the file as it is kept, its name, and its type.

    Raises:
        quarantine.QuarantineLost: nothing is left of it.
    """
    del organisation
    copy = _blank()
    with open_file(roster_import) as file:
        shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy, _name(roster_import), _TYPES[CopyFormat(roster_import.copy_format)]


def marked_workbook(organisation: Organisation, roster_import: RosterImport, *, only_faulty: bool = False) -> File:
    """Return the copy with each faulty cell coloured and explained; or a workbook of the rows to correct alone.

    Raises:
        quarantine.QuarantineLost: nothing is left of the file.
        UnreadableFile: the copy is damaged.
    """
    mapping = Mapping.from_json(roster_import.mapping)
    faults = list(_faults(organisation, roster_import, mapping))
    written = _blank()
    with open_file(roster_import) as copy:
        if only_faulty:
            _write_faulty(copy, written, roster_import, mapping, faults)
        else:
            mark(
                copy,
                written,
                copy_format=CopyFormat(roster_import.copy_format),
                sheet=mapping.sheet,
                header_row=mapping.header_row,
                faults=faults,
                heading=_("To correct"),
            )
    written.seek(0)
    kind = CopyFormat.XLSX if only_faulty else CopyFormat(roster_import.copy_format)
    return written, _name(roster_import, _("to correct"), kind), _TYPES[kind]


def template_workbook(organisation: Organisation) -> File:
    """Return a workbook to fill in, in the reader's language, that suggests the organisation's sites and cohorts."""
    written = _blank()
    columns = list(_template_columns(organisation))
    words = TemplateWords(
        sheet=_("Roster"),
        examples=_("Examples"),
        lists=_("Lists"),
        not_listed=_("This value is not in the list."),
        not_a_date=_("Write a date as DD/MM/YYYY."),
    )
    write_template(written, columns=columns, words=words)
    written.seek(0)
    return written, _("roster-template.xlsx"), _TYPES[CopyFormat.XLSX]


def _blank() -> BinaryIO:
    return cast("BinaryIO", tempfile.TemporaryFile())


def _write_faulty(
    copy: BinaryIO, written: BinaryIO, roster_import: RosterImport, mapping: Mapping, faults: list[Fault]
) -> None:
    only_faulty(
        copy,
        written,
        copy_format=CopyFormat(roster_import.copy_format),
        sheet=mapping.sheet,
        header_row=mapping.header_row,
        faults=faults,
        # One of the synonyms of the field `origin`: by it the rows find their place when they come back.
        origin_heading=_("Row of the original file"),
        remark_heading=_("To correct"),
    )


def _faults(organisation: Organisation, roster_import: RosterImport, mapping: Mapping) -> Iterator[Fault]:
    """Yield what is wrong, the worst first, at the cells where it stands."""
    issues = RowIssue.objects.filter(
        organisation_id=organisation.pk, roster_import=roster_import, rank__lt=2, number__gt=0
    )
    allowed = {"site": tuple(site_names(organisation)[:_LISTED]), **_CHOICES}
    for issue in issues.order_by("rank", "number", "pk")[:MOST_FAULTS]:
        field = issue.params.get("field") or _field_of(mapping, issue.column)
        message = row_message(issue.code, issue.params)
        yield Fault(issue.number, mapping.columns.get(field), message, allowed.get(field, ()))


def _field_of(mapping: Mapping, header: str) -> str:
    return next((field for field, known in mapping.field_headers.items() if header and known == header), "")


def _template_columns(organisation: Organisation) -> Iterator[TemplateColumn]:
    sites = tuple(site_names(organisation)[:_LISTED])
    names = cohorts(organisation).order_by("name_key").values_list("name", flat=True)[:_LISTED]
    yield _column("employee_number", _("Needed, unless an e-mail is given."), "00123456", "00123457")
    if organisation.names_required:
        yield _column("last_name", _("Needed."), "Lefèvre", "N’Diaye")
        yield _column("first_name", _("Needed."), "Amélie", "Karim")
    yield _column("email", _("The professional address; leave it empty for people who have none."))
    yield _column("site", _("Where the person works."), *sites[:2], suggestions=sites)
    yield _column("department", "")
    yield _column("manager_email", "")
    yield _column("hired_on", "", dt.date(2019, 9, 2), dt.date(2023, 1, 9), kind=ColumnKind.DATE)
    yield _column("left_on", _("A date that has passed makes the person inactive."), kind=ColumnKind.DATE)
    yield _column("cohort", _("The person joins it; a new one is created."), suggestions=tuple(names))
    languages = _CHOICES["language"]
    yield _column("language", _("fr or en."), *languages, kind=ColumnKind.CHOICE, suggestions=languages)


def _column(
    field: str,
    hint: str,
    *examples: str | dt.date,
    kind: ColumnKind = ColumnKind.TEXT,
    suggestions: tuple[str, ...] = (),
) -> TemplateColumn:
    return TemplateColumn(field_label(field).capitalize(), hint, kind, examples, suggestions)


def _name(roster_import: RosterImport, remark: str = "", kind: CopyFormat | None = None) -> str:
    """The name the file came under, with the ending of what the copy is."""
    name = PurePath(roster_import.file_name).stem or "roster"
    return f"{name}{f' ({remark})' if remark else ''}.{kind or CopyFormat(roster_import.copy_format)}"

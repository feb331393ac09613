"""Small rosters, and imports of them up to the step that a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.runs import prepare_import, run_apply
from imports.selectors import import_numbered
from imports.services import confirm_import, open_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope
from tests.imports.pipeline.files import delimited

if TYPE_CHECKING:
    import io
    from collections.abc import Sequence

    from imports.models import RosterImport
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

HEADER = ("Matricule", "Nom", "Prénom", "Courriel", "Site", "Cohorte", "Date de sortie")
WIDTH = len(HEADER)


def person(number: str, name: str = "Martin", *rest: str) -> tuple[str, ...]:
    """A row: number, last name, then first name, e-mail, site, cohort, leaving date, as many as the test is about."""
    given = (number, name, *(rest or ("Zoé",)))
    return given + ("",) * (WIDTH - len(given))


def people(count: int, *, site: str = "Lyon", cohort: str = "", first: int = 1) -> list[tuple[str, ...]]:
    return [
        person(f"{number:05d}", f"Martin{number}", "Zoé", "", site, cohort) for number in range(first, first + count)
    ]


def roster_file(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> io.BytesIO:
    return delimited([header, *rows])


def open_roster(
    organisation: Organisation,
    rows: Sequence[Sequence[str]],
    *,
    actor: Actor = OPERATOR,
    header: Sequence[str] = HEADER,
    **options: Any,
) -> int:
    with organisation_scope(organisation.pk):
        opened = open_import(
            actor=actor,
            organisation=organisation,
            file=roster_file(rows, header),
            file_name="effectif.csv",
            **options,
        )
    return opened.pk


def prepare_roster(organisation: Organisation, rows: Sequence[Sequence[str]], **options: Any) -> RosterImport:
    import_id = open_roster(organisation, rows, **options)
    prepare_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    return reread(organisation, import_id)


def apply_roster(organisation: Organisation, rows: Sequence[Sequence[str]], **options: Any) -> RosterImport:
    return confirm_and_apply(organisation, prepare_roster(organisation, rows, **options).pk)


def confirm_and_apply(organisation: Organisation, import_id: int) -> RosterImport:
    with organisation_scope(organisation.pk):
        confirm_import(actor=OPERATOR, organisation=organisation, import_id=import_id)
    run_apply(actor=OPERATOR, organisation=organisation, import_id=import_id)
    return reread(organisation, import_id)


def reread(organisation: Organisation, import_id: int) -> RosterImport:
    with organisation_scope(organisation.pk):
        found = import_numbered(organisation, import_id)
    assert found is not None
    return found


def counted(roster_import: RosterImport) -> dict[str, int]:
    """The counts that are not zero, of those that must always add up."""
    names = ("create", "update", "unchanged", "merged", "reject")
    numbers = {name: roster_import.counts[name] for name in names}
    assert sum(numbers.values()) == roster_import.counts["rows"]
    return {name: number for name, number in numbers.items() if number}


def employees(organisation: Organisation, *columns: str) -> list[tuple[Any, ...]]:
    """The roster as it is stored: by default all that an import may change."""
    shown = ", ".join(
        columns
        or (
            "employee_number",
            "email",
            "first_name",
            "last_name",
            "sort_name",
            "site",
            "left_on",
            "active",
            "edited",
        )
    )
    with organisation_scope(organisation.pk):
        return cursor_rows(f"SELECT {shown} FROM people_employee ORDER BY employee_number, email, id")


def enrolments(organisation: Organisation) -> list[tuple[Any, ...]]:
    with organisation_scope(organisation.pk):
        return cursor_rows(
            "SELECT e.employee_number, e.email, c.name, n.state FROM enrolments_enrolment n"
            " JOIN people_employee e ON e.id = n.employee_id JOIN cohorts_cohort c ON c.id = n.cohort_id"
            " ORDER BY 1, 2, 3"
        )


def issue_codes(organisation: Organisation, roster_import: RosterImport) -> list[tuple[int, str]]:
    with organisation_scope(organisation.pk):
        return cursor_rows(
            "SELECT number, code FROM imports_rowissue WHERE roster_import_id = %s ORDER BY rank, number, id",
            [roster_import.pk],
        )

"""A full file of 20,000 rows in which everything happens, and the roster of 19,000 people that it meets.

Nobody's fate depends on their site, so that no site loses more people than the organisation's threshold allows.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING

from rustpy_xlsxwriter import FastExcel

from imports.services import open_import
from portal.cohorts.services import cohorts_for_names
from portal.core.actor import OPERATOR
from portal.core.tenancy import cursor_rows, organisation_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portal.organisations.models import Organisation

Row = tuple[str, ...]

ROWS = 20_000
KNOWN = 19_000
COHORTS = ("Vague 1", "Vague 2", "Vague 3")
HEADER = ("Matricule", "Nom", "Prénom", "Courriel", "Site", "Direction", "Cohorte", "Date de sortie")
NAME = HEADER.index("Nom")
MAIL = HEADER.index("Courriel")


def settle(organisation: Organisation) -> None:
    """Give the organisation its people: half of them enrolled, some changed by hand, some without a number."""
    with organisation_scope(organisation.pk):
        (cohort,) = cohorts_for_names(actor=OPERATOR, organisation=organisation, names=COHORTS[:1]).values()
        params = {"organisation": organisation.pk, "known": KNOWN, "cohort": cohort.pk}
        cursor_rows(
            "INSERT INTO people_employee (organisation_id, employee_number, last_name, first_name, sort_name, email,"
            " site, department, manager_email, language, active, edited, created_at, changed_at)"
            " SELECT %(organisation)s, CASE WHEN n %% 50 = 1 THEN '' ELSE lpad(n::text, 6, '0') END, 'Martin' || n,"
            " 'Zoé', 'martin' || n || ' zoe', CASE WHEN n %% 5 = 1 THEN 'zoe' || n || '@kill.example' ELSE '' END,"
            " 'Site ' || n / 40 %% 20, 'Courrier', '', '', true,"
            " CASE WHEN n %% 90 = 13 THEN '{department}'::text[] ELSE '{}' END, now(), now()"
            " FROM generate_series(1, %(known)s) n",
            params,
        )
        cursor_rows(
            "INSERT INTO enrolments_enrolment"
            " (organisation_id, employee_id, cohort_id, state, enrolled_at, certificate_url, progress)"
            " SELECT organisation_id, id, %(cohort)s, 'enrolled', now(), '', 0 FROM people_employee"
            " WHERE organisation_id = %(organisation)s AND right(last_name, 1) < '5'",
            params,
        )


def upload(organisation: Organisation) -> int:
    with organisation_scope(organisation.pk):
        opened = open_import(
            actor=OPERATOR,
            organisation=organisation,
            file=io.BytesIO(workbook()),
            file_name="effectif.xlsx",
            mode="full",
        )
    return opened.pk


@functools.cache
def workbook() -> bytes:
    stream = io.BytesIO()
    FastExcel(stream).sheet("Effectif", (dict(zip(HEADER, row, strict=True)) for row in _rows())).save()
    return stream.getvalue()


def _rows() -> list[Row]:
    """Who stays, changes or leaves; rows that are not taken, in between; then who arrives, up to the size."""
    rows = [person(number) for number in range(1, KNOWN + 1) if number % 25]
    repeated, conflicting = rows[100:4100:200], rows[150:4150:400]
    rows[5000:5000] = repeated
    rows[9000:9000] = [_with(row, NAME, "Durand") for row in conflicting]
    rows[13000:13000] = [*_rejected(700_000, MAIL, "zoe(at)kill"), *_rejected(800_000, NAME, "")]
    return [*rows, *(person(number) for number in range(KNOWN + 1, KNOWN + 1 + ROWS - len(rows)))]


def person(number: int) -> Row:
    """A row of the file: every tenth person changes department, every fortieth moves, every hundredth has left."""
    return (
        "" if number % 50 == 1 else f"{number:06d}",
        f"Martin{number}",
        "Zoé",
        f"zoe{number}@kill.example" if number % 5 == 1 else "",
        f"Site {(number // 40 + (number % 40 == 7)) % 20}",
        "Colis" if number % 10 == 3 else "Courrier",
        COHORTS[number % len(COHORTS)],
        "01/02/2020" if number % 100 == 9 else "",
    )


def _rejected(first: int, column: int, value: str) -> Iterator[Row]:
    return (_with(person(first + 2 * number), column, value) for number in range(20))


def _with(row: Row, column: int, value: str) -> Row:
    return (*row[:column], value, *row[column + 1 :])

"""What the benchmarks work with: an organisation, its people in a workbook, and the import that brings them in."""

from __future__ import annotations

import random
import uuid
from dataclasses import astuple, dataclass, replace
from datetime import date, timedelta
from itertools import product
from typing import TYPE_CHECKING

from rustpy_xlsxwriter import FastExcel

from imports.models import RosterImport
from imports.runs import prepare_import, run_apply
from imports.services import confirm_import, open_import
from portal.core.actor import OPERATOR
from portal.core.tenancy import organisation_scope
from portal.core.text import fold
from portal.organisations.services import create_organisation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from portal.organisations.models import Organisation

COHORTS = ("Vague 1", "Vague 2", "Vague 3")
SITES = tuple(f"Établissement {number:03d}" for number in range(300))

_DEPARTMENTS = ("Courrier", "Colis", "Banque", "Réseau", "Numérique", "Siège")
_FIRST = (
    *("Adèle", "Aïcha", "Antoine", "Béatrice", "Benoît", "Chloé", "Clément", "Émilie", "François", "Gaëlle"),
    *("Hélène", "Inès", "Jérôme", "Karim", "Léa", "Marie", "Mathieu", "Noémie", "Océane", "Pierre", "Raphaël"),
    *("Sébastien", "Théo", "Yves", "Zoé"),
)
_LAST = tuple(
    "".join(parts).capitalize()
    for parts in product(
        ("ber", "char", "du", "fa", "ga", "le", "mar", "mou", "per", "ro", "thé", "vas"),
        ("ba", "che", "da", "go", "li", "mon", "né", "pi", "qua", "ri", "so", "ti", "val"),
        ("be", "chal", "de", "din", "gnier", "lin", "mard", "nard", "neau", "rel", "ry", "seur", "tier"),
    )
)


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the file, its fields in the order of the columns."""

    number: str
    last_name: str
    first_name: str
    email: str
    site: str
    department: str
    hired_on: date
    cohort: str


HEADERS = (
    "Matricule",
    "Nom",
    "Prénom",
    "Adresse électronique",
    "Établissement",
    "Direction",
    "Date d’entrée",
    "Cohorte",
)


def people(count: int) -> Iterator[Person]:
    """Invent people one by one, the same every time: a million of them are never held together."""
    dice = random.Random(count)  # noqa: S311  Invention, not secrecy.
    for index in range(count):
        first, last = dice.choice(_FIRST), dice.choice(_LAST)
        yield Person(
            number=f"{index + 1:08d}",
            last_name=last,
            first_name=first,
            email=f"{fold(first)}.{fold(last)}{index}@bench.example",
            site=dice.choice(SITES),
            department=dice.choice(_DEPARTMENTS),
            hired_on=date(1988, 1, 4) + timedelta(days=dice.randrange(13_000)),
            cohort=COHORTS[index % len(COHORTS)],
        )


def one_percent_moved(known: Iterable[Person]) -> Iterator[Person]:
    """Yield the same people, of whom every hundredth works in another department."""
    return (
        replace(person, department="Formation") if index % 100 == 0 else person for index, person in enumerate(known)
    )


def half_unknown(known: Iterable[Person]) -> Iterator[Person]:
    """Yield as many people, of whom every second works in another department and the others have just come."""
    return (
        replace(person, department="Formation")
        if index % 2
        else replace(person, number=f"N{person.number}", email=f"n.{person.email}")
        for index, person in enumerate(known)
    )


def write_workbook(path: Path, known: Iterable[Person]) -> Path:
    """Write row by row: the writer holds none back."""
    records = (dict(zip(HEADERS, astuple(person), strict=True)) for person in known)
    FastExcel(str(path)).sheet("Effectif", records).save()
    return path


def new_organisation() -> Organisation:
    slug = f"bench-{uuid.uuid4().hex[:12]}"
    return create_organisation(actor=OPERATOR, slug=slug, name=slug, domains=[f"{slug}.example"])


def import_roster(organisation: Organisation, path: Path) -> RosterImport:
    """Upload, read, plan, confirm and apply, as the pages and the worker do.

    Raises:
        RuntimeError: the import was not applied: what was measured is not what is meant.
    """
    prepared = prepare_roster(organisation, path)
    with organisation_scope(organisation.pk):
        confirm_import(actor=OPERATOR, organisation=organisation, import_id=prepared.pk)
    run_apply(actor=OPERATOR, organisation=organisation, import_id=prepared.pk)
    return _found(organisation, prepared.pk, RosterImport.State.APPLIED)


def prepare_roster(organisation: Organisation, path: Path) -> RosterImport:
    """Upload, read and plan, up to the review.

    Raises:
        RuntimeError: the import does not wait for its confirmation: it was held, or failed.
    """
    with path.open("rb") as file, organisation_scope(organisation.pk):
        opened = open_import(actor=OPERATOR, organisation=organisation, file=file, file_name=path.name)
    prepare_import(actor=OPERATOR, organisation=organisation, import_id=opened.pk)
    return _found(organisation, opened.pk, RosterImport.State.READY)


def organisation_with_roster(directory: Path, rows: int) -> Organisation:
    """Return a new organisation whose people, `people(rows)`, came in by an import."""
    organisation = new_organisation()
    import_roster(organisation, write_workbook(directory / f"roster-{rows}.xlsx", people(rows)))
    return organisation


def _found(organisation: Organisation, import_id: int, state: RosterImport.State) -> RosterImport:
    with organisation_scope(organisation.pk):
        found = RosterImport.objects.get(pk=import_id)
    if found.state != state:
        raise RuntimeError(f"The import ended as {found.state}, not as {state}: {found.error}.")
    return found

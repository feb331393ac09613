"""What the demo knows beforehand: its two organisations, their people, and who can sign in how."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from portal.core.text import fold
from portal.demo.invented import AIRBUS, LAPOSTE, invent_people
from portal.people.models import Membership

if TYPE_CHECKING:
    from portal.demo.invented import Person, Place

PASSWORD = "objectif-ia-demo"  # noqa: S105  Public: the demo prints it.
ACCOUNT_MANAGER = ("manon.petit@programme.example", "Manon Petit")


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody with a name in the story; with a role of HR, or an employee like any other."""

    first_name: str
    last_name: str
    role: str = ""


@dataclass(frozen=True)
class Scene:
    """One organisation. `pace` says which share of each cohort has begun the course."""

    slug: str
    name: str
    accent: str
    support_contact: str
    place: Place
    head_count: int
    owner: tuple[str, str]
    named: tuple[Named, ...]
    pace: dict[str, float]

    @cached_property
    def people(self) -> list[Person]:
        """Everyone on the roster; the named ones come first."""
        people = invent_people(self.place, self.head_count)
        for index, named in enumerate(self.named):
            address = f"{fold(named.first_name)}.{fold(named.last_name)}@{self.place.domain}".replace(" ", "-")
            people[index] = replace(
                people[index], first_name=named.first_name, last_name=named.last_name, email=address
            )
        return people

    @property
    def stars(self) -> list[tuple[Named, Person]]:
        return list(zip(self.named, self.people, strict=False))


SCENES = (
    Scene(
        slug="laposte",
        name="La Poste",
        accent="8",
        support_contact="aide-objectif-ia@laposte.example",
        place=LAPOSTE,
        head_count=1_500,
        owner=("odile.garnier@laposte.example", "Odile Garnier"),
        named=(
            Named("Hélène", "Marchand", Membership.Role.ROSTER_MANAGER),
            Named("Victor", "Blin", Membership.Role.REPORT_VIEWER),
            Named("Amélie", "Lefèvre"),
            Named("Karim", "N’Diaye"),
        ),
        pace={"Vague 1": 0.92, "Vague 2": 0.61, "Vague 3": 0.18},
    ),
    Scene(
        slug="airbus",
        name="Airbus",
        accent="",
        support_contact="ai-training@airbus.example",
        place=AIRBUS,
        head_count=400,
        owner=("oscar.faure@airbus.example", "Oscar Faure"),
        named=(Named("Ingrid", "Bauer", Membership.Role.ROSTER_MANAGER), Named("Marcelle", "Gilbert")),
        pace={"Autumn 2026": 0.4},
    ),
)

"""The boundary by which many employees come in: temporary relations, so that the data never leaves PostgreSQL.

The caller fills `employee_intake`, one row per person, best by `fill_intake`; `match_intake` finds who each row is;
`compare_intake` says in `employee_outcome` what it would change; `portal.people.services.upsert_employees` writes
exactly that. All of it lives inside one transaction, and the relations go with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from datetime import date

TEXT_FIELDS = (
    "employee_number",
    "email",
    "first_name",
    "last_name",
    "site",
    "department",
    "manager_email",
    "language",
)
DATE_FIELDS = ("hired_on", "left_on")
ATTRIBUTES = "attributes"
FIELDS = (*TEXT_FIELDS, *DATE_FIELDS, ATTRIBUTES)
INTAKE = ", ".join((*TEXT_FIELDS, "sort_name", *DATE_FIELDS, ATTRIBUTES))
"""The columns of a person in the intake."""

_KEYS = frozenset({"employee_number", "email"})
_BY_NUMBER = "i.employee_number <> '' AND e.employee_number <> '' AND e.employee_number = i.employee_number"
_MATCHES = (
    _BY_NUMBER,
    "i.employee_number = '' AND i.email <> '' AND e.employee_number = '' AND e.email = i.email",
    (
        "i.employee_number <> '' AND i.email <> '' AND e.employee_number = '' AND e.email = i.email AND i.email IN"
        " (SELECT email FROM employee_intake WHERE email <> '' GROUP BY email HAVING count(*) = 1)"
    ),
)


@dataclass(frozen=True, slots=True)
class Intake:
    """What the filled relation means.

    `columns` are the fields that the source has at all: a field that is absent erases nothing. A `left_on` before
    `today` makes the person inactive. `keep_edited` keeps the fields that a person changed by hand; without it they
    take the source's values and count as changed by hand no longer. Attributes are added to those a person has.
    """

    columns: frozenset[str]
    today: date
    keep_edited: bool = True


def create_intake() -> None:
    """Make both relations, empty."""
    text = ", ".join(f"{name} text NOT NULL DEFAULT ''" for name in (*TEXT_FIELDS, "sort_name"))
    dates = ", ".join(f"{name} date" for name in DATE_FIELDS)
    cursor_rows(
        f"CREATE TEMP TABLE IF NOT EXISTS employee_intake"
        f" (ref bigint NOT NULL, employee_id bigint, {text}, {dates}, {ATTRIBUTES} jsonb NOT NULL DEFAULT '{{}}')"
        " ON COMMIT DROP"
    )
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS employee_outcome"
        " (ref bigint NOT NULL, employee_id bigint, action text NOT NULL,"
        " changed text[] NOT NULL, kept text[] NOT NULL, before jsonb, after jsonb) ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE employee_intake, employee_outcome")


def fill_intake(rows: str, organisation_id: int) -> None:
    """Take in the rows of the query `rows`: each its ref, then the columns of `INTAKE`.

    Those whose number is known are given their employee at once: `match_intake` would have to write them anew.
    """
    cursor_rows(
        f"INSERT INTO employee_intake (ref, employee_id, {INTAKE})"  # noqa: S608
        f" SELECT i.ref, e.id, {', '.join(f'i.{name}' for name in INTAKE.split(', '))} FROM ({rows}) i"
        f" LEFT JOIN people_employee e ON {_BY_NUMBER} AND e.organisation_id = %s",
        [organisation_id],
    )


def match_intake(organisation_id: int) -> None:
    """Find the employee that each row speaks of: by number; else by e-mail, for people without a number.

    A number that arrives for somebody known by e-mail is theirs, but only when one single row carries that e-mail:
    nothing is guessed.
    """
    cursor_rows("ANALYZE employee_intake (ref, employee_id, employee_number, email)")
    ((rows,),) = cursor_rows("SELECT count(*) FROM employee_intake")
    with whole_sets(rows):
        for condition in _MATCHES:
            cursor_rows(
                f"UPDATE employee_intake i SET employee_id = e.id FROM people_employee e WHERE {condition}"  # noqa: S608
                " AND e.organisation_id = %s AND i.employee_id IS NULL",
                [organisation_id],
            )


def compare_intake(intake: Intake, organisation_id: int, *, name_newcomers: bool = False) -> None:
    """Say in `employee_outcome` what each row would do: create, update (which fields, from what to what), nothing.

    Rows that say what is known are found by one comparison, and only the others are looked at field by field and made
    into JSON: on a re-import, hardly any. With `name_newcomers` those who would be created get the id they will have.
    """
    if cursor_rows("SELECT 1 FROM employee_intake WHERE employee_id IS NOT NULL LIMIT 1"):
        _compare_known(intake, organisation_id)
    _compare_newcomers(name_newcomers=name_newcomers)
    cursor_rows("ANALYZE employee_outcome (ref, employee_id, action)")


def _compare_known(intake: Intake, organisation_id: int) -> None:
    known = [name for name in FIELDS if name in intake.columns]
    left_on = "i.left_on" if "left_on" in intake.columns else "e.left_on"
    active = f"(coalesce({left_on}, 'infinity') >= %(today)s)"
    same = f"({_same(known)} AND e.active = {active})"
    params = {"today": intake.today, "keep": intake.keep_edited, "organisation": organisation_id}
    pairs = "employee_intake i JOIN people_employee e ON e.id = i.employee_id AND e.organisation_id = %(organisation)s"
    cursor_rows(
        "INSERT INTO employee_outcome (ref, employee_id, action, changed, kept)"  # noqa: S608
        f" SELECT i.ref, e.id, 'unchanged', '{{}}', '{{}}' FROM {pairs} WHERE {same}",
        params,
    )
    cursor_rows(
        f"""
        WITH other AS MATERIALIZED (
            SELECT * FROM employee_intake i WHERE employee_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM employee_outcome o WHERE o.ref = i.ref)
        )
        INSERT INTO employee_outcome (ref, employee_id, action, changed, kept, before, after)
        SELECT ref, employee_id, CASE WHEN changed <> '{{}}' THEN 'update' ELSE 'unchanged' END, changed, kept,
               (SELECT jsonb_object_agg(f, to_jsonb(e) -> f) FROM unnest(changed || freed) f),
               (SELECT jsonb_object_agg(f, (to_jsonb(i) || jsonb_build_object('active', active,
                   'attributes', (e).attributes || (i).attributes, 'edited', still_edited)) -> f)
                FROM unnest(changed || freed) f)
        FROM (
            SELECT *, ARRAY(SELECT f FROM unnest(edited) f WHERE NOT f = ANY (changed)) AS still_edited,
                   CASE WHEN edited && changed THEN ARRAY['edited'] ELSE '{{}}' END AS freed
            FROM (
                SELECT *, ARRAY(SELECT f FROM unnest(different) f WHERE f <> ALL (locked)) AS changed,
                       ARRAY(SELECT f FROM unnest(different) f WHERE f = ANY (locked)) AS kept
                FROM (
                    SELECT i, e, i.ref, e.id AS employee_id, {active} AS active, e.edited::text[] AS edited,
                           CASE WHEN %(keep)s THEN e.edited::text[] ELSE '{{}}' END AS locked,
                           array_remove(ARRAY[{", ".join(map(_changed, known))},
                               CASE WHEN e.active <> {active} THEN 'active' END], NULL) AS different
                    FROM other i JOIN people_employee e ON e.id = i.employee_id AND e.organisation_id = %(organisation)s
                ) compared
            ) decided
        ) told
        """,  # noqa: S608  The names come from FIELDS.
        params,
    )


def _compare_newcomers(*, name_newcomers: bool) -> None:
    """Whoever is not known, or is no longer, would be created."""
    # Asked once: inside the statement, the catalogue would be asked again for each person.
    ((sequence,),) = cursor_rows("SELECT pg_get_serial_sequence('people_employee', 'id')")
    new_id = "nextval(%(sequence)s::regclass)" if name_newcomers else "NULL::bigint"
    cursor_rows(
        f"INSERT INTO employee_outcome (ref, employee_id, action, changed, kept)"  # noqa: S608
        f" SELECT ref, {new_id}, 'create', '{{}}', '{{}}' FROM employee_intake i"
        " WHERE NOT EXISTS (SELECT 1 FROM employee_outcome o WHERE o.ref = i.ref)",
        {"sequence": sequence},
    )


def write_outcome(intake: Intake, organisation_id: int, *, updates: bool) -> None:
    """Insert and, if there are any, update employees as `employee_outcome` says.

    While many come in, the planner's figures for the roster are those of before: an index of the relation on the
    employee keeps the update linear even when it takes the roster for empty and walks through it.
    """
    names = ", ".join((*FIELDS, "sort_name"))
    values = ", ".join(f"i.{name}" for name in (*FIELDS, "sort_name"))
    cursor_rows(
        f"INSERT INTO people_employee (id, organisation_id, {names}, active, edited, created_at, changed_at)"  # noqa: S608
        f" SELECT o.employee_id, %(organisation)s, {values}, coalesce(i.left_on, 'infinity') >= %(today)s, '{{}}',"
        " statement_timestamp(), statement_timestamp()"
        " FROM employee_outcome o JOIN employee_intake i USING (ref) WHERE o.action = 'create'",
        {"organisation": organisation_id, "today": intake.today},
    )
    if updates:
        cursor_rows("CREATE INDEX IF NOT EXISTS employee_outcome_person ON employee_outcome (employee_id)")
        _write_updates(organisation_id)


def _write_updates(organisation_id: int) -> None:
    fields = ", ".join(
        f"{name} = CASE WHEN '{name}' = ANY (o.changed) THEN i.{name} ELSE e.{name} END"
        for name in (*TEXT_FIELDS, *DATE_FIELDS)
    )
    cursor_rows(
        f"UPDATE people_employee e SET {fields},"  # noqa: S608
        " active = CASE WHEN 'active' = ANY (o.changed) THEN NOT e.active ELSE e.active END,"
        " attributes = CASE WHEN 'attributes' = ANY (o.changed) THEN e.attributes || i.attributes"
        " ELSE e.attributes END, edited = CASE WHEN e.edited::text[] && o.changed"
        " THEN ARRAY(SELECT f FROM unnest(e.edited) f WHERE f <> ALL (o.changed)) ELSE e.edited END,"
        " sort_name = CASE WHEN o.changed && %(names)s AND NOT o.kept && %(names)s THEN i.sort_name"
        " ELSE e.sort_name END, changed_at = statement_timestamp()"
        " FROM employee_outcome o JOIN employee_intake i USING (ref)"
        " WHERE o.action = 'update' AND e.id = o.employee_id AND e.organisation_id = %(organisation)s",
        {"organisation": organisation_id, "names": ["first_name", "last_name"]},
    )


def _same(names: list[str]) -> str:
    """The condition under which nothing of a row counts as changed."""
    keys = [f"(i.{name} = e.{name} OR i.{name} = '')" for name in names if name in _KEYS]
    plain = [name for name in names if name not in _KEYS and name != ATTRIBUTES]
    ours, theirs = (", ".join(f"{side}.{name}" for name in plain) for side in "ie")
    rows = [f"({ours}) IS NOT DISTINCT FROM ({theirs})"] if plain else []
    attributes = ["e.attributes @> i.attributes"] if ATTRIBUTES in names else []
    return " AND ".join([*keys, *rows, *attributes]) or "true"


def _changed(name: str) -> str:
    """The condition under which a field counts as changed: a key is never erased by an empty cell."""
    if name == ATTRIBUTES:
        return f"CASE WHEN NOT e.{name} @> i.{name} THEN '{name}' END"
    present = f" AND i.{name} <> ''" if name in _KEYS else ""
    return f"CASE WHEN i.{name} IS DISTINCT FROM e.{name}{present} THEN '{name}' END"

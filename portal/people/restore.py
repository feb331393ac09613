"""Taking back what many employees became: by set, and only where nothing else happened to them since.

Like the intake, the data stays in PostgreSQL: the caller fills `employee_restore` inside its transaction and reads
there what became of each row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from portal.core.tenancy import cursor_rows
from portal.core.text import fold
from portal.core.worklist import note_work
from portal.people.intake import DATE_FIELDS, TEXT_FIELDS
from portal.people.services import ROSTER_CHANGED

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

_KINDS = {
    **dict.fromkeys(TEXT_FIELDS, "text"),
    **dict.fromkeys(DATE_FIELDS, "date"),
    "active": "boolean",
    "attributes": "jsonb",
}


def create_restore() -> None:
    """Make `employee_restore`: for each ref who it is, and the fields as they were before and were written.

    `restored` says afterwards which fields are as before again, `result` what became of the row.
    """
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS employee_restore (ref bigint PRIMARY KEY, employee_id bigint NOT NULL,"
        " before jsonb, after jsonb, restored text[] NOT NULL DEFAULT '{}', result text NOT NULL DEFAULT '')"
        " ON COMMIT DROP"
    )
    cursor_rows("CREATE INDEX IF NOT EXISTS employee_restore_person ON employee_restore (employee_id)")
    cursor_rows("TRUNCATE employee_restore")


@transaction.atomic
def restore_employees(*, actor: Actor, organisation: Organisation) -> None:
    """Give each field its value of before, if it still has the value that was written.

    The result is `restored`, `partly` or `kept`. A key is not given back when somebody else has it by now.
    """
    del actor
    params = {"organisation": organisation.pk}
    cursor_rows(
        """
        UPDATE employee_restore r SET restored = ARRAY(
            SELECT f FROM jsonb_object_keys(r.before) f
            WHERE to_jsonb(e) -> f = r.after -> f AND (f <> 'employee_number' OR r.before ->> f <> '' OR (
                e.email <> '' AND NOT EXISTS (
                    SELECT 1 FROM people_employee other WHERE other.organisation_id = %(organisation)s
                    AND other.employee_number = '' AND other.email = e.email))))
        FROM people_employee e WHERE e.organisation_id = %(organisation)s AND e.id = r.employee_id
        """,
        params,
    )
    cursor_rows(
        "UPDATE employee_restore SET result = CASE WHEN restored = '{}' THEN 'kept'"
        " WHEN cardinality(restored) < (SELECT count(*) FROM jsonb_object_keys(before)) THEN 'partly'"
        " ELSE 'restored' END"
    )
    fields = ", ".join(
        f"{name} = CASE WHEN '{name}' = ANY (r.restored) THEN (r.before ->> '{name}')::{kind} ELSE e.{name} END"
        for name, kind in _KINDS.items()
    )
    fields += (
        ", edited = CASE WHEN 'edited' = ANY (r.restored)"
        " THEN ARRAY(SELECT jsonb_array_elements_text(r.before -> 'edited')) ELSE e.edited END"
    )
    renamed = cursor_rows(
        f"UPDATE people_employee e SET {fields}, changed_at = statement_timestamp()"  # noqa: S608
        " FROM employee_restore r WHERE e.organisation_id = %(organisation)s AND e.id = r.employee_id"
        " AND r.restored <> '{}' RETURNING e.id, e.last_name, e.first_name,"
        " r.restored && ARRAY['last_name', 'first_name']",
        params,
    )
    _sort_again(organisation, [(pk, f"{last} {first}") for pk, last, first, is_new in renamed if is_new])
    if renamed:
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)


@transaction.atomic
def reactivate_employees(*, actor: Actor, organisation: Organisation) -> None:
    """Make the people of `employee_restore` active again, unless a date of departure has passed meanwhile.

    The result is `restored` or `kept`.
    """
    del actor
    changed = cursor_rows(
        "WITH again AS (UPDATE people_employee e SET active = true, changed_at = statement_timestamp()"
        " FROM employee_restore r WHERE e.organisation_id = %s AND e.id = r.employee_id AND NOT e.active"
        " AND coalesce(e.left_on, 'infinity') >= current_date RETURNING e.id)"
        " UPDATE employee_restore SET result = CASE WHEN employee_id IN (SELECT id FROM again) THEN 'restored'"
        " ELSE 'kept' END RETURNING result",
        [organisation.pk],
    )
    if ("restored",) in changed:
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)


@transaction.atomic
def remove_employees(*, actor: Actor, organisation: Organisation) -> None:
    """Delete the people of `employee_restore` on whom nothing depends; make the others inactive.

    The result is `removed` or `inactive`.
    """
    del actor
    needed = " OR ".join(f"EXISTS (SELECT 1 FROM {table} d WHERE d.{column} = e.id)" for table, column in _dependants())  # noqa: S608
    removed = cursor_rows(
        "WITH gone AS (DELETE FROM people_employee e USING employee_restore r"  # noqa: S608
        " WHERE e.organisation_id = %(organisation)s AND e.id = r.employee_id"
        f" AND e.edited = '{{}}' AND e.learner_id IS NULL AND NOT ({needed}) RETURNING e.id)"
        " UPDATE employee_restore SET result = 'removed' WHERE employee_id IN (SELECT id FROM gone) RETURNING ref",
        {"organisation": organisation.pk},
    )
    left = cursor_rows(
        "WITH left_behind AS (UPDATE employee_restore SET result = 'inactive' WHERE result = '' RETURNING employee_id)"
        " UPDATE people_employee e SET active = false, changed_at = statement_timestamp() FROM left_behind l"
        " WHERE e.organisation_id = %(organisation)s AND e.id = l.employee_id AND e.active RETURNING e.id",
        {"organisation": organisation.pk},
    )
    if removed or left:
        note_work(organisation_id=organisation.pk, topic=ROSTER_CHANGED)


def _dependants() -> list[tuple[str, str]]:
    """Every table and column that points at an employee, asked of the catalogue: the apps above are not known here."""
    found = cursor_rows(
        "SELECT c.conrelid::regclass::text, quote_ident(a.attname) FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)"
        " WHERE c.contype = 'f' AND c.confrelid = 'people_employee'::regclass AND a.attname <> 'organisation_id'"
        " ORDER BY 1, 2"
    )
    return [(table, column) for table, column in found]


def _sort_again(organisation: Organisation, names: list[tuple[int, str]]) -> None:
    """The folded name is made here: the database cannot fold."""
    if names:
        cursor_rows(
            "UPDATE people_employee e SET sort_name = n.name FROM unnest(%s::bigint[], %s::text[]) n (id, name)"
            " WHERE e.organisation_id = %s AND e.id = n.id",
            [[pk for pk, _ in names], [fold(name)[:310] for _, name in names], organisation.pk],
        )

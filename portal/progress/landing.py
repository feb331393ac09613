"""Where facts come down before they are kept: a temporary relation, matched and carried over by set-based SQL.

COPY cannot go into a table under row-level security; it goes here, and the relation ends with the transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from portal.core.plans import whole_sets
from portal.core.tenancy import cursor_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from portal.progress.facts import Fact

_FIELDS = (
    "event_id",
    "digest",
    "programme_id",
    "kind",
    "occurred_at",
    "learner",
    "employee_number",
    "email",
    "progress",
    "certificate_url",
)


def create_landing() -> None:
    """Make `event_landing`, empty."""
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS event_landing (ref bigint NOT NULL, event_id text NOT NULL, digest bytea,"
        " programme_id bigint, kind text, occurred_at timestamptz, learner uuid, employee_number text NOT NULL,"
        " email text NOT NULL, progress smallint, certificate_url text, employee_id bigint)"
        " ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE event_landing")


def fill_landing(facts: Iterable[tuple[int, Fact, int]]) -> None:
    """Send (ref, fact, programme id) down. COPY is the driver's own: the wrapper makes its errors Django's."""
    copy_sql = f"COPY event_landing (ref, {', '.join(_FIELDS)}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(copy_sql) as copy:
        for ref, fact, programme_id in facts:
            copy.write_row(
                (
                    ref,
                    fact.event_id,
                    fact.digest,
                    programme_id,
                    fact.kind,
                    fact.occurred_at,
                    fact.learner,
                    fact.employee_number,
                    fact.email,
                    fact.progress,
                    fact.certificate_url,
                )
            )


def land_unmatched(organisation_id: int) -> None:
    """Take the kept events that are nobody's yet down again."""
    names = ", ".join(_FIELDS)
    cursor_rows(
        f"INSERT INTO event_landing (ref, {names}) SELECT id, {names} FROM progress_completionevent"  # noqa: S608
        " WHERE organisation_id = %s AND employee_id IS NULL",
        [organisation_id],
    )


def match_landing(organisation_id: int) -> None:
    """Find the employee that each fact is about: by learner reference, else by number, else by e-mail.

    Nothing is guessed: an e-mail counts only when exactly one employee carries it, and not when the event and that
    employee have different numbers.
    """
    ((rows,),) = cursor_rows("SELECT count(*) FROM event_landing")
    with whole_sets(rows):
        _match_learners(organisation_id)
        cursor_rows(
            "UPDATE event_landing l SET employee_id = e.id FROM people_employee e"
            " WHERE e.organisation_id = %s AND l.employee_id IS NULL AND l.employee_number <> ''"
            " AND e.employee_number <> '' AND e.employee_number = l.employee_number",
            [organisation_id],
        )
        _match_emails(organisation_id)


def keep_landing(organisation_id: int) -> list[tuple[int, str, bool]]:
    """Keep what is new and return of each its id, its event_id, and whether its person was found.

    Of two events with one event_id the first is kept.
    """
    names = ", ".join((*_FIELDS, "employee_id"))
    made = cursor_rows(
        f"INSERT INTO progress_completionevent (organisation_id, {names}, received_at)"  # noqa: S608  Constants.
        f" SELECT %s, {names}, statement_timestamp() FROM event_landing ORDER BY event_id, ref"
        " ON CONFLICT (organisation_id, event_id) DO NOTHING RETURNING id, event_id, employee_id IS NOT NULL",
        [organisation_id],
    )
    return [(kept_id, event_id, matched) for kept_id, event_id, matched in made]


def digests_kept(organisation_id: int, event_ids: list[str]) -> dict[str, bytes]:
    """Return the digests of the events kept under these ids."""
    kept = cursor_rows(
        "SELECT event_id, digest FROM progress_completionevent WHERE organisation_id = %s AND event_id = ANY (%s)",
        [organisation_id, event_ids],
    )
    return {event_id: bytes(digest) for event_id, digest in kept}


def adopt_landing(organisation_id: int) -> int:
    """Write on the kept events whom they were found to be about, and return how many were."""
    ((found,),) = cursor_rows("SELECT count(*) FROM event_landing WHERE employee_id IS NOT NULL")
    if found:
        with whole_sets(found):
            cursor_rows(
                "UPDATE progress_completionevent c SET employee_id = l.employee_id FROM event_landing l"
                " WHERE c.organisation_id = %s AND c.id = l.ref AND l.employee_id IS NOT NULL",
                [organisation_id],
            )
    return int(found)


def release_events(organisation_id: int, employee_ids: list[int]) -> None:
    """Take from these people the facts that came under a reference which does not lead to them any more."""
    cursor_rows(
        """
        WITH RECURSIVE own AS (
            SELECT e.id AS employee_id, r.id, r.reference FROM people_employee e
            JOIN people_learnerreference r ON r.id = e.learner_id
            WHERE e.organisation_id = %(organisation)s AND e.id = ANY (%(employees)s)
            UNION
            SELECT own.employee_id, r.id, r.reference FROM own
            JOIN people_learnerreference r ON r.merged_into_id = own.id
        )
        UPDATE progress_completionevent c SET employee_id = NULL
        WHERE c.organisation_id = %(organisation)s AND c.employee_id = ANY (%(employees)s) AND c.learner IS NOT NULL
          AND NOT EXISTS (SELECT FROM own WHERE own.employee_id = c.employee_id AND own.reference = c.learner)
        """,
        {"organisation": organisation_id, "employees": employee_ids},
    )


def _match_learners(organisation_id: int) -> None:
    """A reference may have been merged into another since the platform learned it: follow it to the one that stays."""
    cursor_rows(
        """
        WITH RECURSIVE given AS (
            SELECT DISTINCT learner FROM event_landing WHERE learner IS NOT NULL
        ), way AS (
            SELECT given.learner, r.id, r.merged_into_id FROM given
            JOIN people_learnerreference r ON r.reference = given.learner
            UNION
            SELECT way.learner, r.id, r.merged_into_id FROM way
            JOIN people_learnerreference r ON r.id = way.merged_into_id
        ), alone AS (
            SELECT way.learner, min(e.id) AS id FROM way
            JOIN people_employee e ON e.learner_id = way.id AND e.organisation_id = %s
            GROUP BY way.learner HAVING count(*) = 1
        )
        UPDATE event_landing l SET employee_id = alone.id FROM alone WHERE l.learner = alone.learner
        """,
        [organisation_id],
    )


def _match_emails(organisation_id: int) -> None:
    cursor_rows(
        "UPDATE event_landing l SET employee_id = alone.id FROM ("
        "  SELECT e.email, min(e.id) AS id, min(e.employee_number) AS employee_number FROM people_employee e"
        "  WHERE e.organisation_id = %s AND e.email <> '' AND e.email = ANY (ARRAY("
        "    SELECT email FROM event_landing WHERE employee_id IS NULL AND email <> ''))"
        "  GROUP BY e.email HAVING count(*) = 1"
        " ) alone WHERE l.employee_id IS NULL AND l.email = alone.email"
        " AND (l.employee_number = '' OR alone.employee_number = '')",
        [organisation_id],
    )

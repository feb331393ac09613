"""Where facts come down before they are kept: a temporary relation, matched and carried over by set-based SQL.

COPY cannot go into a table under row-level security; it goes here, and the relation ends with the transaction.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

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
    "account",
)
_COPIED = (
    *("ref", "programme_id", "kind", "occurred_at", "learner", "progress", "digest"),
    *("event_id", "employee_number", "email", "certificate_url", "account"),
)
_BLOCK = 1_000

SAYS = (
    "encode(sha256(convert_to(concat_ws(E'\\x1f', coalesce({0}.learner::text, ''), {0}.employee_number, {0}.email,"
    " {0}.account), 'UTF8')), 'hex')"
)
"""What a fact says of its person, as one key: facts that say the same are about the same person."""


class Kept(NamedTuple):
    """What was kept: the first id, how many, and how many of them whose person was found."""

    first: int | None
    made: int
    matched: int


class Told(NamedTuple):
    """A fact that was kept without its person, or that contradicts one that was kept before."""

    row: int
    event_id: str
    contradicts: bool


def create_landing() -> None:
    """Make `event_landing`, empty."""
    cursor_rows(
        "CREATE TEMP TABLE IF NOT EXISTS event_landing (ref bigint NOT NULL, event_id text NOT NULL, digest bytea,"
        " programme_id bigint, kind text, occurred_at timestamptz, learner uuid, employee_number text NOT NULL,"
        " email text NOT NULL, progress smallint, certificate_url text, account text NOT NULL, employee_id bigint)"
        " ON COMMIT DROP"
    )
    cursor_rows("TRUNCATE event_landing")


def fill_landing(facts: Iterable[tuple[int, Fact, int]]) -> None:
    """Send (ref, fact, programme id) down. COPY is the driver's own: the wrapper makes its errors Django's.

    The lines are written here, since the driver takes three times as long to find out what each value is.
    """
    copy_sql = f"COPY event_landing ({', '.join(_COPIED)}) FROM STDIN"
    lines = map(_line, facts)
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(copy_sql) as copy:
        while block := "".join(islice(lines, _BLOCK)):
            copy.write(block)


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
    employee have different numbers. What HR said at the desk about facts that say the same comes last.
    """
    ((rows, learners, emails),) = cursor_rows(
        "SELECT count(*), count(learner), count(*) FILTER (WHERE email <> '') FROM event_landing"
    )
    with whole_sets(rows):
        if learners:
            _match_learners(organisation_id)
        cursor_rows(
            "UPDATE event_landing l SET employee_id = e.id FROM people_employee e"
            " WHERE e.organisation_id = %s AND l.employee_id IS NULL AND l.employee_number <> ''"
            " AND e.employee_number <> '' AND e.employee_number = l.employee_number",
            [organisation_id],
        )
        if emails:
            _match_emails(organisation_id)
        _match_known(organisation_id)


def keep_landing(organisation_id: int, *, source: str) -> Kept:
    """Keep what is new. Of two events with one event_id the first is kept."""
    names = ", ".join((*_FIELDS, "employee_id"))
    ((first, made, matched),) = cursor_rows(
        f"WITH made AS (INSERT INTO progress_completionevent (organisation_id, source, {names}, received_at)"  # noqa: S608
        f" SELECT %s, %s, {names}, statement_timestamp() FROM event_landing ORDER BY event_id, ref"
        " ON CONFLICT (organisation_id, event_id) DO NOTHING RETURNING id, employee_id)"
        " SELECT min(id), count(*), count(employee_id) FROM made",
        [organisation_id, source],
    )
    return Kept(first, made, matched)


def tell_landing(organisation_id: int, kept: Kept) -> tuple[int, list[Told]]:
    """Return how many facts repeat one that was kept, and those that need a word, by their row.

    The digests are compared where they lie. What was kept just now has an id from the first on: organisations take
    turns, so nobody else's lies between.
    """
    rows = cursor_rows(
        """
        WITH told AS (
            SELECT l.ref, l.event_id, l.digest = c.digest AS same, l.employee_id IS NOT NULL AS matched,
                   c.id >= %(first)s AND row_number() OVER (PARTITION BY l.event_id ORDER BY l.ref) = 1 AS fresh
            FROM event_landing l JOIN (
                SELECT id, event_id, digest FROM progress_completionevent
                WHERE organisation_id = %(organisation)s
                  AND event_id = ANY (ARRAY(SELECT event_id FROM event_landing))
            ) c USING (event_id)
        )
        SELECT NULL, NULL, NULL, count(*) FROM told WHERE same AND NOT fresh
        UNION ALL
        SELECT ref, event_id, NOT same, 1 FROM told WHERE CASE WHEN fresh THEN NOT matched ELSE NOT same END
        """,
        {"organisation": organisation_id, "first": kept.first if kept.first is not None else 2**62},
    )
    duplicates = sum(count for row, _event_id, _contradicts, count in rows if row is None)
    return duplicates, [Told(row, event_id, wrong) for row, event_id, wrong, _count in rows if row is not None]


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


def _line(item: tuple[int, Fact, int]) -> str:
    """Write one fact as COPY reads it. Control signs were refused before: only the backslash has a meaning left."""
    ref, fact, programme_id = item
    learner = fact.learner or "\\N"
    progress = "\\N" if fact.progress is None else fact.progress
    texts = f"{fact.event_id}\t{fact.employee_number}\t{fact.email}\t{fact.certificate_url}\t{fact.account}"
    if "\\" in texts:
        texts = texts.replace("\\", "\\\\")
    facts = f"{ref}\t{programme_id}\t{fact.kind}\t{fact.occurred_at}\t{learner}\t{progress}"
    return f"{facts}\t\\\\x{fact.digest.hex()}\t{texts}\n"


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


def _match_known(organisation_id: int) -> None:
    """Believe what HR said: whom facts are about that say this of their person."""
    said = SAYS.format("l")
    cursor_rows(
        f"UPDATE event_landing l SET employee_id = d.employee_id FROM progress_deskitem d"  # noqa: S608  Constants.
        f" WHERE d.organisation_id = %s AND d.kind = 'person' AND d.employee_id IS NOT NULL"
        f" AND l.employee_id IS NULL AND d.key = {said}",
        [organisation_id],
    )

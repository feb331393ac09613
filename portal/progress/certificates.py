"""Certificates: issued from the facts, one to a person in a programme, and whatever becomes of the job still theirs.

A certificate follows the projection: it is there as long as the facts certify the person, is revoked when they no
longer do, and is the same one, with the same code, when they do again.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from portal.audit.actions import Action
from portal.audit.services import Fact, record_events
from portal.core.tenancy import cursor_rows, organisation_scope
from portal.organisations.models import Door, DoorKind, Organisation
from portal.organisations.selectors import door_digest
from portal.organisations.services import open_doors
from portal.progress.models import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from portal.core.actor import Actor
    from portal.people.models import LearnerReference

SIGNS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Thirty-two signs that nobody takes for one another on paper: neither 0 nor O, neither 1 nor I."""

LENGTH: Final = 20
"""A hundred bits by chance: a code cannot be guessed, nor those of others found from one's own."""

_NOBODY: Final = -1


def new_code() -> str:
    return "".join(SIGNS[byte & 31] for byte in secrets.token_bytes(LENGTH))


def code_read(given: str) -> str:
    """Return a code as it is kept, from what somebody typed off paper; empty when it can be none."""
    code = "".join(given.upper().split()).replace("-", "")
    return code if len(code) == LENGTH and set(code) <= set(SIGNS) else ""


def code_shown(code: str) -> str:
    """Write a code in groups of five, as people read it."""
    return " ".join(code[start : start + 5] for start in range(0, len(code), 5))


def issue_certificates(*, actor: Actor, organisation: Organisation) -> None:
    """Bring the certificates of `fact_people` in line with their `fact_steps` (`projection`); call it after those.

    The holder's name is the one at the time of issue, and none where the organisation sends no names.
    """
    if not _concerned(organisation.pk):
        return
    revoked = _revoke(organisation.pk)
    restored = _restore(organisation.pk)
    _follow(organisation.pk)
    issued = _issue(organisation)
    facts = []
    if issued or restored:
        facts.append(Fact(Action.CERTIFICATES_ISSUED, data={"issued": issued, "restored": restored}))
    if revoked:
        facts.append(Fact(Action.CERTIFICATES_REVOKED, data={"revoked": revoked}))
    if facts:
        record_events(actor=actor, organisation_id=organisation.pk, facts=facts)


def _concerned(organisation_id: int) -> bool:
    """Say whether somebody is certified or was: most facts are progress, and touch no certificate."""
    ((concerned,),) = cursor_rows(
        """
        SELECT EXISTS (SELECT FROM fact_steps WHERE certified_at IS NOT NULL)
            OR EXISTS (SELECT FROM fact_people p WHERE NOT EXISTS (
                SELECT FROM fact_steps s WHERE s.employee_id = p.employee_id AND s.first_fact_at IS NOT NULL))
            OR EXISTS (SELECT FROM fact_people JOIN progress_completionevent f USING (employee_id)
                       WHERE f.organisation_id = %s AND f.kind = 'revoked')
        """,
        [organisation_id],
    )
    return bool(concerned)


def _revoke(organisation_id: int) -> int:
    revoked = cursor_rows(
        """
        UPDATE progress_certificate c
        SET revoked_at = coalesce((
            SELECT max(f.occurred_at) FROM progress_completionevent f
            WHERE f.organisation_id = c.organisation_id AND f.employee_id = c.employee_id
              AND f.programme_id = c.programme_id AND f.kind = 'revoked'), statement_timestamp())
        FROM fact_people p
        WHERE c.organisation_id = %s AND c.employee_id = p.employee_id AND c.revoked_at IS NULL
          AND NOT EXISTS (SELECT FROM fact_steps s WHERE s.employee_id = c.employee_id
                          AND s.programme_id = c.programme_id AND s.certified_at IS NOT NULL)
        RETURNING c.id
        """,
        [organisation_id],
    )
    return len(revoked)


def _restore(organisation_id: int) -> int:
    restored = cursor_rows(
        """
        UPDATE progress_certificate c SET revoked_at = NULL FROM fact_steps s
        WHERE c.organisation_id = %s AND c.employee_id = s.employee_id AND c.programme_id = s.programme_id
          AND s.certified_at IS NOT NULL AND c.revoked_at IS NOT NULL
        RETURNING c.id
        """,
        [organisation_id],
    )
    return len(restored)


def _follow(organisation_id: int) -> None:
    """Take over another date, and the reference under which the person is known since a link or a parting."""
    cursor_rows(
        """
        UPDATE progress_certificate c
        SET certified_at = s.certified_at,
            learner_id = CASE WHEN taken.id IS NULL THEN e.learner_id ELSE c.learner_id END
        FROM fact_steps s
        JOIN people_employee e ON e.id = s.employee_id
        LEFT JOIN progress_certificate taken
          ON taken.organisation_id = e.organisation_id AND taken.learner_id = e.learner_id
         AND taken.programme_id = s.programme_id
        WHERE c.organisation_id = %(organisation)s AND e.organisation_id = %(organisation)s
          AND c.employee_id = s.employee_id AND c.programme_id = s.programme_id AND s.certified_at IS NOT NULL
          AND e.learner_id IS NOT NULL
          AND (c.certified_at <> s.certified_at OR (c.learner_id <> e.learner_id AND taken.id IS NULL))
        """,
        {"organisation": organisation_id},
    )


def _issue(organisation: Organisation) -> int:
    """Issue what is missing. Where the person has one by another record here, that one becomes this record's."""
    missing = cursor_rows(
        """
        SELECT DISTINCT ON (e.learner_id, s.programme_id) s.employee_id, s.programme_id
        FROM fact_steps s JOIN people_employee e ON e.id = s.employee_id AND e.organisation_id = %(organisation)s
        WHERE s.certified_at IS NOT NULL AND e.learner_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM progress_certificate c WHERE c.organisation_id = %(organisation)s
                          AND c.employee_id = s.employee_id AND c.programme_id = s.programme_id)
        ORDER BY e.learner_id, s.programme_id, s.certified_at
        """,
        {"organisation": organisation.pk},
    )
    if not missing:
        return 0
    codes = [new_code() for _each in missing]
    rows = cursor_rows(
        """
        INSERT INTO progress_certificate
            (organisation_id, code, learner_id, programme_id, employee_id, holder, certified_at, created_at)
        SELECT e.organisation_id, given.code, e.learner_id, s.programme_id, e.id,
               CASE WHEN %(names)s THEN trim(e.first_name || ' ' || e.last_name) ELSE '' END,
               s.certified_at, statement_timestamp()
        FROM unnest(%(employees)s::bigint[], %(programmes)s::bigint[], %(codes)s::text[])
             AS given (employee_id, programme_id, code)
        JOIN fact_steps s ON s.employee_id = given.employee_id AND s.programme_id = given.programme_id
        JOIN people_employee e ON e.id = s.employee_id AND e.organisation_id = %(organisation)s
        ON CONFLICT (organisation_id, learner_id, programme_id) DO UPDATE
            SET employee_id = excluded.employee_id, certified_at = excluded.certified_at, revoked_at = NULL,
                holder = CASE WHEN excluded.holder = '' THEN progress_certificate.holder ELSE excluded.holder END
        RETURNING code
        """,
        {
            "organisation": organisation.pk,
            "names": organisation.names_required,
            "employees": [employee_id for employee_id, _programme in missing],
            "programmes": [programme_id for _employee, programme_id in missing],
            "codes": codes,
        },
    )
    new = {code for (code,) in rows} & set(codes)
    open_doors(kind=DoorKind.CERTIFICATE, keys=sorted(new), organisation_id=organisation.pk)
    return len(rows)


def certificate_behind(code: str) -> Certificate | None:
    """Return the certificate of a code, whoever asks; what nobody has takes the same steps.

    One that was issued stays: also when the organisation has left.
    """
    doors = Door.objects.filter(kind=DoorKind.CERTIFICATE, digest=door_digest(code))
    organisation_id = doors.values_list("organisation_id", flat=True).first() or _NOBODY
    with organisation_scope(organisation_id):
        return _certificates(organisation_id).filter(code=code).first()


def certificates_of(organisation_id: int, learner: LearnerReference) -> list[Certificate]:
    """Return a person's certificates here, the newest first, inside the scope; three queries whatever their number.

    What was issued under a reference that was merged into theirs since is theirs.
    """
    references = cursor_rows(
        """
        WITH RECURSIVE own AS (
            SELECT %s::bigint AS id
            UNION
            SELECT r.id FROM own JOIN people_learnerreference r ON r.merged_into_id = own.id
        )
        SELECT id FROM own
        """,
        [learner.pk],
    )
    mine = _certificates(organisation_id).filter(learner_id__in=[reference for (reference,) in references])
    return list(mine.order_by("-certified_at", "-pk"))


def valid_certificates_everywhere(learners: Iterable[LearnerReference]) -> list[Certificate]:
    """Return what these persons hold, in whatever organisation, each read in its own scope."""
    by_digest = {door_digest(str(learner.reference)): learner for learner in learners}
    doors = Door.objects.filter(kind=DoorKind.LEARNER, digest__in=list(by_digest)).order_by("organisation_id", "pk")
    found: list[Certificate] = []
    for digest, organisation_id in doors.values_list("digest", "organisation_id"):
        with organisation_scope(organisation_id):
            held = certificates_of(organisation_id, by_digest[bytes(digest)])
        found += [each for each in held if each.revoked_at is None]
    return found


def _certificates(organisation_id: int) -> QuerySet[Certificate]:
    return Certificate.objects.filter(organisation_id=organisation_id).select_related("programme")

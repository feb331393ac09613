"""Who an identity is: one read of everything that a sign-in needs to know of a person, and a new identity.

A sign-in asks for the identity, its login, its employee and its role in one statement; nothing of it is written here
but the identity itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal.core.tenancy import cursor_rows
from portal.people.models import LearnerReference, User

if TYPE_CHECKING:
    import datetime as dt

    from sso.models import Connection

_USER_COLUMNS = tuple(field.attname for field in User._meta.concrete_fields)  # noqa: SLF001  Django's documented API.


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """An identity with what hangs on it. `role` is that in this organisation; "" is a learner.

    `door` says whether their learner's reference leads to this organisation already.
    """

    identity_id: int
    user: User
    suspended: bool = False
    affiliation_id: int | None = None
    employee_id: int | None = None
    employee_number: str = ""
    employee_email: str = ""
    employee_active: bool = True
    role: str = ""
    door: bool = True


def known_person(connection: Connection, subject: str) -> KnownPerson | None:
    """Return the person whom this identity stands for, if it has been here before."""
    rows = cursor_rows(_KNOWN, [connection.organisation_id, connection.pk, subject])
    if not rows:
        return None
    (row,) = rows
    user = User.from_db("default", _USER_COLUMNS, row[: len(_USER_COLUMNS)])
    known: tuple[Any, ...] = row[len(_USER_COLUMNS) :]
    identity_id, suspended, reference, affiliation_id, employee_id, number, email, active, role, door = known
    if user.learner_id is not None:
        user.learner = LearnerReference(pk=user.learner_id, reference=reference)
    return KnownPerson(
        identity_id=identity_id,
        user=user,
        suspended=suspended,
        affiliation_id=affiliation_id,
        employee_id=employee_id,
        employee_number=number or "",
        employee_email=email or "",
        employee_active=employee_id is None or bool(active),
        role=role or "",
        door=door,
    )


_KNOWN = f"""
    SELECT {", ".join(f"u.{column}" for column in _USER_COLUMNS)},
           i.id, i.suspended_at IS NOT NULL, l.reference, a.id, a.employee_id,
           e.employee_number, e.email, e.active, m.role,
           EXISTS (SELECT FROM organisations_door d WHERE d.kind = 'learner' AND d.organisation_id = i.organisation_id
                   AND d.digest = sha256(convert_to(l.reference::text, 'UTF8')))
    FROM sso_identity i
    JOIN people_user u ON u.id = i.user_id
    LEFT JOIN people_learnerreference l ON l.id = u.learner_id
    LEFT JOIN people_affiliation a ON a.organisation_id = i.organisation_id AND a.user_id = u.id
    LEFT JOIN people_employee e ON e.organisation_id = i.organisation_id AND e.id = a.employee_id
    LEFT JOIN people_membership m ON m.organisation_id = i.organisation_id AND m.user_id = u.id
    WHERE i.organisation_id = %s AND i.connection_id = %s AND i.subject = %s
"""  # noqa: S608  The columns are the model's own.


def claim_identity(
    connection: Connection, subject: str, *, email: str, number: str, now: dt.datetime
) -> tuple[int, int] | None:
    """Return the id of a new identity and the one set aside for its login, or None if another tab was first.

    The login follows in the same transaction: its foreign key is checked at the end of it.
    """
    rows = cursor_rows(
        "INSERT INTO sso_identity"
        " (organisation_id, connection_id, subject, user_id, email, employee_number, created_at, last_seen_at)"
        " VALUES (%s, %s, %s, nextval(pg_get_serial_sequence('people_user', 'id')), %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id, user_id",
        [connection.organisation_id, connection.pk, subject, email, number, now, now],
    )
    return rows[0] if rows else None


def pass_on_identity(connection: Connection, identity_id: int) -> int:
    """Let a suspended identity stand for a new login from now on, and return the id set aside for it."""
    ((user_id,),) = cursor_rows(
        "UPDATE sso_identity SET user_id = nextval(pg_get_serial_sequence('people_user', 'id')), suspended_at = NULL"
        " WHERE organisation_id = %s AND id = %s RETURNING user_id",
        [connection.organisation_id, identity_id],
    )
    return int(user_id)

"""What is settled at the reconciliation desk: whose facts these are, what is left aside. All of it can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.audit.actions import Action
from portal.audit.services import record_event
from portal.core.errors import Refusal
from portal.core.tenancy import cursor_rows
from portal.people.models import Employee
from portal.progress import projection
from portal.progress.clashes import count_desk, note_clashes
from portal.progress.landing import SAYS
from portal.progress.models import DeskItem
from portal.progress.turns import take_turn

if TYPE_CHECKING:
    from portal.core.actor import Actor
    from portal.organisations.models import Organisation

MATCHED = "matched"
LEFT_ASIDE = "left-aside"

_SAID = SAYS.format("c")


@transaction.atomic
def match_facts(*, actor: Actor, organisation: Organisation, key: str, employee_id: int) -> int:
    """Say whom all facts are about that say the same of their person, now and later; return how many there are now.

    Raises:
        Refusal: `nothing_waits`, `unknown_person`.
    """
    take_turn(organisation.pk)
    employee = Employee.objects.filter(organisation_id=organisation.pk, pk=employee_id).first()
    if employee is None:
        raise Refusal("unknown_person", _("Nobody on the roster is that person."))
    moved = cursor_rows(
        f"UPDATE progress_completionevent c SET employee_id = %s"  # noqa: S608  Constants.
        f" WHERE c.organisation_id = %s AND c.employee_id IS NULL AND {_SAID} = %s"
        " RETURNING learner::text, employee_number, email, account",
        [employee.pk, organisation.pk, key],
    )
    if not moved:
        raise Refusal(
            "nothing_waits", _("These facts do not wait any more: somebody else, or the roster, settled them.")
        )
    said = dict(zip(("learner", "employee_number", "email", "account"), moved[0], strict=True))
    item = _settle_person(actor, organisation, key, said, employee)
    _carry(actor, organisation, employee.pk)
    _record(actor, organisation, Action.FACTS_MATCHED, item, facts=len(moved))
    return len(moved)


@transaction.atomic
def leave_facts(*, actor: Actor, organisation: Organisation, key: str) -> None:
    """Leave facts aside that match nobody; they stay recorded and are found when the roster changes.

    Raises:
        Refusal: `nothing_waits`.
    """
    take_turn(organisation.pk)
    found = cursor_rows(
        f"SELECT learner::text, employee_number, email, account FROM progress_completionevent c"  # noqa: S608
        f" WHERE c.organisation_id = %s AND c.employee_id IS NULL AND {_SAID} = %s LIMIT 1",
        [organisation.pk, key],
    )
    if not found:
        raise Refusal(
            "nothing_waits", _("These facts do not wait any more: somebody else, or the roster, settled them.")
        )
    said = dict(zip(("learner", "employee_number", "email", "account"), found[0], strict=True))
    item = _settle_person(actor, organisation, key, said)
    count_desk(organisation.pk)
    _record(actor, organisation, Action.DESK_SETTLED, item)


@transaction.atomic
def settle_item(*, actor: Actor, organisation: Organisation, item_id: int) -> None:
    """Take an item off the desk: it was looked at.

    Raises:
        Refusal: `nothing_waits`.
    """
    open_items = DeskItem.objects.filter(organisation_id=organisation.pk, pk=item_id, settled_at__isnull=True)
    if open_items.update(settled_at=timezone.now(), settled_by=actor.name[:200], answer=LEFT_ASIDE) != 1:
        raise Refusal("nothing_waits", _("This does not wait any more: somebody else settled it."))
    count_desk(organisation.pk)
    _record(actor, organisation, Action.DESK_SETTLED, DeskItem.objects.get(organisation_id=organisation.pk, pk=item_id))


@transaction.atomic
def reopen_item(*, actor: Actor, organisation: Organisation, item_id: int) -> None:
    """Take back what was settled: facts become nobody's again, and what was left aside waits anew.

    Raises:
        Refusal: `nothing_settled`.
    """
    take_turn(organisation.pk)
    item = DeskItem.objects.filter(organisation_id=organisation.pk, pk=item_id, settled_at__isnull=False).first()
    if item is None:
        raise Refusal("nothing_settled", _("There is nothing to take back: it was taken back already."))
    employee_id = item.employee_id
    if item.kind == DeskItem.Kind.PERSON:
        item.delete()
    else:
        DeskItem.objects.filter(organisation_id=organisation.pk, pk=item.pk).update(
            settled_at=None, settled_by="", answer=""
        )
    if item.kind == DeskItem.Kind.PERSON and employee_id:
        cursor_rows(
            f"UPDATE progress_completionevent c SET employee_id = NULL"  # noqa: S608  Constants.
            f" WHERE c.organisation_id = %s AND c.employee_id = %s AND {_SAID} = %s",
            [organisation.pk, employee_id, item.key],
        )
        _carry(actor, organisation, employee_id)
    count_desk(organisation.pk)
    item.pk = item_id
    _record(actor, organisation, Action.DESK_REOPENED, item)


def _settle_person(
    actor: Actor, organisation: Organisation, key: str, said: dict[str, str], employee: Employee | None = None
) -> DeskItem:
    item, _created = DeskItem.objects.update_or_create(
        organisation_id=organisation.pk,
        kind=DeskItem.Kind.PERSON,
        key=key,
        defaults={
            "employee": employee,
            "payload": {name: value for name, value in said.items() if value},
            "settled_at": timezone.now(),
            "settled_by": actor.name[:200],
            "answer": MATCHED if employee else LEFT_ASIDE,
        },
    )
    return item


def _carry(actor: Actor, organisation: Organisation, employee_id: int) -> None:
    projection.create_people()
    cursor_rows("INSERT INTO fact_people VALUES (%s)", [employee_id])
    projection.project_people(actor=actor, organisation=organisation)
    note_clashes(organisation_id=organisation.pk, zone=organisation.time_zone)
    count_desk(organisation.pk)


def _record(actor: Actor, organisation: Organisation, action: Action, item: DeskItem, **data: int) -> None:
    record_event(
        actor=actor,
        organisation_id=organisation.pk,
        action=action,
        subject=str(item.pk),
        data={"kind": item.kind, "employee": item.employee_id, **data},
    )

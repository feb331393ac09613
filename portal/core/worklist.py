"""Work that must happen, as rows: noted by the app that changed something, settled by the app above that reacts.

A topic is named by the app that notes it (`portal.people.services.ROSTER_CHANGED`, ...).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.models import PendingWork
from portal.core.tenancy import cursor_rows, platform_scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def note_work(*, organisation_id: int, topic: str, subject_ids: Iterable[int] = (0,)) -> None:
    cursor_rows(
        "INSERT INTO core_pendingwork (organisation_id, topic, subject_id, created_at)"
        " SELECT %s, %s, subject_id, statement_timestamp() FROM unnest(%s::bigint[]) AS subject_id",
        [organisation_id, topic, list(subject_ids)],
    )


def pending_work(*, organisation_id: int) -> list[PendingWork]:
    return list(PendingWork.objects.filter(organisation_id=organisation_id).order_by("id"))


def settle_work(work: Iterable[PendingWork]) -> None:
    PendingWork.objects.filter(id__in=[item.pk for item in work]).delete()


def organisations_with_pending_work() -> list[int]:
    with platform_scope():
        rows = PendingWork.objects.order_by("organisation_id").values_list("organisation_id", flat=True)
        return list(rows.distinct())

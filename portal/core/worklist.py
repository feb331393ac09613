"""Work that must happen, as rows: noted by the app that changed something, settled by the app above that reacts.

A topic is named by the app that notes it (`portal.people.services.ROSTER_CHANGED`, ...).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.models import PendingWork
from portal.core.tenancy import platform_scope

if TYPE_CHECKING:
    from collections.abc import Iterable


def note_work(*, organisation_id: int, topic: str, subject_ids: Iterable[int] = (0,)) -> None:
    PendingWork.objects.bulk_create(
        PendingWork(organisation_id=organisation_id, topic=topic, subject_id=subject_id) for subject_id in subject_ids
    )


def pending_work(*, organisation_id: int) -> list[PendingWork]:
    return list(PendingWork.objects.filter(organisation_id=organisation_id).order_by("id"))


def settle_work(work: Iterable[PendingWork]) -> None:
    PendingWork.objects.filter(id__in=[item.pk for item in work]).delete()


def organisations_with_pending_work() -> list[int]:
    with platform_scope():
        rows = PendingWork.objects.order_by("organisation_id").values_list("organisation_id", flat=True)
        return list(rows.distinct())

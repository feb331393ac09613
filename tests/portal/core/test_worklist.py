from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.core.tenancy import organisation_scope
from portal.core.worklist import note_work, organisations_with_pending_work, pending_work, settle_work

if TYPE_CHECKING:
    from portal.organisations.models import Organisation

pytestmark = pytest.mark.django_db


def test_what_was_read_is_settled_and_what_came_later_stays(laposte: Organisation, airbus: Organisation) -> None:
    with organisation_scope(laposte.pk):
        note_work(organisation_id=laposte.pk, topic="cohort", subject_ids=[3, 5])
        read = pending_work(organisation_id=laposte.pk)
        note_work(organisation_id=laposte.pk, topic="roster")
        settle_work(read)
        assert [(work.topic, work.subject_id) for work in pending_work(organisation_id=laposte.pk)] == [("roster", 0)]
    assert organisations_with_pending_work() == [laposte.pk]

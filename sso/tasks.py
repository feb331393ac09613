"""What the workers do for company sign-in: forget."""

from __future__ import annotations

from celery import shared_task

from portal.core.tenancy import organisation_scope
from sso.retention import forget_sign_ins as forget
from sso.selectors import organisations_with_connections


@shared_task
def forget_sign_ins() -> None:
    """Delete what sign-ins leave behind, one organisation at a time."""
    for organisation_id in organisations_with_connections():
        with organisation_scope(organisation_id):
            forget(organisation_id=organisation_id)

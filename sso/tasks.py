"""What the workers do for company sign-in: end what is over, and forget."""

from __future__ import annotations

from celery import shared_task

from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from sso.retention import forget_sign_ins as forget
from sso.selectors import organisations_with_connections
from sso.sign_out import end_sessions_of_leavers as end_sessions


@shared_task
def forget_sign_ins() -> None:
    """Delete what sign-ins leave behind, one organisation at a time."""
    for organisation_id in organisations_with_connections():
        with organisation_scope(organisation_id):
            forget(organisation_id=organisation_id)


@shared_task
def end_sessions_of_leavers() -> None:
    """End the sessions of people who are no longer active. They were refused before: this only removes what is left."""
    for organisation in Organisation.objects.filter(pk__in=organisations_with_connections()):
        with organisation_scope(organisation.pk):
            end_sessions(organisation=organisation)

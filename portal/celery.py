"""The workers: one application, and the one table of periodic tasks."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init, worker_ready
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "heartbeat": {"task": "portal.core.tasks.heartbeat", "schedule": 15.0},
    "resume_imports": {"task": "imports.tasks.resume_imports", "schedule": 10.0},
    "forget_old_imports": {"task": "imports.tasks.forget_old_imports", "schedule": 3600.0},
    "release_due_waves": {"task": "portal.waves.tasks.release_due", "schedule": 30.0},
    "settle_mails": {"task": "portal.waves.tasks.settle_mails", "schedule": 15.0},
    "catch_up": {"task": "portal.progress.tasks.catch_up", "schedule": 10.0},
    "deliver_mail": {"task": "portal.core.tasks.deliver_mail", "schedule": 20.0},
    "end_sessions_of_leavers": {"task": "sso.tasks.end_sessions_of_leavers", "schedule": 60.0},
    "tell_platforms": {"task": "portal.progress.tasks.tell_platforms", "schedule": 60.0},
    "take_dropped_files": {"task": "portal.progress.tasks.take_dropped_files", "schedule": 300.0},
    "check_counts": {"task": "portal.progress.tasks.check_counts", "schedule": crontab(hour=3, minute=20)},
    "forget_sign_ins": {"task": "sso.tasks.forget_sign_ins", "schedule": 3600.0},
    "refresh_metadata": {"task": "sso.tasks.refresh_metadata", "schedule": 60.0},
    "look_after_connections": {"task": "sso.tasks.look_after_connections", "schedule": 3600.0},
    "recheck_domains": {"task": "portal.people.tasks.recheck_domains", "schedule": 3600.0},
}


@worker_ready.connect
def beat_once(**_: Any) -> None:  # noqa: ANN401  Celery's signature.
    """Be ready as soon as the worker is, not at the first periodic heartbeat."""
    app.send_task("portal.core.tasks.heartbeat")


@worker_init.connect
@beat_init.connect
def refuse_as_owner(**_: Any) -> None:  # noqa: ANN401  Celery's signature.
    """Check the role before the first task: a signal of Celery's, since it has no other hook here."""
    from portal.core.checks import refuse_to_start_as_owner  # noqa: PLC0415  Needs the settings.

    try:
        refuse_to_start_as_owner()
    except ImproperlyConfigured as wrong:
        # Celery logs any other exception of a signal's receiver and goes on.
        sys.exit(str(wrong))

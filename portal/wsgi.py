"""The web process."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

# The application of Celery is named here, or a task would be sent to no broker of ours.
from portal.celery import app as celery  # noqa: E402, F401
from portal.core.checks import refuse_to_start_as_owner  # noqa: E402  Needs the settings.

refuse_to_start_as_owner()

"""The web process."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from portal.core.checks import refuse_to_start_as_owner  # noqa: E402  Needs the settings.

refuse_to_start_as_owner()

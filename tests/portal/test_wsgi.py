"""What each process needs to know before it serves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection


@pytest.mark.django_db
def test_the_web_process_sends_its_tasks_to_our_broker() -> None:
    here = connection.settings_dict
    url = f"postgresql://{here['USER']}@{str(here['HOST']).replace('/', '%2F')}/{here['NAME']}"
    program = "import portal.wsgi, imports.tasks; print(imports.tasks.prepare.app.conf.broker_url)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "DATABASE_URL": url, "DATABASE_OWNER_URL": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("redis+socket://")

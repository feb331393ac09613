#!/usr/bin/env python
"""The portal's commands."""

from __future__ import annotations

import json
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps({"error": {"code": "misconfigured", "message": str(wrong)}}) + "\n")
        sys.exit(str(wrong))


if __name__ == "__main__":
    main()

"""What mails and pages say of a certificate."""

from __future__ import annotations

from django import template

from portal.progress.certificate_document import sealed_path
from portal.progress.certificates import code_shown

register = template.Library()

register.filter("code_shown", code_shown)
register.filter("sealed_path", sealed_path)

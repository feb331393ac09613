"""What a mail opens of what waited sealed in the outbox."""

from __future__ import annotations

from django import template

from portal.people.private_address import unsealed_token

register = template.Library()

register.filter("unsealed", unsealed_token)

"""Set-up links as a page lists them: for whom, by whom, in what state; never the link itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.core.actor import OPERATOR
from portal.organisations.selectors import setup_link_state, setup_links

if TYPE_CHECKING:
    from portal.organisations.models import Organisation, SetupLink


@dataclass(frozen=True, slots=True)
class LinkCard:
    link: SetupLink
    word: str
    tone: str
    by: str
    revoke_url: str


def setup_url(token: str) -> str:
    return f"{settings.BASE_URL}{reverse('setup', args=[token])}"


def link_cards(organisation: Organisation, *, revoke: str) -> list[LinkCard]:
    """`revoke` names the address at which a link that is still open is withdrawn."""
    words = {
        "unopened": (_("never opened"), "neutral"),
        "opened": (_("opened"), "info"),
        "done": (_("done"), "good"),
        "expired": (_("expired"), "warn"),
        "revoked": (_("withdrawn"), "neutral"),
    }
    cards = []
    for link in setup_links(organisation):
        state = setup_link_state(link)
        still_open = state in {"unopened", "opened"}
        url = reverse(revoke, args=[organisation.slug, link.pk]) if still_open else ""
        by = _("The operator") if link.created_by == OPERATOR.name else link.created_by
        cards.append(LinkCard(link, *words[state], by=by, revoke_url=url))
    return cards

"""Fill the portal with the demo's organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _

from portal.core.errors import Refusal
from portal.demo.seed import seed
from portal.people.commands import PortalCommand

if TYPE_CHECKING:
    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Make the demo's two organisations; what is there stays."

    def work(self, *, actor: Actor, **_options: Any) -> dict[str, Any]:  # noqa: ANN401
        del actor
        if not settings.DEMO:
            raise Refusal("not_a_demo", _("This portal is not a demo: nothing was seeded."))
        seed()
        return {"seeded": True}

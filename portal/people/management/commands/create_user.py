"""Create an account with a password."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from portal.organisations.selectors import organisation_named
from portal.people.commands import PortalCommand
from portal.people.models import Membership, StaffRole
from portal.people.services import create_user

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor


class Command(PortalCommand):
    help = "Create an account with a password, for the programme's people and for an organisation's owners and HR."

    def add_options(self, parser: ArgumentParser) -> None:
        roles = [StaffRole.ACCOUNT_MANAGER.value, *Membership.Role.values]
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=roles)
        parser.add_argument("--name", default="", help="how the audit names them; by default the address")
        parser.add_argument("--organisation", default="", metavar="SLUG")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def work(
        self,
        *,
        actor: Actor,
        email: str,
        role: str,
        name: str,
        organisation: str,
        password_stdin: bool,
        **_: Any,  # noqa: ANN401
    ) -> dict[str, Any]:
        password = sys.stdin.readline().rstrip("\r\n") if password_stdin else ""
        place = organisation_named(organisation) if organisation else None
        user = create_user(actor=actor, email=email, role=role, name=name, organisation=place, password=password)
        return {"email": user.username, "role": role, "organisation": organisation}

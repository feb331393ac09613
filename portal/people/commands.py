"""What every command shares: one JSON document with `--json`, one sentence on failure, never a traceback.

A command does its work in its own process by the same services as a page; it needs no worker.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandParser
from django.db.utils import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from portal.core.actor import OPERATOR
from portal.core.checks import role_problems
from portal.core.errors import Refusal
from portal.people.models import User
from portal.people.selectors import user_actor

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from portal.core.actor import Actor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsatisfied:
    """A result that is to be shown although what was asked did not happen: the command exits 1."""

    document: Any


class _Parser(CommandParser):
    """Answers a wrong call as the contract says: in JSON when JSON was asked for, and with exit 1."""

    def error(self, message: str) -> NoReturn:
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps({"error": {"code": "usage", "message": message}}) + "\n")
        sys.stderr.write(f"{self.format_usage()}{message}\n")
        sys.exit(1)


class PortalCommand(BaseCommand):
    """A command of the contract: a subclass writes `add_options`, `work`, and `render` for its plain text."""

    requires_system_checks: list[str] = []  # noqa: RUF012  Django's declaration.

    def add_options(self, parser: ArgumentParser) -> None:
        """Declare the command's own arguments."""

    def work(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  A JSON document, or `Unsatisfied`.
        raise NotImplementedError

    def render(self, document: Any) -> str:  # noqa: ANN401  A JSON document.
        if not isinstance(document, dict):
            return json.dumps(document, ensure_ascii=False, indent=2)
        shown = {name: value for name, value in document.items() if value not in ("", None, [], {})}
        return "\n".join(f"{name}: {value}" for name, value in shown.items())

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:  # noqa: ANN401
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = _Parser
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument("--as", dest="acting", default="", metavar="EMAIL", help="the account that acts")
        self.add_options(parser)

    def handle(self, *_args: Any, json: bool, acting: str, **options: Any) -> None:  # noqa: ANN401
        for name in (
            "verbosity",
            "settings",
            "pythonpath",
            "traceback",
            "no_color",
            "force_color",
            "skip_checks",
        ):
            options.pop(name, None)
        try:
            _refuse_wrong_role()
            result = self.work(actor=_actor_named(acting), **options)
        except Refusal as refusal:
            self._fail(refusal.code, str(refusal), json=json)
        except (OperationalError, InterfaceError, ImproperlyConfigured) as away:
            log.debug("unavailable", exc_info=away)
            self._fail("unavailable", _("The database or the broker does not answer. Nothing was done."), json=json)
        except Exception as error:
            # An error's text may quote a person's row: only its kind reaches the log.
            log.error("A command failed: %s.", type(error.__cause__ or error).__name__)  # noqa: TRY400
            log.debug("The whole of it:", exc_info=error)
            self._fail(
                "internal",
                _("Something went wrong on our side. Nothing was done; it is in the log."),
                json=json,
            )
        document = result.document if isinstance(result, Unsatisfied) else result
        self._print(document, json=json)
        if isinstance(result, Unsatisfied):
            sys.exit(1)

    def _print(self, document: Any, *, json: bool) -> None:  # noqa: ANN401  A JSON document.
        self.stdout.write(_dump(document) if json else self.render(document))

    def _fail(self, code: str, message: str, *, json: bool) -> NoReturn:
        if json:
            self.stdout.write(_dump({"error": {"code": code, "message": message}}))
        self.stderr.write(message)
        sys.exit(1)


def _dump(document: Any) -> str:  # noqa: ANN401  A JSON document.
    return json.dumps(document, ensure_ascii=False)


def _actor_named(email: str) -> Actor:
    if not email:
        return OPERATOR
    user = User.objects.filter(username=email.strip().lower(), is_active=True).first()
    if user is None or not user.has_usable_password():
        message = _("There is no account with a password named “%(email)s”.")
        raise Refusal("unknown_actor", message % {"email": email})
    return user_actor(user)


def _refuse_wrong_role() -> None:
    for problem in role_problems():
        raise Refusal("dangerous_role", problem)

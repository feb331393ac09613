"""What the three commands of imports share: the work in this process, and the import as their result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from imports.documents import import_document
from imports.models import RosterImport
from imports.runs import run_apply, run_plan
from imports.selectors import import_numbered, organisation_of_import
from imports.services import Confirmation, approve_held, confirm_import
from portal.core.errors import Refusal
from portal.core.tenancy import organisation_scope
from portal.organisations.models import Organisation
from portal.people.commands import PortalCommand, Unsatisfied

if TYPE_CHECKING:
    from portal.core.actor import Actor

State = RosterImport.State


class ImportCommand(PortalCommand):
    """A command whose result is an import; its sentences stand on the standard error as well."""

    def organisation_of(self, import_id: int) -> Organisation:
        """Find the organisation of an import of which only the number is known.

        Raises:
            Refusal: `unknown_import`.
        """
        found = organisation_of_import(import_id)
        if found is None:
            raise Refusal("unknown_import", _("There is no such import."))
        return Organisation.objects.get(pk=found)

    def apply(self, *, actor: Actor, organisation: Organisation, import_id: int, approve: bool) -> None:
        """Confirm, or approve what is held, and apply to the end. Work that was interrupted is taken up.

        Raises:
            Refusal: `plan_recomputed`, and those of the services.
        """
        with organisation_scope(organisation.pk):
            roster_import = self.found(organisation, import_id)
            began = Confirmation.STARTED
            if approve and roster_import.counts.get("held") and roster_import.state != State.APPLYING:
                began = approve_held(actor=actor, organisation=organisation, import_id=import_id)
            elif roster_import.state not in (State.HELD, State.APPLYING, State.APPLIED):
                began = confirm_import(actor=actor, organisation=organisation, import_id=import_id)
        if began is Confirmation.PLANNING:
            run_plan(actor=actor, organisation=organisation, import_id=import_id)
        with organisation_scope(organisation.pk):
            planned_anew = self.found(organisation, import_id).state not in (State.APPLYING, State.APPLIED)
        if began is Confirmation.PLANNING and planned_anew:
            message = _("The roster changed since this import was read, so its plan was made again. Look at it again.")
            raise Refusal("plan_recomputed", message)
        run_apply(actor=actor, organisation=organisation, import_id=import_id)

    def found(self, organisation: Organisation, import_id: int) -> RosterImport:
        roster_import = import_numbered(organisation, import_id)
        if roster_import is None:
            raise Refusal("unknown_import", _("There is no such import."))
        return roster_import

    def result(self, *, organisation: Organisation, import_id: int, wanted: frozenset[str]) -> Any:  # noqa: ANN401
        """The import as it stands now; satisfied when it is in one of the wanted states."""
        with organisation_scope(organisation.pk):
            roster_import = self.found(organisation, import_id)
            document = import_document(roster_import)
        if document["error"]:
            self.stderr.write(document["error"]["message"])
        return document if document["state"] in wanted else Unsatisfied(document)

    def render(self, document: Any) -> str:  # noqa: ANN401
        """The counts, what was recognised, then the issues, each on its line."""
        if not isinstance(document, dict):
            return super().render(document)
        shown = dict(document)
        shown["mapping"] = ", ".join(f"{header} → {name}" for name, header in document["mapping"].items())
        shown["dropped_columns"] = ", ".join(document["dropped_columns"])
        shown["error"] = document["error"]["message"] if document["error"] else ""
        issues = shown.pop("issues")
        lines = [f"{name}: {value}" for name, value in shown.items() if value not in ("", None, [], {})]
        lines += [f"  row {issue['row']}: {issue['severity']}: {issue['message']}" for issue in issues]
        return "\n".join(lines)

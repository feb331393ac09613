"""An import as the JSON document of the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.messages import file_message, row_message
from imports.pipeline.mapping import Mapping
from imports.selectors import issues_total, worst_issues

if TYPE_CHECKING:
    from imports.models import RosterImport

COUNTS = ("rows", "create", "update", "unchanged", "merged", "reject", "deactivate", "held")


def import_document(roster_import: RosterImport) -> dict[str, Any]:
    """Everything that the contract names, in whatever state the import is."""
    mapping = Mapping.from_json(roster_import.mapping) if roster_import.mapping else None
    return {
        "import": roster_import.pk,
        "state": roster_import.state,
        **{name: roster_import.counts.get(name, 0) for name in COUNTS},
        "issues": [
            {
                "row": issue.number,
                "column": issue.column,
                "code": issue.code,
                "severity": issue.severity,
                "message": row_message(issue.code, issue.params),
            }
            for issue in worst_issues(roster_import)
        ],
        "issues_total": issues_total(roster_import),
        "dropped_columns": list(mapping.dropped_headers) if mapping else [],
        "ignored_columns": list(mapping.ignored_headers) if mapping else [],
        "mapping": mapping.field_headers if mapping else {},
        "sheet": mapping.sheet if mapping else "",
        "header_row": mapping.header_row if mapping else 0,
        "undo": roster_import.counts.get("undo"),
        "error": _error(roster_import),
    }


def _error(roster_import: RosterImport) -> dict[str, str] | None:
    if not roster_import.error:
        return None
    message = file_message(roster_import.error, roster_import.error_params)
    return {"code": roster_import.error, "message": message}

"""django-import-export on the same workbook, as it comes and tuned, against our import of it: how many times slower.

It only writes people: it checks nothing, enrols nobody, shows no plan and cannot be undone. Ours does all of it. Both
import into an organisation that has as many people already and that the planner's figures know: it looks each person
up by a statement of its own, which in an unknown organisation walks through everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from import_export.instance_loaders import CachedInstanceLoader
from import_export.resources import ModelResource
from tablib import Dataset

from bench.measuring import Line, compare
from bench.stage import import_roster, new_organisation, people, write_workbook
from portal.core.tenancy import current_scope, cursor_rows, organisation_scope
from portal.people.models import Employee

if TYPE_CHECKING:
    from pathlib import Path

    from portal.organisations.models import Organisation

_COLUMNS = ("employee_number", "last_name", "first_name", "email", "site", "department", "hired_on", "cohort")
"""The workbook's columns, under the names of the fields; people have no cohort, so that one is left."""
_GOAL = 10


class AsItComes(ModelResource):  # type: ignore[misc]  # The library carries no types.
    class Meta:
        model = Employee
        fields = _COLUMNS[:-1]
        import_id_fields = ("employee_number",)

    def init_instance(self, row: Any = None) -> Employee:  # noqa: ANN401  The library's signature.
        del row
        return Employee(organisation_id=current_scope() or 0)

    def after_import(self, dataset: Dataset, result: object, **kwargs: object) -> None:
        """Leave the sequence alone: the application's role may not set it, and sees one organisation's ids only."""


class Tuned(AsItComes):
    """People are looked up and written by the thousand; nothing is compared for a page."""

    class Meta(AsItComes.Meta):
        instance_loader_class = CachedInstanceLoader
        use_bulk = True
        batch_size = 1_000
        skip_diff = True
        skip_unchanged = False
        report_skipped = False


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    workbook = write_workbook(directory / f"roster-{rows}.xlsx", people(rows))
    return [
        compare(
            what=f"django-import-export, {how}",
            rows=rows,
            runs=runs,
            goal=_GOAL,
            at_least=True,
            prepare=lambda: _settled_organisation(rows),
            floor=lambda organisation: import_roster(organisation, workbook),
            ours=lambda organisation, resource=resource: _imported(  # type: ignore[misc]  # A default binds the loop's value.
                organisation, workbook, resource(), rows
            ),
            note="the floor is our import of the same file",
        )
        for how, resource in (("as it comes", AsItComes), ("tuned", Tuned))
    ]


def _settled_organisation(rows: int) -> Organisation:
    organisation = new_organisation()
    with organisation_scope(organisation.pk):
        cursor_rows(
            "INSERT INTO people_employee (organisation_id, employee_number, last_name, first_name, sort_name, email,"
            " site, department, manager_email, language, active, edited, created_at, changed_at)"
            " SELECT %s, 'K' || n, 'Martin', 'Zoé', 'martin zoe', '', '', '', '', '', true, '{}', now(), now()"
            " FROM generate_series(1, %s) n",
            [organisation.pk, rows],
        )
        cursor_rows("ANALYZE people_employee")
    return organisation


def _imported(organisation: Organisation, workbook: Path, resource: AsItComes, rows: int) -> None:
    """Read and write the people.

    Raises:
        RuntimeError: not everybody came in: what was measured is not what is meant.
    """
    with organisation_scope(organisation.pk):
        with workbook.open("rb") as file:
            dataset = Dataset().load(file, format="xlsx")
        dataset.headers = _COLUMNS
        result = resource.import_data(dataset, raise_errors=True, use_transactions=True)
        if result.totals["new"] != rows or Employee.objects.count() != 2 * rows:
            raise RuntimeError(f"The import came to something else: {dict(result.totals)}.")

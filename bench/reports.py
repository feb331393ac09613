"""Reports: documents with one row per site, against the bare writers of the same rows."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rustpy_xlsxwriter import FastExcel

from bench.measuring import Line, compare
from portal.progress.selectors import Figures
from portal.reports.dataset import MEASURES, CohortReport, site_lines
from portal.reports.documents import Format, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SMALL_GROUP = 10
_HEADER = ("site", *MEASURES, "note")


def measure(*, rows: int, runs: int, directory: Path) -> list[Line]:
    del directory  # Documents are made in memory.
    by_site = {
        f"Établissement {index:07d}": Figures(90 + index % 50, 80 + index % 9, 70, 60, 50, 40 + index % 5)
        for index in range(rows)
    }
    works: tuple[tuple[Format, Callable[[dict[str, Figures]], object]], ...] = (
        (Format.XLSX, _bare_xlsx),
        (Format.CSV, _bare_csv),
    )
    return [
        compare(
            what=f"report, {wanted}",
            rows=rows,
            runs=runs,
            goal=2,
            prepare=lambda: by_site,
            floor=bare,
            ours=lambda figures, wanted=wanted: written(_report(figures), wanted),  # type: ignore[misc]  # A default binds the loop's value.
        )
        for wanted, bare in works
    ]


def _report(by_site: dict[str, Figures]) -> CohortReport:
    return CohortReport(
        organisation="bench",
        organisation_name="Bench",
        cohort_id=1,
        cohort="Vague 1",
        programme="objectif-ia",
        as_of=datetime(2026, 11, 1, 8, tzinfo=UTC),
        small_group=_SMALL_GROUP,
        totals=Figures(),
        by_site=site_lines(by_site, small_group=_SMALL_GROUP),
    )


def _rows(by_site: dict[str, Figures]) -> Iterator[tuple[str | int, ...]]:
    for site, each in by_site.items():
        yield (site, each.roster, each.enrolled, each.invited, each.started, each.completed, each.certified, "")


def _bare_xlsx(by_site: dict[str, Figures]) -> None:
    records = (dict(zip(_HEADER, row, strict=True)) for row in _rows(by_site))
    FastExcel(io.BytesIO()).sheet("Report", records).save()


def _bare_csv(by_site: dict[str, Figures]) -> None:
    writer = csv.writer(io.StringIO(newline=""))
    writer.writerow(_HEADER)
    writer.writerows(_rows(by_site))

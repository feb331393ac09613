"""The adapters that are built: a generic REST one, xAPI, and files. A further platform is a further class here."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from portal.progress.platforms.links import plain_link, statement_link
from portal.progress.platforms.protocol import Parcel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.cohorts.models import Programme
    from portal.progress.platforms.protocol import Platform, Seat


class RestPlatform:
    """Events come in over `/api/v1/completions/`; enrolments go out as lines of JSON."""

    code = "rest"

    def launch_link(self, programme: Programme, learner: str, *, language: str) -> str:
        return plain_link(programme.launch_url, learner, language=language)

    def parcel(self, seats: Sequence[Seat]) -> Parcel | None:
        lines = (
            {"learner": str(seat.learner), "programme": seat.programme, "enrolled": seat.enrolled, **seat.personal}
            for seat in seats
        )
        content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        return Parcel(content, "application/x-ndjson", hashlib.sha256(content).hexdigest())


class StatementPlatform(RestPlatform):
    """Statements come in over `/api/v1/xapi/`; xAPI has no way to tell of enrolments, so they go out as with REST."""

    code = "xapi"

    def launch_link(self, programme: Programme, learner: str, *, language: str) -> str:
        del language
        return statement_link(programme.launch_url, learner)


class FilePlatform(RestPlatform):
    """Facts come in files, every night; the platform asks for no enrolments."""

    code = "file"

    def parcel(self, seats: Sequence[Seat]) -> Parcel | None:
        del seats
        return None


ADAPTERS: dict[str, Platform] = {
    adapter.code: adapter for adapter in (RestPlatform(), StatementPlatform(), FilePlatform())
}


def platform_of(programme: Programme) -> Platform:
    """Return the adapter of the programme's platform; one that this version does not know speaks REST."""
    return ADAPTERS.get(programme.platform, ADAPTERS[RestPlatform.code])

"""One at a time: whoever records or settles facts of an organisation waits for whoever does so already."""

from __future__ import annotations

from portal.core.tenancy import cursor_rows


def take_turn(organisation_id: int) -> None:
    """Wait for one's turn, and keep it until the transaction ends.

    Steps are computed from all the facts of a person: two deliveries at once would each miss the other's.
    """
    cursor_rows("SELECT pg_advisory_xact_lock(hashtextextended('progress:' || %s::text, 0))", [organisation_id])

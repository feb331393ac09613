"""The facts that stand: what the platform took back by a voiding statement counts no more, itself included.

A voiding statement is kept as a fact of its own, about the same person and programme as the one that it takes back,
whose event_id it carries behind `VOIDS`. So neither is lost, and the order in which they arrive does not matter.
"""

from __future__ import annotations

VOIDS = "void:"

_IS_VOID = "f.source = 'xapi' AND f.kind = 'revoked' AND starts_with(f.event_id, 'void:')"

STANDING = f"""
    SELECT f.* FROM (
        SELECT f.*, array_agg(substr(f.event_id, 6)) FILTER (WHERE {_IS_VOID})
                    OVER (PARTITION BY f.employee_id, f.programme_id) AS voided
        FROM progress_completionevent f JOIN fact_people USING (employee_id)
        WHERE f.organisation_id = %(organisation)s
    ) f WHERE NOT ({_IS_VOID}) AND f.event_id <> ALL (coalesce(f.voided, '{{}}'))
"""  # noqa: S608  Constants.
"""Of those of `fact_people`."""

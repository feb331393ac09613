"""The circuit breaker: too many departures at once wait for a second person, and nobody leaves unnoticed.

Departures are people who are active now and would not be afterwards. For a site, those who move away count too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.pipeline.issues import IssueCode, Severity
from imports.staging import note_issue
from portal.core.tenancy import cursor_rows
from portal.people.models import Affiliation, Membership

if TYPE_CHECKING:
    from imports.models import RosterImport
    from portal.organisations.models import Organisation

_MINE = "s.organisation_id = %(organisation)s AND s.roster_import_id = %(import)s"
_LEAVES = "(s.action = 'depart' OR (s.action = 'update' AND s.departs AND 'active' = ANY (s.changed)))"


def hold_departures(organisation: Organisation, roster_import: RosterImport) -> None:
    """Mark what is held, and say on the import whether that is everything or which sites."""
    params = _params(organisation, roster_import)
    roster_import.held_sites = []
    roster_import.held_whole = _too_many_leave(params)
    if roster_import.held_whole:
        cursor_rows(f"UPDATE imports_stagedrow s SET held = true WHERE {_MINE} AND NOT done", params)  # noqa: S608
        return
    roster_import.held_sites = _sites_losing_too_many(params)
    if roster_import.held_sites:
        cursor_rows(
            f"UPDATE imports_stagedrow s SET held = true WHERE {_MINE} AND NOT done AND (s.site = ANY (%(sites)s)"  # noqa: S608
            " OR s.employee_id IN (SELECT id FROM people_employee WHERE organisation_id = %(organisation)s"
            " AND site = ANY (%(sites)s)))",
            {**params, "sites": roster_import.held_sites},
        )


def warn_of_departures(organisation: Organisation, roster_import: RosterImport) -> None:
    """Say it when the organisation would lose its last owner, or when whoever uploads would leave."""
    owners = Membership.objects.filter(organisation_id=organisation.pk, role=Membership.Role.OWNER)
    owner_ids = set(owners.values_list("user_id", flat=True))
    watched = owner_ids | ({roster_import.uploaded_by_id} if roster_import.uploaded_by_id else set())
    known = Affiliation.objects.filter(organisation=organisation, user_id__in=watched)
    people = dict(known.filter(employee__isnull=False).values_list("user_id", "employee_id"))
    if not people:
        return
    params = {**_params(organisation, roster_import), "people": list(people.values())}
    leaving = {
        employee_id
        for (employee_id,) in cursor_rows(
            f"SELECT employee_id FROM imports_stagedrow s"  # noqa: S608
            f" WHERE {_MINE} AND {_LEAVES} AND employee_id = ANY (%(people)s)",
            params,
        )
    }
    leaving_users = {user for user, employee in people.items() if employee in leaving}
    if owner_ids and owner_ids <= leaving_users:
        _warn(IssueCode.LAST_OWNER, params, [people[user] for user in owner_ids])
    if roster_import.uploaded_by_id in leaving_users:
        _warn(IssueCode.UPLOADER_LEAVES, params, [people[roster_import.uploaded_by_id]])


def _warn(code: IssueCode, params: dict[str, Any], employee_ids: list[int]) -> None:
    note_issue(
        code,
        Severity.WARNING,
        "SELECT s.number, '', jsonb_build_object('value', trim(s.first_name || ' ' || s.last_name))"  # noqa: S608
        f" FROM imports_stagedrow s WHERE {_MINE} AND {_LEAVES} AND employee_id = ANY (%(leaving)s)",
        {**params, "leaving": employee_ids},
    )


def _params(organisation: Organisation, roster_import: RosterImport) -> dict[str, Any]:
    return {
        "organisation": organisation.pk,
        "import": roster_import.pk,
        "percent": organisation.departure_percent,
        "floor": organisation.departure_floor,
    }


def _too_many_leave(params: dict[str, Any]) -> bool:
    ((leaving, active),) = cursor_rows(
        f"SELECT (SELECT count(*) FROM imports_stagedrow s WHERE {_MINE} AND {_LEAVES}),"  # noqa: S608
        " (SELECT count(*) FROM people_employee WHERE organisation_id = %(organisation)s AND active)",
        params,
    )
    return bool(leaving >= params["floor"] and leaving * 100 > params["percent"] * active)


def _sites_losing_too_many(params: dict[str, Any]) -> list[str]:
    found = cursor_rows(
        f"""
        WITH losing AS (
            SELECT e.site, count(*) AS lost
            FROM imports_stagedrow s JOIN people_employee e ON e.id = s.employee_id
            WHERE {_MINE} AND e.organisation_id = %(organisation)s AND e.active AND e.site <> ''
              AND ({_LEAVES} OR s.moves_site)
            GROUP BY e.site HAVING count(*) >= %(floor)s
        )
        SELECT site FROM losing WHERE lost * 100 > %(percent)s * (
            SELECT count(*) FROM people_employee e
            WHERE e.organisation_id = %(organisation)s AND e.active AND e.site = losing.site)
        ORDER BY site
        """,  # noqa: S608
        params,
    )
    return [site for (site,) in found]

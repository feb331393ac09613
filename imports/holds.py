"""The circuit breaker: too many departures at once wait for a second person, and nobody leaves unnoticed.

Departures are people who are active now and would not be afterwards. For a site, those who move away count too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imports.landing import note_issue
from imports.pipeline.issues import IssueCode, Severity
from portal.core.tenancy import cursor_rows
from portal.people.models import Affiliation, Membership

if TYPE_CHECKING:
    from imports.models import RosterImport
    from portal.organisations.models import Organisation

_MINE = "s.organisation_id = %(organisation)s AND s.roster_import_id = %(import)s"
_LEAVES = "(s.action = 'depart' OR (s.action = 'update' AND s.departs AND 'active' = ANY (s.changed)))"


def hold_departures(organisation: Organisation, roster_import: RosterImport) -> None:
    """Say what the plan does to each site, mark what is held, and say whether that is everything or which sites.

    When everything is held the rows are not marked: none of them goes through without the other.
    """
    params = _params(organisation, roster_import)
    _count_by_site(params)
    roster_import.held_sites = []
    roster_import.held_whole = _too_many_leave(params)
    if roster_import.held_whole:
        return
    roster_import.held_sites = _hold_sites(params)
    if roster_import.held_sites:
        cursor_rows(
            f"UPDATE imports_stagedrow s SET held = true WHERE {_MINE}"  # noqa: S608
            " AND action IN ('create', 'update', 'depart') AND (site = ANY (%(sites)s) OR employee_id IN ("
            "SELECT id FROM people_employee WHERE organisation_id = %(organisation)s AND site = ANY (%(sites)s)))",
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
        "SELECT greatest(s.number, 0), '', jsonb_build_object('value', trim(s.first_name || ' ' || s.last_name))"  # noqa: S608
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


def _count_by_site(params: dict[str, Any]) -> None:
    cursor_rows(
        f"""
        INSERT INTO imports_siteplan
            (organisation_id, roster_import_id, site, arrivals, departures, moves_in, moves_out, active, held)
        SELECT %(organisation)s, %(import)s, site, sum(arrives), sum(leaves), sum(comes), sum(goes), sum(works), false
        FROM (
            SELECT s.site, (action = 'create' AND NOT departs)::int AS arrives, 0 AS leaves, moves_site::int AS comes,
                   0 AS goes, 0 AS works
            FROM imports_stagedrow s WHERE {_MINE} AND action IN ('create', 'update')
            UNION ALL
            SELECT e.site, 0, {_LEAVES}::int, 0, moves_site::int, 0
            FROM imports_stagedrow s JOIN people_employee e ON e.id = s.employee_id
            WHERE {_MINE} AND e.organisation_id = %(organisation)s AND e.active AND (s.leaves OR s.moves_site)
              AND s.action IN ('update', 'depart')
            UNION ALL
            SELECT site, 0, 0, 0, 0, count(*) FROM people_employee
            WHERE organisation_id = %(organisation)s AND active GROUP BY site
        ) each_one
        GROUP BY site
        """,  # noqa: S608  The fragments are constants.
        params,
    )


def _too_many_leave(params: dict[str, Any]) -> bool:
    ((leaving, active),) = cursor_rows(
        f"SELECT coalesce(sum(departures), 0), coalesce(sum(active), 0) FROM imports_siteplan s WHERE {_MINE}",  # noqa: S608
        params,
    )
    return bool(leaving >= params["floor"] and leaving * 100 > params["percent"] * active)


def _hold_sites(params: dict[str, Any]) -> list[str]:
    found = cursor_rows(
        f"UPDATE imports_siteplan s SET held = true WHERE {_MINE} AND site <> ''"  # noqa: S608
        " AND departures + moves_out >= %(floor)s AND (departures + moves_out) * 100 > %(percent)s * active"
        " RETURNING site",
        params,
    )
    return sorted(site for (site,) in found)

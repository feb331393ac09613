"""The two walls, read from PostgreSQL's own catalogue: nobody can forget one for a new table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, connections, transaction

from portal.core import checks
from portal.core.errors import OutsideScope
from portal.core.models import TenantModel
from portal.core.tenancy import current_scope, cursor_rows, organisation_scope, platform_scope
from portal.organisations.models import Organisation
from portal.people.models import Employee
from tests.factories.people import make_employee

pytestmark = pytest.mark.django_db

EXEMPT = {
    # What belongs to no single organisation, and why it may be read without a scope.
    "organisations_organisation": "who takes part; no person",
    "organisations_emaildomain": "verified domains lead to a door",
    "organisations_door": "digests that lead to an organisation",
    "people_user": "logins; what they may see is decided inside a scope",
    "people_affiliation": "which login is known where",
    "people_privateaddress": "addresses of the person's own",
    "people_learnerreference": "opaque references; the million counts them",
    "cohorts_programme": "the programme's courses",
    "progress_platformlink": "where a programme's enrolments are told; no person",
    "unplaced_event": "facts whose organisation is not known",
    "platform_audit": "what the programme itself did",
    "api_apitoken": "digests of secrets",
    "django_session": "sessions",
    "account_emailaddress": "staff sign-in",
    "account_emailconfirmation": "staff sign-in",
    "mfa_authenticator": "staff sign-in",
    "django_migrations": "Django's own",
    "django_content_type": "Django's own",
    "auth_permission": "Django's own, unused",
    "auth_group": "Django's own, unused",
    "auth_group_permissions": "Django's own, unused",
}

OPAQUE_KEYS = {"sso_connection_public_id_key"}
"""Unique keys on random values: that one exists tells nothing."""


def query(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def tables() -> set[str]:
    return {
        str(name)
        for (name,) in query(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
    }


def tenant_tables() -> set[str]:
    return tables() - set(EXEMPT)


def test_every_table_is_behind_the_wall_or_listed() -> None:
    walled = {
        str(name)
        for (name,) in query(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relrowsecurity AND relforcerowsecurity"
        )
    }
    assert walled == tenant_tables()
    assert set(EXEMPT) <= tables()


def test_every_walled_table_has_the_three_policies() -> None:
    policies: dict[str, set[tuple[object, ...]]] = {}
    for table, *policy in query("SELECT tablename, policyname, cmd, roles::text, qual, with_check FROM pg_policies"):
        policies.setdefault(str(table), set()).add(tuple(policy))
    scope = "(organisation_id = (NULLIF(current_setting('portal.organisation'::text, true), ''::text))::bigint)"
    expected = {
        ("tenant", "ALL", "{portal_app}", scope, None),
        ("migrator", "ALL", "{portal_owner}", "true", "true"),
        ("platform", "SELECT", "{portal_platform}", "true", None),
    }
    assert policies == dict.fromkeys(tenant_tables(), expected)


def test_every_tenant_model_raises_outside_a_scope() -> None:
    models = [model for model in apps.get_models() if model._meta.db_table in tenant_tables()]
    assert len(models) == len(tenant_tables())
    for model in models:
        with pytest.raises(OutsideScope):
            model._default_manager.all()
        with pytest.raises(OutsideScope):
            model._base_manager.all()
        assert issubclass(model, TenantModel) or model._meta.app_label == "audit"


def test_foreign_keys_between_tenant_tables_carry_the_organisation() -> None:
    keys = query(
        "SELECT conname, conrelid::regclass::text, confrelid::regclass::text,"
        " ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k (number, place)"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place)"
        " FROM pg_constraint WHERE contype = 'f'"
    )
    between = [(name, columns) for name, source, target, columns in keys if target in tenant_tables() and source]
    assert between
    for name, columns in between:
        assert isinstance(columns, list)
        assert columns[0] == "organisation_id", f"{name} could point at another organisation's row"


def test_every_tenant_reference_is_enforced_by_the_database() -> None:
    enforced = {
        (str(table), str(column))
        for table, column in query(
            "SELECT conrelid::regclass::text, attname FROM pg_constraint JOIN pg_attribute"
            " ON attrelid = conrelid AND attnum = conkey[cardinality(conkey)] WHERE contype = 'f'"
        )
    }
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            target = field.related_model
            if isinstance(target, type) and target._meta.db_table in tenant_tables():
                assert (model._meta.db_table, field.column) in enforced


def test_unique_keys_of_tenant_tables_start_with_the_organisation() -> None:
    indexes = query(
        "SELECT indexrelid::regclass::text, indrelid::regclass::text, attname::text FROM pg_index"
        " JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
        " WHERE indisunique AND NOT indisprimary AND indrelid IN"
        " (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
    )
    wrong = [
        name
        for name, table, first in indexes
        if table in tenant_tables() and first != "organisation_id" and name not in OPAQUE_KEYS
    ]
    assert wrong == []


def test_indexes_of_tenant_tables_use_no_function() -> None:
    functional = query(
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indrelid"
        " WHERE indexprs IS NOT NULL AND relrowsecurity"
    )
    assert functional == []


def test_the_platform_reads_what_was_granted_and_nothing_of_people() -> None:
    granted = {
        (str(table), str(column))
        for table, column in query(
            "SELECT table_name, column_name FROM information_schema.column_privileges"
            " WHERE grantee = 'portal_platform' AND privilege_type = 'SELECT'"
        )
    }
    whole = {"organisations_organisation", "organisations_emaildomain", "cohorts_programme"}
    whole |= {"progress_rosterrollup", "progress_cohortrollup", "progress_cohortsummary"}
    whole |= {"progress_desksummary"}
    columns = {"id", "organisation_id", "state", "due_at", "heartbeat_at", "expires_at"}
    assert {(table, column) for table, column in granted if table not in whole and column not in columns} == set()
    assert not {table for table, _ in granted} & {
        "people_employee",
        "sso_identity",
        "imports_stagedrow",
        "people_user",
    }


def test_an_unfiltered_query_returns_no_other_organisations_rows(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(laposte, "1")
    make_employee(airbus, "2")
    with organisation_scope(laposte.pk):
        assert [employee.employee_number for employee in Employee.objects.all()] == ["1"]
        assert cursor_rows("SELECT employee_number FROM people_employee") == [("1",)]
    with organisation_scope(airbus.pk):
        assert cursor_rows("SELECT employee_number FROM people_employee") == [("2",)]
    assert query("SELECT count(*) FROM people_employee") == [(0,)]


def test_a_row_cannot_be_written_into_another_organisation(laposte: Organisation, airbus: Organisation) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), organisation_scope(laposte.pk):
        Employee.objects.create(organisation=airbus, employee_number="7")


def test_a_row_cannot_point_at_another_organisations_row(laposte: Organisation, airbus: Organisation) -> None:
    stranger = make_employee(airbus, "2")
    with pytest.raises(DatabaseError, match="foreign key"), transaction.atomic():
        query(
            "INSERT INTO people_user (username, email, name, staff_role, language, is_active, date_joined, password)"
            " VALUES ('x', '', '', '', 'fr', true, now(), '');"
            "INSERT INTO people_affiliation (user_id, organisation_id, employee_id, created_at)"
            f" SELECT id, {laposte.pk}, {stranger.pk}, now() FROM people_user WHERE username = 'x' RETURNING id"
        )


def test_scopes_nest_and_come_back(laposte: Organisation, airbus: Organisation) -> None:
    make_employee(laposte, "1")
    make_employee(airbus, "2")
    with organisation_scope(laposte.pk):
        with organisation_scope(airbus.pk):
            assert cursor_rows("SELECT employee_number FROM people_employee") == [("2",)]
        with pytest.raises(ZeroDivisionError), organisation_scope(airbus.pk):
            _ = 1 // 0
        assert current_scope() == laposte.pk
        assert cursor_rows("SELECT employee_number FROM people_employee") == [("1",)]
    assert current_scope() is None


def test_the_platform_scope_sees_organisations_but_no_person(laposte: Organisation) -> None:
    make_employee(laposte, "1")
    with platform_scope():
        assert list(Organisation.objects.values_list("slug", flat=True)) == ["laposte"]
    with pytest.raises(DatabaseError, match="permission denied"), platform_scope():
        cursor_rows("SELECT employee_number FROM people_employee")
    with organisation_scope(laposte.pk):
        assert Employee.objects.count() == 1


def test_the_application_cannot_truncate_or_change_what_was_recorded(laposte: Organisation) -> None:
    for statement in (
        "TRUNCATE people_employee",
        "UPDATE audit_auditevent SET action = ''",
        "DELETE FROM audit_auditevent",
        "DELETE FROM platform_audit",
        "DELETE FROM progress_completionevent",
        "UPDATE progress_completionevent SET kind = 'certified'",
    ):
        with pytest.raises(DatabaseError, match="permission denied"), organisation_scope(laposte.pk):
            cursor_rows(statement)


def test_the_application_runs_as_the_role_that_sees_one_organisation() -> None:
    assert query("SELECT session_user::text, current_user::text") == [("portal_app", "portal_app")]
    assert checks.role_problems() == []


ROOT = Path(__file__).resolve().parents[2]
PROCESSES = {
    "web": ["-c", "import portal.wsgi"],
    "worker": ["-m", "celery", "-A", "portal.celery", "worker", "--concurrency", "1", "-Q", "nothing"],
    "beat": ["-m", "celery", "-A", "portal.celery", "beat", "--pidfile=", "-s", "schedule"],
}


def start(process: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a process in a folder of its own: beat writes its schedule there."""
    return subprocess.run(
        [sys.executable, *PROCESSES[process]],
        cwd=folder,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def url_of(role: str) -> str:
    owner = connections["owner"].settings_dict
    return f"postgresql://{role}@{owner['HOST'].replace('/', '%2F')}/{owner['NAME']}"


@pytest.mark.parametrize("process", PROCESSES)
def test_no_process_starts_beside_the_owners_address(process: str, tmp_path: Path) -> None:
    started = start(process, tmp_path, DATABASE_URL=url_of("portal_app"), DATABASE_OWNER_URL=url_of("portal_owner"))
    assert started.returncode == 1
    assert "DATABASE_OWNER_URL is set" in started.stderr


@pytest.mark.parametrize("process", PROCESSES)
def test_no_process_starts_as_a_role_that_sees_more(process: str, tmp_path: Path) -> None:
    started = start(process, tmp_path, DATABASE_URL=url_of("portal_owner"), DATABASE_OWNER_URL="")
    assert started.returncode == 1
    assert "the application's role" in started.stderr

from __future__ import annotations

from django.db import migrations, models

import portal.audit.actions
from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="PlatformAuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            (
                                portal.audit.actions.Action["ORGANISATION_CREATED"],
                                "organisations:organisation:create",
                            ),
                            (portal.audit.actions.Action["DOMAIN_VERIFIED"], "organisations:domain:verify"),
                            (portal.audit.actions.Action["USER_CREATED"], "people:user:create"),
                            (portal.audit.actions.Action["ROLE_GRANTED"], "people:membership:grant"),
                            (portal.audit.actions.Action["ROLE_WITHDRAWN"], "people:membership:withdraw"),
                            (portal.audit.actions.Action["SUPPORT_OPENED"], "people:support:open"),
                            (portal.audit.actions.Action["EMPLOYEE_EDITED"], "people:employee:edit"),
                            (portal.audit.actions.Action["EMPLOYEE_LINKED"], "people:employee:link"),
                            (portal.audit.actions.Action["ROSTER_EXPORTED"], "people:roster:export"),
                            (portal.audit.actions.Action["COHORT_CREATED"], "cohorts:cohort:create"),
                            (portal.audit.actions.Action["CONNECTION_CREATED"], "sso:connection:create"),
                            (portal.audit.actions.Action["CONNECTION_ACTIVATED"], "sso:connection:activate"),
                            (portal.audit.actions.Action["PERSON_SIGNED_IN"], "sso:person:sign-in"),
                            (portal.audit.actions.Action["FIRST_SIGN_IN"], "sso:person:first-sign-in"),
                            (portal.audit.actions.Action["IMPORT_OPENED"], "imports:import:open"),
                            (portal.audit.actions.Action["IMPORT_PREPARED"], "imports:import:prepare"),
                            (portal.audit.actions.Action["IMPORT_MAPPED"], "imports:import:map"),
                            (portal.audit.actions.Action["IMPORT_CONFIRMED"], "imports:import:confirm"),
                            (portal.audit.actions.Action["IMPORT_APPROVED"], "imports:import:approve"),
                            (portal.audit.actions.Action["IMPORT_APPLIED"], "imports:import:apply"),
                            (portal.audit.actions.Action["IMPORT_CANCELLED"], "imports:import:cancel"),
                            (portal.audit.actions.Action["IMPORT_FAILED"], "imports:import:fail"),
                            (portal.audit.actions.Action["IMPORT_UNDONE"], "imports:import:undo"),
                            (
                                portal.audit.actions.Action["COMPLETIONS_RECORDED"],
                                "progress:completions:record",
                            ),
                            (portal.audit.actions.Action["ROLLUPS_REBUILT"], "progress:rollups:rebuild"),
                            (portal.audit.actions.Action["REPORT_EXPORTED"], "reports:report:export"),
                            (portal.audit.actions.Action["TOKEN_CREATED"], "api:token:create"),
                        ],
                        max_length=60,
                    ),
                ),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor", models.UUIDField()),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "platform_audit",
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            (
                                portal.audit.actions.Action["ORGANISATION_CREATED"],
                                "organisations:organisation:create",
                            ),
                            (portal.audit.actions.Action["DOMAIN_VERIFIED"], "organisations:domain:verify"),
                            (portal.audit.actions.Action["USER_CREATED"], "people:user:create"),
                            (portal.audit.actions.Action["ROLE_GRANTED"], "people:membership:grant"),
                            (portal.audit.actions.Action["ROLE_WITHDRAWN"], "people:membership:withdraw"),
                            (portal.audit.actions.Action["SUPPORT_OPENED"], "people:support:open"),
                            (portal.audit.actions.Action["EMPLOYEE_EDITED"], "people:employee:edit"),
                            (portal.audit.actions.Action["EMPLOYEE_LINKED"], "people:employee:link"),
                            (portal.audit.actions.Action["ROSTER_EXPORTED"], "people:roster:export"),
                            (portal.audit.actions.Action["COHORT_CREATED"], "cohorts:cohort:create"),
                            (portal.audit.actions.Action["CONNECTION_CREATED"], "sso:connection:create"),
                            (portal.audit.actions.Action["CONNECTION_ACTIVATED"], "sso:connection:activate"),
                            (portal.audit.actions.Action["PERSON_SIGNED_IN"], "sso:person:sign-in"),
                            (portal.audit.actions.Action["FIRST_SIGN_IN"], "sso:person:first-sign-in"),
                            (portal.audit.actions.Action["IMPORT_OPENED"], "imports:import:open"),
                            (portal.audit.actions.Action["IMPORT_PREPARED"], "imports:import:prepare"),
                            (portal.audit.actions.Action["IMPORT_MAPPED"], "imports:import:map"),
                            (portal.audit.actions.Action["IMPORT_CONFIRMED"], "imports:import:confirm"),
                            (portal.audit.actions.Action["IMPORT_APPROVED"], "imports:import:approve"),
                            (portal.audit.actions.Action["IMPORT_APPLIED"], "imports:import:apply"),
                            (portal.audit.actions.Action["IMPORT_CANCELLED"], "imports:import:cancel"),
                            (portal.audit.actions.Action["IMPORT_FAILED"], "imports:import:fail"),
                            (portal.audit.actions.Action["IMPORT_UNDONE"], "imports:import:undo"),
                            (
                                portal.audit.actions.Action["COMPLETIONS_RECORDED"],
                                "progress:completions:record",
                            ),
                            (portal.audit.actions.Action["ROLLUPS_REBUILT"], "progress:rollups:rebuild"),
                            (portal.audit.actions.Action["REPORT_EXPORTED"], "reports:report:export"),
                            (portal.audit.actions.Action["TOKEN_CREATED"], "api:token:create"),
                        ],
                        max_length=60,
                    ),
                ),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor", models.UUIDField()),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("data", models.JSONField(default=dict)),
                ("organisation_id", models.BigIntegerField()),
                ("on_behalf_of_programme", models.BooleanField(default=False)),
            ],
            options={
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation_id", "-id"], name="audit_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="AuditName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("organisation_id", models.BigIntegerField()),
                ("pseudonym", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
            ],
            options={
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation_id", "pseudonym"), name="audit_one_name")
                ],
            },
        ),
        policies.tenant_table("audit_auditevent"),
        policies.append_only("audit_auditevent"),
        policies.tenant_table("audit_auditname"),
        policies.append_only("platform_audit"),
    ]

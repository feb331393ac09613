from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cohorts", "0001_initial"),
        ("organisations", "0001_initial"),
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="UnplacedEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("organisation_slug", models.CharField(blank=True, max_length=60)),
                ("event_id", models.CharField(max_length=200)),
                ("payload", models.JSONField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "unplaced_event",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation_slug", "event_id"), name="progress_unplaced_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CohortRollup",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("site", models.CharField(blank=True, max_length=150)),
                ("day", models.DateField()),
                ("enrolled", models.IntegerField(default=0)),
                ("invited", models.IntegerField(default=0)),
                ("started", models.IntegerField(default=0)),
                ("completed", models.IntegerField(default=0)),
                ("certified", models.IntegerField(default=0)),
                (
                    "cohort",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cohorts.cohort",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "cohort", "site", "day"), name="progress_rollup_day"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CohortSummary",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=150)),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("roster", models.IntegerField(default=0)),
                ("enrolled", models.IntegerField(default=0)),
                ("invited", models.IntegerField(default=0)),
                ("started", models.IntegerField(default=0)),
                ("completed", models.IntegerField(default=0)),
                ("certified", models.IntegerField(default=0)),
                ("as_of", models.DateTimeField()),
                (
                    "cohort",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="cohorts.cohort",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohorts.programme",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "cohort"), name="progress_one_summary")
                ],
            },
        ),
        migrations.CreateModel(
            name="CompletionEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("event_id", models.CharField(max_length=200)),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("started", "Started"),
                            ("progressed", "Progressed"),
                            ("completed", "Completed"),
                            ("certified", "Certified"),
                            ("revoked", "Revoked"),
                        ],
                        max_length=10,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("learner", models.UUIDField(blank=True, null=True)),
                ("employee_number", models.CharField(blank=True, max_length=64)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("progress", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("certificate_url", models.CharField(blank=True, max_length=500)),
                (
                    "employee",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="people.employee",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
                (
                    "programme",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cohorts.programme",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organisation", "employee", "programme"], name="progress_by_employee"),
                    models.Index(
                        condition=models.Q(("employee__isnull", True)),
                        fields=["organisation", "id"],
                        name="progress_unmatched",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "event_id"), name="progress_event_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="RosterRollup",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("site", models.CharField(blank=True, max_length=150)),
                ("active", models.IntegerField()),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("organisation", "site"), name="progress_roster_site")],
            },
        ),
        policies.tenant_table("progress_completionevent"),
        policies.composite_foreign_key(
            "progress_completionevent", "employee_id", "people_employee", on_delete="SET NULL (employee_id)"
        ),
        policies.append_only("progress_completionevent"),
        migrations.RunSQL(
            sql="GRANT UPDATE (employee_id) ON progress_completionevent TO portal_app",
            reverse_sql="REVOKE UPDATE (employee_id) ON progress_completionevent FROM portal_app",
        ),
        policies.tenant_table("progress_rosterrollup", platform="*"),
        policies.tenant_table("progress_cohortrollup", platform="*"),
        policies.composite_foreign_key("progress_cohortrollup", "cohort_id", "cohorts_cohort", on_delete="CASCADE"),
        policies.tenant_table("progress_cohortsummary", platform="*"),
        policies.composite_foreign_key("progress_cohortsummary", "cohort_id", "cohorts_cohort", on_delete="CASCADE"),
    ]

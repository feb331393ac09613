from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cohorts", "0002_rules"),
        ("enrolments", "0002_invitations"),
        ("organisations", "0003_more_doors"),
    ]

    operations = [
        migrations.CreateModel(
            name="Wave",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=150)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("held", "planned"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("stopped", "stopped"),
                            ("done", "done"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("sites", models.JSONField(blank=True, default=list)),
                ("starts_at", models.DateTimeField()),
                ("per_hour", models.PositiveIntegerField(default=2000)),
                ("first_hour", models.PositiveSmallIntegerField(default=8)),
                ("last_hour", models.PositiveSmallIntegerField(default=18)),
                ("weekends", models.BooleanField(default=False)),
                ("subjects", models.JSONField(blank=True, default=dict)),
                ("bodies", models.JSONField(blank=True, default=dict)),
                ("reminders", models.PositiveSmallIntegerField(default=2)),
                ("reminder_days", models.PositiveSmallIntegerField(default=7)),
                ("created_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("planned_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
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
            },
        ),
        migrations.CreateModel(
            name="WaveSlot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(blank=True, max_length=150)),
                ("opens_at", models.DateTimeField()),
                ("people", models.PositiveIntegerField()),
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
                    "wave",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="waves.wave",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="wave",
            index=models.Index(fields=["organisation", "cohort", "-id"], name="waves_by_cohort"),
        ),
        migrations.AddConstraint(
            model_name="wave",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_hour__lt", models.F("last_hour")), ("last_hour__lte", 24)),
                name="waves_hours",
            ),
        ),
        migrations.AddConstraint(
            model_name="wave",
            constraint=models.CheckConstraint(condition=models.Q(("per_hour__gt", 0)), name="waves_pace"),
        ),
        migrations.AddConstraint(
            model_name="waveslot",
            constraint=models.UniqueConstraint(
                fields=("organisation", "wave", "opens_at", "site"), name="waves_one_slot"
            ),
        ),
        policies.tenant_table("waves_wave", platform="id, organisation_id, state, due_at"),
        policies.composite_key("waves_wave"),
        policies.composite_foreign_key("waves_wave", "cohort_id", "cohorts_cohort"),
        policies.tenant_table("waves_waveslot"),
        policies.composite_foreign_key("waves_waveslot", "wave_id", "waves_wave"),
        policies.composite_foreign_key("enrolments_invitation", "wave_id", "waves_wave"),
    ]

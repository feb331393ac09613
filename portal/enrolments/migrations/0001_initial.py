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
            name="Enrolment",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("enrolled", "Enrolled"),
                            ("invited", "Invited"),
                            ("active", "Active"),
                            ("completed", "Completed"),
                            ("certified", "Certified"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="enrolled",
                        max_length=10,
                    ),
                ),
                ("enrolled_at", models.DateTimeField()),
                ("invited_at", models.DateTimeField(blank=True, null=True)),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("certified_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                ("certificate_url", models.CharField(blank=True, max_length=500)),
                ("progress", models.PositiveSmallIntegerField(default=0)),
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
                    "employee",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation", "cohort", "state"], name="enrolments_by_state")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "employee", "cohort"), name="enrolments_one_per_cohort"
                    )
                ],
            },
        ),
        policies.tenant_table("enrolments_enrolment"),
        policies.composite_foreign_key("enrolments_enrolment", "cohort_id", "cohorts_cohort"),
        policies.composite_foreign_key("enrolments_enrolment", "employee_id", "people_employee"),
    ]

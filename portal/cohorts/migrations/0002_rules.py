from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0001_initial"),
        ("organisations", "0003_more_doors"),
    ]

    operations = [
        migrations.AddField(
            model_name="cohort",
            name="membership",
            field=models.CharField(
                choices=[
                    ("hand", "by hand and by import"),
                    ("rules", "by rules"),
                    ("everyone", "everyone on the roster"),
                ],
                db_default="hand",
                default="hand",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="cohort",
            name="target",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="programme",
            name="platform",
            field=models.CharField(db_default="rest", default="rest", max_length=20),
        ),
        migrations.AddField(
            model_name="programme",
            name="starts_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="CohortRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "field",
                    models.CharField(
                        choices=[
                            ("site", "site"),
                            ("department", "department"),
                            ("language", "language"),
                            ("hired_before", "hired before"),
                            ("hired_from", "hired from"),
                        ],
                        max_length=15,
                    ),
                ),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150), blank=True, default=list, size=None
                    ),
                ),
                ("day", models.DateField(blank=True, null=True)),
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
                        fields=("organisation", "cohort", "field"), name="cohorts_one_rule_per_field"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("day__isnull", False), ("field__in", ("hired_before", "hired_from"))),
                            models.Q(
                                models.Q(("field__in", ("hired_before", "hired_from")), _negated=True),
                                ("day__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="cohorts_rule_has_its_value",
                    ),
                ],
            },
        ),
        policies.tenant_table("cohorts_cohortrule"),
        policies.composite_foreign_key("cohorts_cohortrule", "cohort_id", "cohorts_cohort", on_delete="CASCADE"),
    ]

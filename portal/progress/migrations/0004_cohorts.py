from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies

_STEPS = ("enrolled", "invited", "delivered", "active", "started", "completed", "certified")


def _organisation() -> models.Field[object, object]:
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="organisations.organisation",
    )


def _json() -> models.Field[object, object]:
    return models.JSONField(db_default=models.Value({}, output_field=models.JSONField()), default=dict)


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0002_rules"),
        ("organisations", "0003_more_doors"),
        ("progress", "0003_platforms"),
    ]

    operations = [
        migrations.AddField(model_name="cohortsummary", name="losses", field=_json()),
        migrations.AddField(model_name="cohortsummary", name="weeks", field=_json()),
        migrations.CreateModel(
            name="CohortSite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(blank=True, max_length=150)),
                *((step, models.IntegerField(default=0)) for step in _STEPS),
                ("losses", models.JSONField(default=dict)),
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
                ("organisation", _organisation()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organisation", "cohort", "enrolled", "site"], name="progress_site_by_size")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "cohort", "site"), name="progress_one_cohort_site")
                ],
            },
        ),
        migrations.CreateModel(
            name="CountCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checked_at", models.DateTimeField()),
                ("checked", models.IntegerField()),
                ("different", models.IntegerField()),
                ("organisation", _organisation()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [models.UniqueConstraint(fields=("organisation",), name="progress_one_check")],
            },
        ),
        policies.tenant_table("progress_cohortsite", platform="*"),
        policies.composite_foreign_key("progress_cohortsite", "cohort_id", "cohorts_cohort", on_delete="CASCADE"),
        policies.tenant_table("progress_countcheck", platform="*"),
    ]

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Programme",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.SlugField(max_length=60, unique=True)),
                ("name_fr", models.CharField(max_length=200)),
                ("name_en", models.CharField(max_length=200)),
                ("launch_url", models.URLField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="Cohort",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("name", models.CharField(max_length=150)),
                ("name_key", models.CharField(max_length=150)),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cohorts.programme"
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "name_key"), name="cohorts_one_name"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_on__isnull", True),
                            ("ends_on__isnull", True),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="cohorts_ends_after_it_starts",
                    ),
                ],
            },
        ),
        policies.tenant_table("cohorts_cohort", platform="id, organisation_id"),
        policies.composite_key("cohorts_cohort"),
        policies.platform_reads("cohorts_programme"),
        migrations.RunSQL(
            sql="INSERT INTO cohorts_programme (code, name_fr, name_en, launch_url) VALUES"
            " ('objectif-ia', 'Objectif IA', 'Objectif IA', '')",
            reverse_sql="DELETE FROM cohorts_programme WHERE code = 'objectif-ia'",
        ),
    ]

from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0002_rules"),
        ("organisations", "0003_more_doors"),
        ("people", "0004_private_ways"),
        ("progress", "0002_desk"),
    ]

    operations = [
        migrations.AlterField(
            model_name="completionevent",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AlterField(
            model_name="completionevent",
            name="programme",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="cohorts.programme",
            ),
        ),
        migrations.AlterField(
            model_name="deskitem",
            name="kind",
            field=models.CharField(
                choices=[
                    ("person", "facts that match nobody"),
                    ("refused", "refused fact"),
                    ("contradicted", "same number, other content"),
                    ("accounts", "two accounts of one person"),
                    ("dates", "dates that contradict each other"),
                ],
                max_length=15,
            ),
        ),
        migrations.CreateModel(
            name="PlatformLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("endpoint", models.URLField(max_length=500)),
                ("secret", models.BinaryField(blank=True, default=b"")),
                (
                    "personal",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), blank=True, default=list, size=None
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                (
                    "programme",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cohorts.programme"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeskSummary",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("unmatched", models.IntegerField(default=0)),
                ("refused", models.IntegerField(default=0)),
                ("contradicted", models.IntegerField(default=0)),
                ("accounts", models.IntegerField(default=0)),
                ("dates", models.IntegerField(default=0)),
                ("delivered_by", models.CharField(blank=True, max_length=20)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("as_of", models.DateTimeField()),
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
                "constraints": [models.UniqueConstraint(fields=("organisation",), name="progress_one_desk")],
            },
        ),
        migrations.CreateModel(
            name="EnrolmentOut",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("enrolled", models.BooleanField(default=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("told", "Told"), ("given-up", "Given Up")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("failure", models.CharField(blank=True, max_length=60)),
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
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["organisation", "due_at"],
                        name="progress_enrolment_out",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "employee", "programme"), name="progress_told_once")
                ],
            },
        ),
        policies.tenant_table("progress_desksummary", platform="*"),
        policies.tenant_table("progress_enrolmentout", platform="id, organisation_id, state, due_at"),
        policies.composite_foreign_key("progress_enrolmentout", "employee_id", "people_employee", on_delete="CASCADE"),
    ]

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("cohorts", "0002_rules"),
        ("organisations", "0003_more_doors"),
        ("people", "0004_private_ways"),
        ("progress", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="cohortrollup",
            name="active",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="cohortrollup",
            name="delivered",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="cohortsummary",
            name="active",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="cohortsummary",
            name="delivered",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="completionevent",
            name="account",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="completionevent",
            name="source",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20)),
                ("holder", models.CharField(blank=True, max_length=310)),
                ("certified_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
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
                    "learner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.learnerreference",
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
                    models.UniqueConstraint(fields=("organisation", "code"), name="progress_certificate_code"),
                    models.UniqueConstraint(
                        fields=("organisation", "learner", "programme"), name="progress_one_certificate"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=20)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("accepted", models.IntegerField(default=0)),
                ("duplicate", models.IntegerField(default=0)),
                ("unmatched", models.IntegerField(default=0)),
                ("rejected", models.IntegerField(default=0)),
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
                "indexes": [models.Index(fields=["organisation", "-id"], name="progress_delivery_newest")],
            },
        ),
        migrations.CreateModel(
            name="DeskItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("refused", "refused fact"),
                            ("contradicted", "same number, other content"),
                            ("accounts", "two accounts of one person"),
                            ("dates", "dates that contradict each other"),
                        ],
                        max_length=15,
                    ),
                ),
                ("key", models.CharField(max_length=250)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("payload", models.JSONField(default=dict)),
                ("noted_at", models.DateTimeField(auto_now_add=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                ("settled_by", models.CharField(blank=True, max_length=200)),
                ("answer", models.CharField(blank=True, max_length=20)),
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("settled_at__isnull", True)),
                        fields=["organisation", "id"],
                        name="progress_desk_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "kind", "key"), name="progress_desk_once")
                ],
            },
        ),
        policies.tenant_table("progress_deskitem"),
        policies.composite_foreign_key(
            "progress_deskitem", "employee_id", "people_employee", on_delete="SET NULL (employee_id)"
        ),
        policies.tenant_table("progress_delivery"),
        policies.tenant_table("progress_certificate"),
        policies.composite_foreign_key(
            "progress_certificate", "employee_id", "people_employee", on_delete="SET NULL (employee_id)"
        ),
    ]

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_initial"),
        ("organisations", "0002_company_sign_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="OutgoingMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120)),
                ("name", models.CharField(max_length=60)),
                ("address", models.CharField(max_length=254)),
                ("language", models.CharField(max_length=2)),
                ("context", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "Due"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("uncertain", "Uncertain"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="due",
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=60)),
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
                        condition=models.Q(("state__in", ("due", "sending"))),
                        fields=["organisation", "due_at", "id"],
                        name="core_mail_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "key", "address"), name="core_mail_once")
                ],
            },
        ),
        policies.tenant_table("core_outgoingmail", platform="id, organisation_id, state, due_at"),
    ]

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="emaildomain",
            name="challenge",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="emaildomain",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="emaildomain",
            name="include_subdomains",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="emaildomain",
            name="missing_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="organisation",
            name="sign_in_enforced_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="door",
            name="kind",
            field=models.CharField(
                choices=[
                    ("connection", "Connection"),
                    ("learner", "Learner"),
                    ("member", "Member"),
                    ("setup", "Setup"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="SetupLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(max_length=32)),
                ("recipient", models.CharField(blank=True, max_length=200)),
                ("created_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
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
                    models.UniqueConstraint(fields=("organisation", "digest"), name="organisations_setup_once")
                ],
            },
        ),
        policies.tenant_table("organisations_setuplink"),
        policies.composite_key("organisations_setuplink"),
    ]

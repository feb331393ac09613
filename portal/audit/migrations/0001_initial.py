from __future__ import annotations

from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="PlatformAuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("action", models.CharField(max_length=60)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor", models.UUIDField()),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "platform_audit",
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("action", models.CharField(max_length=60)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor", models.UUIDField()),
                ("subject", models.CharField(blank=True, max_length=80)),
                ("data", models.JSONField(default=dict)),
                ("organisation_id", models.BigIntegerField()),
                ("on_behalf_of_programme", models.BooleanField(default=False)),
            ],
            options={
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organisation_id", "-id"], name="audit_newest_first")],
            },
        ),
        migrations.CreateModel(
            name="AuditName",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("organisation_id", models.BigIntegerField()),
                ("pseudonym", models.UUIDField()),
                ("name", models.CharField(max_length=200)),
            ],
            options={
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organisation_id", "pseudonym"), name="audit_one_name")
                ],
            },
        ),
        policies.tenant_table("audit_auditevent"),
        policies.append_only("audit_auditevent"),
        policies.tenant_table("audit_auditname"),
        policies.append_only("platform_audit"),
    ]

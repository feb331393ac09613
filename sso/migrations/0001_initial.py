from __future__ import annotations

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organisations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Connection",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(blank=True, max_length=100)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("configured", "Configured"),
                            ("tested", "Tested"),
                            ("active", "Active"),
                            ("failing", "Failing"),
                        ],
                        default="configured",
                        max_length=10,
                    ),
                ),
                ("idp_entity_id", models.CharField(max_length=1024)),
                ("idp_sso_url", models.CharField(max_length=1024)),
                ("idp_sso_binding", models.CharField(max_length=100)),
                ("idp_slo_url", models.CharField(blank=True, max_length=1024)),
                (
                    "idp_certificates",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
                ),
                ("attribute_mapping", models.JSONField(default=dict)),
                ("entity_id", models.CharField(max_length=300)),
                ("sp_certificate", models.TextField()),
                ("sp_private_key", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("tested_at", models.DateTimeField(blank=True, null=True)),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
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
            name="Identity",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("subject", models.CharField(max_length=512)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("employee_number", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_seen_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="sso.connection",
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
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SignInRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("request_id", models.CharField(max_length=80)),
                ("browser", models.BinaryField(max_length=32)),
                ("next_path", models.CharField(blank=True, max_length=500)),
                ("purpose", models.CharField(default="sign-in", max_length=10)),
                ("sent_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("ticket", models.BinaryField(blank=True, max_length=32, null=True)),
                ("ticket_expires_at", models.DateTimeField(blank=True, null=True)),
                ("answer", models.BinaryField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="sso.connection",
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
            name="SignInTrace",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("code", models.CharField(max_length=12)),
                ("error", models.CharField(max_length=60)),
                ("details", models.JSONField(default=dict)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="sso.connection",
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
            name="UsedAssertion",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("digest", models.BinaryField(max_length=32)),
                ("expires_at", models.DateTimeField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="sso.connection",
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
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(fields=("organisation", "idp_entity_id"), name="sso_one_per_idp"),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                fields=("organisation", "connection", "subject"), name="sso_identity_once"
            ),
        ),
        migrations.AddIndex(
            model_name="signinrequest",
            index=models.Index(fields=["organisation", "ticket"], name="sso_request_by_ticket"),
        ),
        migrations.AddIndex(
            model_name="signinrequest",
            index=models.Index(fields=["organisation", "expires_at"], name="sso_request_expiry"),
        ),
        migrations.AddConstraint(
            model_name="signinrequest",
            constraint=models.UniqueConstraint(
                fields=("organisation", "connection", "request_id"), name="sso_request_once"
            ),
        ),
        migrations.AddIndex(
            model_name="signintrace",
            index=models.Index(fields=["organisation", "-id"], name="sso_trace_newest"),
        ),
        migrations.AddConstraint(
            model_name="signintrace",
            constraint=models.UniqueConstraint(fields=("organisation", "code"), name="sso_trace_code"),
        ),
        migrations.AddIndex(
            model_name="usedassertion",
            index=models.Index(fields=["organisation", "expires_at"], name="sso_assertion_expiry"),
        ),
        migrations.AddConstraint(
            model_name="usedassertion",
            constraint=models.UniqueConstraint(
                fields=("organisation", "connection", "digest"), name="sso_assertion_once"
            ),
        ),
        policies.tenant_table("sso_connection", platform="id, organisation_id, state"),
        policies.composite_key("sso_connection"),
        policies.tenant_table("sso_signinrequest"),
        policies.composite_foreign_key("sso_signinrequest", "connection_id", "sso_connection"),
        policies.tenant_table("sso_usedassertion"),
        policies.composite_foreign_key("sso_usedassertion", "connection_id", "sso_connection"),
        policies.tenant_table("sso_identity"),
        policies.composite_foreign_key("sso_identity", "connection_id", "sso_connection"),
        policies.tenant_table("sso_signintrace"),
        policies.composite_foreign_key("sso_signintrace", "connection_id", "sso_connection"),
    ]

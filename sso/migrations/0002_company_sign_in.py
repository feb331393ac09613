from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0002_company_sign_in"),
        ("people", "0003_break_glass"),
        ("sso", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DeclinedMatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("declined_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="MetadataVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("held", "Held"),
                            ("in_use", "In Use"),
                            ("past", "Past"),
                            ("declined", "Declined"),
                        ],
                        max_length=10,
                    ),
                ),
                ("source", models.CharField(max_length=10)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
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
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SignInSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_key", models.CharField(max_length=40)),
                ("name_id", models.BinaryField(max_length=32)),
                ("session_index", models.BinaryField(blank=True, max_length=32, null=True)),
                ("sealed", models.BinaryField()),
                ("started_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.RemoveConstraint(
            model_name="connection",
            name="sso_one_per_idp",
        ),
        migrations.AddField(
            model_name="connection",
            name="closed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="failures",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="connection",
            name="last_success_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="leads_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="metadata_etag",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="connection",
            name="metadata_failure",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="connection",
            name="metadata_read_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="metadata_url",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AddField(
            model_name="connection",
            name="next_certificate",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="next_private_key",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="next_signs_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="previous_certificate",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="previous_private_key",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="previous_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="setup_link",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="organisations.setuplink",
            ),
        ),
        migrations.AddField(
            model_name="connection",
            name="vendor",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AddField(
            model_name="identity",
            name="suspended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="assertion",
            field=models.BinaryField(blank=True, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="certificate",
            field=models.CharField(blank=True, max_length=95),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="client_address",
            field=models.CharField(blank=True, max_length=45),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="name_id",
            field=models.BinaryField(blank=True, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="purpose",
            field=models.CharField(default="sign-in", max_length=10),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="raw",
            field=models.BinaryField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="raw_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="request_id",
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name="signintrace",
            name="user",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="connection",
            name="idp_certificates",
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
        ),
        migrations.AlterField(
            model_name="connection",
            name="idp_entity_id",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AlterField(
            model_name="connection",
            name="idp_sso_binding",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AlterField(
            model_name="connection",
            name="idp_sso_url",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AlterField(
            model_name="signintrace",
            name="error",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddIndex(
            model_name="signintrace",
            index=models.Index(
                condition=models.Q(("raw__isnull", False)), fields=["organisation", "raw_until"], name="sso_trace_raw"
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idp_entity_id", ""), _negated=True),
                fields=("organisation", "idp_entity_id"),
                name="sso_one_per_idp",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "draft"), models.Q(("idp_entity_id", ""), _negated=True), _connector="OR"),
                name="sso_only_drafts_are_empty",
            ),
        ),
        migrations.AddField(
            model_name="declinedmatch",
            name="affiliation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="people.affiliation"
            ),
        ),
        migrations.AddField(
            model_name="declinedmatch",
            name="employee",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="people.employee",
            ),
        ),
        migrations.AddField(
            model_name="declinedmatch",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="metadataversion",
            name="connection",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="sso.connection",
            ),
        ),
        migrations.AddField(
            model_name="metadataversion",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="signinsession",
            name="connection",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="sso.connection",
            ),
        ),
        migrations.AddField(
            model_name="signinsession",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="signinsession",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="declinedmatch",
            constraint=models.UniqueConstraint(
                fields=("organisation", "affiliation", "employee"), name="sso_declined_once"
            ),
        ),
        migrations.AddIndex(
            model_name="metadataversion",
            index=models.Index(fields=["organisation", "connection", "-id"], name="sso_metadata_newest"),
        ),
        migrations.AddIndex(
            model_name="signinsession",
            index=models.Index(fields=["organisation", "connection", "name_id"], name="sso_session_by_name"),
        ),
        migrations.AddIndex(
            model_name="signinsession",
            index=models.Index(fields=["organisation", "user"], name="sso_session_by_user"),
        ),
        migrations.AddIndex(
            model_name="signinsession",
            index=models.Index(fields=["organisation", "expires_at"], name="sso_session_expiry"),
        ),
        policies.composite_foreign_key("sso_connection", "setup_link_id", "organisations_setuplink"),
        policies.platform_reads_columns("sso_connection", "due_at"),
        policies.tenant_table("sso_metadataversion"),
        policies.composite_foreign_key("sso_metadataversion", "connection_id", "sso_connection"),
        policies.tenant_table("sso_declinedmatch"),
        policies.composite_foreign_key("sso_declinedmatch", "employee_id", "people_employee"),
        policies.tenant_table("sso_signinsession"),
        policies.composite_foreign_key("sso_signinsession", "connection_id", "sso_connection"),
    ]

from __future__ import annotations

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
            name="RosterImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Uploaded"),
                            ("preparing", "Preparing"),
                            ("ready", "Ready"),
                            ("held", "Held"),
                            ("applying", "Applying"),
                            ("applied", "Applied"),
                            ("undoing", "Undoing"),
                            ("undone", "Undone"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                            ("superseded", "Superseded"),
                        ],
                        default="uploaded",
                        max_length=10,
                    ),
                ),
                (
                    "mode",
                    models.CharField(choices=[("delta", "Delta"), ("full", "Full")], default="delta", max_length=5),
                ),
                ("file_name", models.CharField(max_length=255)),
                ("file_size", models.BigIntegerField()),
                ("file_digest", models.BinaryField(max_length=32)),
                ("quarantine", models.CharField(blank=True, max_length=100)),
                ("wanted_sheet", models.CharField(blank=True, max_length=255)),
                ("cohort_name", models.CharField(blank=True, max_length=150)),
                ("mapping", models.JSONField(default=dict)),
                ("counts", models.JSONField(default=dict)),
                (
                    "held_sites",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150), blank=True, default=list, size=None
                    ),
                ),
                ("held_whole", models.BooleanField(default=False)),
                ("approved_by", models.UUIDField(blank=True, null=True)),
                ("done_rows", models.IntegerField(default=0)),
                ("error", models.CharField(blank=True, max_length=40)),
                ("error_params", models.JSONField(default=dict)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("planned_at", models.DateTimeField(blank=True, null=True)),
                ("applied_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
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
                    "uploaded_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
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
            name="ImportChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("employee_id", models.BigIntegerField()),
                ("cohort_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("create", "Create"),
                            ("update", "Update"),
                            ("deactivate", "Deactivate"),
                            ("enrol", "Enrol"),
                        ],
                        max_length=10,
                    ),
                ),
                ("before", models.JSONField(blank=True, null=True)),
                ("after", models.JSONField(blank=True, null=True)),
                ("undone", models.CharField(blank=True, max_length=10)),
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
                    "roster_import",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="imports.rosterimport",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="RowIssue",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("number", models.IntegerField()),
                ("column", models.CharField(blank=True, max_length=255)),
                ("code", models.CharField(max_length=40)),
                ("severity", models.CharField(max_length=10)),
                ("rank", models.PositiveSmallIntegerField()),
                ("params", models.JSONField(default=dict)),
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
                    "roster_import",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="imports.rosterimport",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="StagedRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("number", models.IntegerField()),
                ("employee_number", models.CharField(blank=True, max_length=64)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("first_name", models.CharField(blank=True, max_length=150)),
                ("last_name", models.CharField(blank=True, max_length=150)),
                ("sort_name", models.CharField(blank=True, max_length=310)),
                ("site", models.CharField(blank=True, max_length=150)),
                ("department", models.CharField(blank=True, max_length=150)),
                ("manager_email", models.CharField(blank=True, max_length=254)),
                ("hired_on", models.DateField(blank=True, null=True)),
                ("left_on", models.DateField(blank=True, null=True)),
                (
                    "language",
                    models.CharField(blank=True, choices=[("fr", "Français"), ("en", "English")], max_length=2),
                ),
                ("cohort", models.CharField(blank=True, max_length=150)),
                (
                    "action",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "New"),
                            ("create", "Create"),
                            ("update", "Update"),
                            ("unchanged", "Unchanged"),
                            ("merged", "Merged"),
                            ("reject", "Reject"),
                            ("depart", "Depart"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("employee_id", models.BigIntegerField(blank=True, null=True)),
                (
                    "changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), blank=True, default=list, size=None
                    ),
                ),
                ("before", models.JSONField(blank=True, null=True)),
                (
                    "kept",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), blank=True, default=list, size=None
                    ),
                ),
                ("departs", models.BooleanField(default=False)),
                ("moves_site", models.BooleanField(default=False)),
                ("held", models.BooleanField(default=False)),
                ("done", models.BooleanField(default=False)),
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
                    "roster_import",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="imports.rosterimport",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="rosterimport",
            index=models.Index(fields=["organisation", "-id"], name="imports_newest_first"),
        ),
        migrations.AddConstraint(
            model_name="rosterimport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["applying", "undoing"])),
                fields=("organisation",),
                name="imports_one_at_work",
            ),
        ),
        migrations.AddIndex(
            model_name="importchange",
            index=models.Index(fields=["organisation", "roster_import", "id"], name="imports_changes"),
        ),
        migrations.AddIndex(
            model_name="importchange",
            index=models.Index(fields=["organisation", "employee_id"], name="imports_changes_of_person"),
        ),
        migrations.AddIndex(
            model_name="rowissue",
            index=models.Index(fields=["organisation", "roster_import", "rank", "number"], name="imports_issues_worst"),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                fields=["organisation", "roster_import", "action", "number"], name="imports_staged_list"
            ),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("done", False)),
                fields=["organisation", "roster_import", "id"],
                name="imports_staged_to_do",
            ),
        ),
        policies.tenant_table("imports_rosterimport", platform="id, organisation_id, state, due_at, heartbeat_at"),
        policies.composite_key("imports_rosterimport"),
        policies.tenant_table("imports_stagedrow"),
        policies.composite_foreign_key(
            "imports_stagedrow", "roster_import_id", "imports_rosterimport", on_delete="CASCADE"
        ),
        policies.tenant_table("imports_rowissue"),
        policies.composite_foreign_key(
            "imports_rowissue", "roster_import_id", "imports_rosterimport", on_delete="CASCADE"
        ),
        policies.tenant_table("imports_importchange"),
        policies.composite_foreign_key(
            "imports_importchange", "roster_import_id", "imports_rosterimport", on_delete="CASCADE"
        ),
    ]

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0001_initial"),
        ("organisations", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("signature", models.CharField(max_length=64)),
                ("mapping", models.JSONField(default=dict)),
                ("confirmed_at", models.DateTimeField()),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SiteName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("written", models.CharField(max_length=150)),
                ("site", models.CharField(max_length=150)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="SitePlan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("site", models.CharField(blank=True, max_length=150)),
                ("arrivals", models.IntegerField(default=0)),
                ("departures", models.IntegerField(default=0)),
                ("moves_in", models.IntegerField(default=0)),
                ("moves_out", models.IntegerField(default=0)),
                ("active", models.IntegerField(default=0)),
                ("held", models.BooleanField(default=False)),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.RemoveIndex(
            model_name="stagedrow",
            name="imports_staged_to_do",
        ),
        migrations.RemoveField(
            model_name="stagedrow",
            name="done",
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="agreed",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="channel",
            field=models.CharField(
                choices=[("page", "Page"), ("command", "Command"), ("api", "Api")], default="command", max_length=7
            ),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="choice",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="copy",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="copy_digest",
            field=models.BinaryField(blank=True, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="copy_format",
            field=models.CharField(blank=True, max_length=5),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="cursor_action",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="cursor_number",
            field=models.IntegerField(default=0),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="looked_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="merging",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="override_edits",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="preview",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="purged_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="release",
            field=models.CharField(
                blank=True, choices=[("", "Free"), ("held", "Held"), ("all", "All")], default="", max_length=4
            ),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="stale",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="wanted_header_row",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="rosterimport",
            name="work_began_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="attributes",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="corrected",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="leaves",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="renamed",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="twin_id",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="twin_said",
            field=models.CharField(
                blank=True, choices=[("", "Unsaid"), ("same", "Same"), ("other", "Other")], default="", max_length=5
            ),
        ),
        migrations.AddField(
            model_name="stagedrow",
            name="twin_why",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AlterField(
            model_name="rosterimport",
            name="state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Uploaded"),
                    ("preparing", "Preparing"),
                    ("unclear", "Unclear"),
                    ("planning", "Planning"),
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
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("leaves", True)),
                fields=["organisation", "roster_import", "number"],
                name="imports_staged_leaves",
            ),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("moves_site", True)),
                fields=["organisation", "roster_import", "number"],
                name="imports_staged_moves",
            ),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("renamed", True)),
                fields=["organisation", "roster_import", "number"],
                name="imports_staged_renamed",
            ),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("held", True)),
                fields=["organisation", "roster_import", "number"],
                name="imports_staged_held",
            ),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("twin_id__isnull", False)),
                fields=["organisation", "roster_import", "number"],
                name="imports_staged_twins",
            ),
        ),
        migrations.AddIndex(
            model_name="stagedrow",
            index=models.Index(
                condition=models.Q(("corrected", True)),
                fields=["organisation", "roster_import", "number"],
                name="imports_staged_corrected",
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="confirmed_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="sitename",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="siteplan",
            name="organisation",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        migrations.AddField(
            model_name="siteplan",
            name="roster_import",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="imports.rosterimport",
            ),
        ),
        migrations.AddConstraint(
            model_name="columnmapping",
            constraint=models.UniqueConstraint(fields=("organisation", "signature"), name="imports_mapping_once"),
        ),
        migrations.AddConstraint(
            model_name="sitename",
            constraint=models.UniqueConstraint(fields=("organisation", "written"), name="imports_site_name_once"),
        ),
        migrations.AddConstraint(
            model_name="siteplan",
            constraint=models.UniqueConstraint(
                fields=("organisation", "roster_import", "site"), name="imports_site_once"
            ),
        ),
        migrations.AlterField(
            model_name="importchange",
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
            model_name="rowissue",
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
            model_name="siteplan",
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
            model_name="stagedrow",
            name="organisation",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="organisations.organisation",
            ),
        ),
        policies.tenant_table("imports_siteplan"),
        policies.tenant_table("imports_columnmapping"),
        policies.tenant_table("imports_sitename"),
        policies.composite_foreign_key(
            "imports_siteplan", "roster_import_id", "imports_rosterimport", on_delete="CASCADE"
        ),
    ]

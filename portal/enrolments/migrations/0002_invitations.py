from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_mail_answers"),
        ("enrolments", "0001_initial"),
        ("organisations", "0003_more_doors"),
    ]

    operations = [
        migrations.AddField(
            model_name="enrolment",
            name="activated_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "unknown"),
                    ("import", "import"),
                    ("rule", "rule of the cohort"),
                    ("hand", "by hand"),
                    ("sign-in", "first sign-in"),
                    ("fact", "fact of the platform"),
                    ("undo", "import taken back"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="delivered_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="enrolled_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "unknown"),
                    ("import", "import"),
                    ("rule", "rule of the cohort"),
                    ("hand", "by hand"),
                    ("sign-in", "first sign-in"),
                    ("fact", "fact of the platform"),
                    ("undo", "import taken back"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="withdrawn_by",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "unknown"),
                    ("import", "import"),
                    ("rule", "rule of the cohort"),
                    ("hand", "by hand"),
                    ("sign-in", "first sign-in"),
                    ("fact", "fact of the platform"),
                    ("undo", "import taken back"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wave_id", models.BigIntegerField()),
                ("number", models.PositiveSmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("queued", "about to leave"),
                            ("sent", "sent"),
                            ("delivered", "delivered"),
                            ("bounced", "bounced"),
                            ("failed", "could not be sent"),
                            ("uncertain", "perhaps sent"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="planned",
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                (
                    "enrolment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="enrolments.enrolment",
                    ),
                ),
                (
                    "mail",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="core.outgoingmail",
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
                    models.Index(fields=["organisation", "wave_id", "state"], name="enrolments_invitation_wave"),
                    models.Index(
                        condition=models.Q(("state", "planned")),
                        fields=["organisation", "due_at", "id"],
                        name="enrolments_invitation_due",
                    ),
                    models.Index(
                        condition=models.Q(("mail__isnull", False)),
                        fields=["organisation", "mail"],
                        name="enrolments_invitation_mail",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organisation", "enrolment", "number"), name="enrolments_invited_once"
                    )
                ],
            },
        ),
        policies.composite_key("enrolments_enrolment"),
        policies.tenant_table("enrolments_invitation"),
        policies.composite_foreign_key(
            "enrolments_invitation", "enrolment_id", "enrolments_enrolment", on_delete="CASCADE"
        ),
        policies.composite_foreign_key("enrolments_invitation", "mail_id", "core_outgoingmail"),
    ]

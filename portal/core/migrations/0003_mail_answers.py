from __future__ import annotations

from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_outgoing_mail"),
    ]

    operations = [
        migrations.AddField(
            model_name="outgoingmail",
            name="answered_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="outgoingmail",
            name="message_id",
            field=models.CharField(blank=True, max_length=250),
        ),
        migrations.AlterField(
            model_name="outgoingmail",
            name="state",
            field=models.CharField(
                choices=[
                    ("due", "Due"),
                    ("sending", "Sending"),
                    ("sent", "Sent"),
                    ("delivered", "Delivered"),
                    ("bounced", "Bounced"),
                    ("failed", "Failed"),
                    ("uncertain", "Uncertain"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="due",
                max_length=10,
            ),
        ),
        policies.composite_key("core_outgoingmail"),
    ]

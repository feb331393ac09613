from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("waves", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="wave",
            name="tried_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

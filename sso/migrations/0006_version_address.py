from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sso", "0005_failed_traces"),
    ]

    operations = [
        migrations.AddField(
            model_name="metadataversion",
            name="url",
            field=models.CharField(blank=True, default="", max_length=1024),
            preserve_default=False,
        ),
    ]

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sso", "0004_certificates"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="signintrace",
            index=models.Index(
                condition=models.Q(("error", ""), _negated=True),
                fields=["organisation", "error", "-id"],
                name="sso_trace_failed",
            ),
        ),
    ]

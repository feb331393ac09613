from __future__ import annotations

from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    dependencies = [
        ("sso", "0003_sign_out"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="certificates_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        policies.platform_reads_columns("sso_connection", "closed_at, certificates_until"),
        policies.platform_reads_columns("sso_metadataversion", "id, organisation_id, state"),
    ]

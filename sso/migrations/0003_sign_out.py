from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sso", "0002_company_sign_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="idp_slo_binding",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="connection",
            name="idp_slo_response_url",
            field=models.CharField(blank=True, max_length=1024),
        ),
        migrations.AddField(
            model_name="metadataversion",
            name="idp_slo_binding",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="metadataversion",
            name="idp_slo_response_url",
            field=models.CharField(blank=True, max_length=1024),
        ),
    ]

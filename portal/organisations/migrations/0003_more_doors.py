from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0002_company_sign_in"),
    ]

    operations = [
        migrations.AlterField(
            model_name="door",
            name="kind",
            field=models.CharField(
                choices=[
                    ("connection", "Connection"),
                    ("learner", "Learner"),
                    ("member", "Member"),
                    ("setup", "Setup"),
                    ("code", "Code"),
                    ("certificate", "Certificate"),
                ],
                max_length=20,
            ),
        ),
    ]

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0002_company_sign_in"),
        ("people", "0002_attributes"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="break_glass",
            field=models.BooleanField(default=False),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("break_glass", False), ("role", "owner"), _connector="OR"),
                name="people_glass_is_owners",
            ),
        ),
    ]

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0004_private_ways"),
    ]

    operations = [
        migrations.AddField(
            model_name="privateaddress",
            name="candidate",
            field=models.CharField(blank=True, db_default="", default="", max_length=254),
        ),
        migrations.AlterField(
            model_name="privateaddress",
            name="address",
            field=models.CharField(blank=True, max_length=254),
        ),
        migrations.AddConstraint(
            model_name="privateaddress",
            constraint=models.UniqueConstraint(
                condition=models.Q(("digest__isnull", False)), fields=("digest",), name="people_private_link_once"
            ),
        ),
        migrations.AddIndex(
            model_name="privateaddress",
            index=models.Index(
                condition=models.Q(("verified_at__isnull", False)), fields=["address"], name="people_private_by_address"
            ),
        ),
    ]

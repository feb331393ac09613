from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(
                    (
                        "action__in",
                        [
                            "people:employee:see",
                            "people:employee:edit",
                            "people:employee:link",
                            "people:employee:unlink",
                            "reports:report:export",
                            "imports:file:take",
                            "people:support:open",
                        ],
                    )
                ),
                fields=["organisation_id", "action", "subject", "-id"],
                name="audit_about_people",
            ),
        ),
    ]

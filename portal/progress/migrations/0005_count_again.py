from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    """Have every organisation counted anew: the counts by site and by cause did not exist."""

    dependencies = [("core", "0001_initial"), ("progress", "0004_cohorts")]

    operations = [
        migrations.RunSQL(
            sql="INSERT INTO core_pendingwork (organisation_id, topic, subject_id, created_at)"
            " SELECT id, 'roster', 0, now() FROM organisations_organisation",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]

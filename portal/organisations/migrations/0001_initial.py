from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

from portal.core import policies


class Migration(migrations.Migration):
    initial = True

    # The default privileges must be there before any table is.
    run_before = [
        ("contenttypes", "0001_initial"),
        ("auth", "0001_initial"),
        ("sessions", "0001_initial"),
        ("account", "0001_initial"),
        ("mfa", "0001_initial"),
    ]

    dependencies = []

    operations = [
        policies.ground(),
        migrations.CreateModel(
            name="Organisation",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=200)),
                ("sort_name", models.CharField(max_length=200)),
                (
                    "language",
                    models.CharField(choices=[("fr", "Français"), ("en", "English")], default="fr", max_length=2),
                ),
                ("time_zone", models.CharField(default="Europe/Paris", max_length=40)),
                ("accent", models.CharField(blank=True, max_length=20)),
                (
                    "support_contact",
                    models.CharField(blank=True, max_length=200, verbose_name="whom employees ask for help"),
                ),
                ("names_required", models.BooleanField(default=True)),
                ("departure_percent", models.PositiveSmallIntegerField(default=10)),
                ("departure_floor", models.PositiveSmallIntegerField(default=3)),
                ("small_group", models.PositiveSmallIntegerField(default=10)),
                ("active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("departure_percent__lte", 100)),
                        name="organisations_departure_percent",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EmailDomain",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("domain", models.CharField(max_length=253)),
                ("verified_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="email_domains",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "domain"), name="organisations_domain_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("verified_at__isnull", False)),
                        fields=("domain",),
                        name="organisations_domain_owner",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Door",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("connection", "Connection"), ("learner", "Learner"), ("member", "Member")],
                        max_length=20,
                    ),
                ),
                ("digest", models.BinaryField(max_length=32)),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="organisations.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "digest", "organisation"), name="organisations_door_once")
                ],
            },
        ),
        policies.platform_reads("organisations_organisation"),
        policies.platform_reads("organisations_emaildomain"),
    ]

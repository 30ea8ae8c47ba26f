from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("webhooks", "0001_tables"),
    ]

    operations = [
        migrations.CreateModel(
            name="Seen",
            fields=[
                ("event_id", models.UUIDField(primary_key=True, serialize=False)),
            ],
        ),
    ]

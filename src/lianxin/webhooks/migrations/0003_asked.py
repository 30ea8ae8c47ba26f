from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("webhooks", "0002_seen"),
    ]

    operations = [
        migrations.AddField(
            model_name="follow",
            name="asked",
            field=models.PositiveSmallIntegerField(db_default=1, default=1),
        ),
    ]

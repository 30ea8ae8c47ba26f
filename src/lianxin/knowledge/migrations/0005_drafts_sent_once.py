from django.db import migrations, models


class Migration(migrations.Migration):
    """A draft sent twice is one draft. That an article is in use is said by its versions."""

    dependencies = [("knowledge", "0004_articles_by_version")]

    operations = [
        migrations.AddField(
            model_name="version", name="key", field=models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
        migrations.RemoveField(model_name="article", name="active"),
    ]

from django.db import migrations


class Migration(migrations.Migration):
    """What an article says stands in its versions only."""

    dependencies = [("knowledge", "0003_first_versions")]

    operations = [
        migrations.RemoveField(model_name="article", name="answer"),
        migrations.RemoveField(model_name="article", name="basis"),
        migrations.RemoveField(model_name="article", name="category"),
        migrations.RemoveField(model_name="article", name="keywords"),
        migrations.RemoveField(model_name="article", name="questions"),
        migrations.RemoveField(model_name="article", name="review_by"),
        migrations.RemoveField(model_name="article", name="source"),
        migrations.RemoveField(model_name="article", name="title"),
        migrations.RemoveField(model_name="article", name="unit"),
        migrations.RemoveField(model_name="article", name="valid_from"),
    ]

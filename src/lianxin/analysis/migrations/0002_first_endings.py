from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0001_episodes")]

    operations = [
        migrations.AddField("episode", "ended_at", models.DateTimeField(null=True)),
        migrations.AddField("episode", "ended_as", models.CharField(max_length=12, blank=True, default="")),
        migrations.RemoveIndex("episode", "episode_closed"),
        migrations.AddIndex("episode", models.Index(
            fields=["ended_at"], condition=models.Q(ended_at__isnull=False), name="episode_ended")),
        # Whatever was read before knows of no first ending: the next refresh reads every case again.
        migrations.RunSQL("UPDATE analysis_refresh SET read_to = NULL", migrations.RunSQL.noop),
    ]

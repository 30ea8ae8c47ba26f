# docs/explanation/adr/0019-speed.md says why.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from lianxin.cases import schema_sql


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0002_urgent_queue'),
        ('procrastinate', '0041_post_retry_failed_job'),
        ('organisations', '0001_initial'),
        ('places', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='case',
            name='case_queue',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='case_unit_queue',
        ),
        migrations.RemoveIndex(
            model_name='case',
            name='case_county_queue',
        ),
        migrations.AlterField(
            model_name='case',
            name='area',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='places.area'),
        ),
        # Django would drop and make again a foreign key to a partitioned table, and finds one for each partition.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(schema_sql.DROP_EVENTTEXT_KEYS, schema_sql.EVENTTEXT_KEYS)],
            state_operations=[
                migrations.AlterField(
                    model_name='eventtext',
                    name='case',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='texts', to='cases.case'),
                ),
                migrations.AlterField(
                    model_name='eventtext',
                    name='event',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='texts', to='cases.event'),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['state', 'due_at', 'id'], name='case_queue'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['lead_unit', 'state', 'due_at', 'id'], name='case_unit_queue'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['county', 'state', 'due_at', 'id'], name='case_county_queue'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['-id'], name='case_open'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('lead_unit__isnull', False)), fields=['lead_unit', '-id'], name='case_of_unit'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('county__isnull', False)), fields=['county', '-id'], name='case_of_county'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('area__isnull', False)), fields=['area', '-registered_at'], name='case_of_area'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('urgency', 'urgent')), fields=['-id'], name='case_urgent'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('returns__gt', 0)), fields=['-id'], name='case_returned'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('round__gt', 1)), fields=['-id'], name='case_reopened'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('channel__in', ['phone', 'web']), _negated=True), fields=['channel', '-id'], name='case_channel'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('state__in', ['declined', 'withdrawn'])), fields=['state', '-id'], name='case_not_taken'),
        ),
        migrations.RunSQL(schema_sql.QUIET_JOBS, schema_sql.LOUD_JOBS),
        migrations.RunSQL(schema_sql.SHORT_PENDING, schema_sql.LONG_PENDING),
        migrations.RunSQL(schema_sql.DROP_EVENT_RECENT, schema_sql.EVENT_RECENT),
    ]

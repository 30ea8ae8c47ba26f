"""What a return was about and how long its ruling took: kept with each, and found out for those that are there."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from lianxin.worktime import calendar_of

FILL = """
UPDATE cases_return r
SET unit_id = a.unit_id, rule_id = a.rule_id, category_id = c.category_id,
    round = COALESCE((SELECT k.round FROM cases_clock k WHERE k.assignment_id = a.id ORDER BY k.started_at LIMIT 1), 1)
FROM cases_assignment a, cases_case c
WHERE a.id = r.assignment_id AND c.id = r.case_id
"""


def reckon(apps, schema_editor):
    """Working minutes from raised to ruled, in the city's working time as it is now."""
    found = apps.get_model("organisations", "WorkCalendar").objects.filter(code="working").first()
    calendar = calendar_of(found.definition if found else {"base": "legal"})
    rows = apps.get_model("cases", "Return").objects.filter(ruled_at__isnull=False, minutes__isnull=True)
    batch = []
    for row in rows.only("id", "raised_at", "ruled_at").iterator(chunk_size=2000):
        row.minutes = calendar.between(row.raised_at, row.ruled_at)
        batch.append(row)
        if len(batch) == 2000:
            rows.model.objects.bulk_update(batch, ["minutes"])
            batch = []
    rows.model.objects.bulk_update(batch, ["minutes"])


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0013_notices_and_pauses'),
        ('organisations', '0004_calendars'),
        ('places', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='return',
            name='basis',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='return',
            name='bound',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='return',
            name='category',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.category'),
        ),
        migrations.AddField(
            model_name='return',
            name='minutes',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='return',
            name='round',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='return',
            name='rule',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.cataloguerule'),
        ),
        migrations.AddField(
            model_name='return',
            name='unit',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit'),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunPython(reckon, migrations.RunPython.noop),
    ]

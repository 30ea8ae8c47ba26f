"""Filters that are used together: urgent and returned have an index of their own, reopened and returned are read from one."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0017_unreached'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='case',
            name='case_reopened',
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(condition=models.Q(('round__gt', 1)), fields=['-id'], include=('returns',), name='case_reopened'),
        ),
        migrations.AddIndex(
            model_name='case',
            index=models.Index(
                condition=models.Q(('returns__gt', 0), ('urgency', 'urgent')), fields=['-id'], include=('round',),
                name='case_urgent_returned',
            ),
        ),
    ]

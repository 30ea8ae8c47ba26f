from django.conf import settings
from django.db import migrations, models

# Returns left waiting by a case that was withdrawn: they lapsed with the end of their assignment.
LAPSE = """
UPDATE cases_return r
SET ruling = 'lapsed', ruled_at = a.ended_at,
    ruling_event_id = (SELECT e.id FROM cases_event e WHERE e.case_id = r.case_id
                       AND e.changes #>> ARRAY['assignments', a.id::text, 'ended_at'] IS NOT NULL)
FROM cases_assignment a
WHERE a.id = r.assignment_id AND r.ruling = 'waiting' AND a.ended_at IS NOT NULL
"""
WAIT = "UPDATE cases_return SET ruling = 'waiting', ruled_at = NULL, ruling_event_id = NULL WHERE ruling = 'lapsed'"


class Migration(migrations.Migration):
    """A return whose assignment ends without a ruling has an end of its own."""

    dependencies = [
        ('cases', '0005_whole_positions'),
        ('organisations', '0001_initial'),
        ('places', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='return',
            name='ruling',
            field=models.CharField(choices=[('waiting', '待裁定'), ('upheld', '同意退单'), ('rejected', '驳回退单'), ('lapsed', '未裁定已作废')], default='waiting', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ruling', 'lapsed'), _negated=True), ('ruled_by__isnull', True), _connector='OR'), name='return_lapsed_is_ruled_by_nobody'),
        ),
        migrations.RunSQL(LAPSE, WAIT),
    ]

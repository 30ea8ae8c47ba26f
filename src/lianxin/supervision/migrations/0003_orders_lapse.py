from django.conf import settings
from django.db import migrations, models


def lapse(apps, schema_editor):  # type: ignore[no-untyped-def]
    """Orders whose case has ended: nobody owes their answer."""
    apps.get_model("supervision", "Order").objects.filter(
        state__in=["open", "answered"], case__closed_at__isnull=False).update(state="lapsed")


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0018_filters_together'),
        ('organisations', '0004_calendars'),
        ('supervision', '0002_issue_once'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='order',
            name='order_state_known',
        ),
        migrations.RemoveConstraint(
            model_name='order',
            name='order_answer_has_a_time',
        ),
        migrations.AddField(
            model_name='listing',
            name='asked',
            field=models.BinaryField(blank=True, max_length=32, null=True),
        ),
        migrations.AlterField(
            model_name='order',
            name='state',
            field=models.CharField(choices=[('open', '待答复'), ('answered', '已答复，待认定'), ('settled', '已解除'), ('noted', '无须答复'), ('lapsed', '随工单办结')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'answered', 'settled', 'noted', 'lapsed'])), name='order_state_known'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state__in', ['open', 'noted', 'lapsed'])), models.Q(('answered_at__isnull', False), ('settled_at__isnull', True), ('state', 'answered')), models.Q(('settled_at__isnull', False), ('state', 'settled')), _connector='OR'), name='order_answer_has_a_time'),
        ),
        migrations.RunPython(lapse, migrations.RunPython.noop),
    ]

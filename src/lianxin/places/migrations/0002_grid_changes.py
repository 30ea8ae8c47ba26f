import django.contrib.postgres.constraints
import django.db.models.deletion
import lianxin.kernel.clock
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models

from lianxin.places.schema_sql import DROP_GRID_HISTORY_STAYS, GRID_HISTORY_STAYS


class Migration(migrations.Migration):

    dependencies = [
        ('places', '0001_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='city',
            name='grids_version',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.CreateModel(
            name='GridChange',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('step', models.CharField(choices=[('loaded', '随城市文件装入'), ('fitted', '随村界调整'), ('split', '拆分'), ('merged', '合并'), ('redrawn', '重新画界'), ('renamed', '改名')], max_length=10)),
                ('at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('why', models.CharField(blank=True, max_length=200)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('village', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='grid_changes', to='places.area')),
            ],
        ),
        migrations.CreateModel(
            name='BoundaryVersion',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('boundary', models.JSONField()),
                ('synthetic', models.BooleanField()),
                ('valid_from', models.DateTimeField()),
                ('valid_to', models.DateTimeField(blank=True, null=True)),
                ('area', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='boundary_versions', to='places.area')),
                ('change', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='boundaries', to='places.gridchange')),
            ],
        ),
        migrations.AddConstraint(
            model_name='gridchange',
            constraint=models.CheckConstraint(condition=models.Q(('step__in', ['loaded', 'fitted', 'split', 'merged', 'redrawn', 'renamed'])), name='grid_step_known'),
        ),
        migrations.AddConstraint(
            model_name='gridchange',
            constraint=models.UniqueConstraint(fields=('village', 'version'), name='grid_change_numbered_once'),
        ),
        migrations.AddConstraint(
            model_name='gridchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('by__isnull', True), ('step__in', ['loaded', 'fitted'])), models.Q(models.Q(('step__in', ['loaded', 'fitted']), _negated=True), ('by__isnull', False), models.Q(('why', ''), _negated=True)), _connector='OR'), name='grid_change_by_a_person_says_why'),
        ),
        migrations.AddConstraint(
            model_name='boundaryversion',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='boundary_ends_after_it_begins'),
        ),
        migrations.AddConstraint(
            model_name='boundaryversion',
            constraint=models.UniqueConstraint(fields=('area', 'change'), name='boundary_once_in_a_change'),
        ),
        migrations.AddConstraint(
            model_name='boundaryversion',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func(models.F('area'), models.F('area'), models.Value('[]'), function='int8range'), '&&'), (models.Func(models.F('valid_from'), models.F('valid_to'), function='tstzrange'), '&&')], name='boundary_one_at_a_time'),
        ),
        migrations.RunSQL(GRID_HISTORY_STAYS, DROP_GRID_HISTORY_STAYS),
    ]

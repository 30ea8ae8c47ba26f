import datetime
import django.db.models.deletion
import django.db.models.expressions
import lianxin.kernel.clock
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models

from lianxin.care.schema_sql import DROP_GUARD, GUARD


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('organisations', '0003_field_roles'),
        ('places', '0001_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CareEntry',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.BinaryField()),
                ('address', models.BinaryField()),
                ('phone', models.BinaryField(blank=True, null=True)),
                ('trusted', models.BinaryField(blank=True, null=True)),
                ('purpose', models.BinaryField()),
                ('interval_days', models.PositiveSmallIntegerField()),
                ('stand_in_until', models.DateField(blank=True, null=True)),
                ('consent_on', models.DateField()),
                ('consent_how', models.CharField(choices=[('paper', '本人在同意书上签字'), ('spoken', '当面口头同意，有见证人'), ('online', '本人网上提交')], max_length=10)),
                ('consent_until', models.DateField()),
                ('witness', models.BinaryField(blank=True, null=True)),
                ('made_at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('due_on', models.DateField()),
                ('absences', models.PositiveSmallIntegerField(default=0)),
                ('told', models.CharField(blank=True, choices=[('not_at_home', '连着两次没见到人'), ('needs_help', '走访时需要帮助，已另外登记诉求')], max_length=12)),
                ('told_at', models.DateTimeField(blank=True, null=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('area', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='places.area')),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('stand_in', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
                ('visitor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='CareStep',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('entry_id', models.UUIDField()),
                ('kind', models.CharField(choices=[('made', '新登记'), ('changed', '更正'), ('given', '换走访人'), ('renewed', '续期'), ('withdrawn', '本人撤回，已删除'), ('lapsed', '到期没有续，已删除')], max_length=10)),
                ('at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
            ],
        ),
        migrations.CreateModel(
            name='CareVisit',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('done', '见到了，都好'), ('not_at_home', '没见到人'), ('needs_help', '需要帮助')], max_length=12)),
                ('note', models.BinaryField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='visits', to='care.careentry')),
            ],
        ),
        migrations.CreateModel(
            name='CareAccess',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('entry_id', models.UUIDField()),
                ('page', models.CharField(choices=[('list', '登记名单'), ('visits', '走访页'), ('phone', '走访人的手机'), ('entry', '打开登记'), ('print', '打印给本人')], max_length=10)),
                ('at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('day', models.DateField()),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
            ],
            options={
                'indexes': [models.Index(fields=['entry_id', 'at'], name='care_access_of_entry')],
                'constraints': [models.CheckConstraint(condition=models.Q(('page__in', ['list', 'visits', 'phone', 'entry', 'print'])), name='care_access_page_known'), models.UniqueConstraint(condition=models.Q(('page__in', ['list', 'visits', 'phone'])), fields=('entry_id', 'staff', 'page', 'day'), name='care_access_daily')],
            },
        ),
        migrations.AddIndex(
            model_name='careentry',
            index=models.Index(fields=['unit', 'due_on'], name='care_entry_of_unit'),
        ),
        migrations.AddIndex(
            model_name='careentry',
            index=models.Index(fields=['visitor', 'due_on'], name='care_entry_of_visitor'),
        ),
        migrations.AddIndex(
            model_name='careentry',
            index=models.Index(fields=['consent_until'], name='care_entry_consent'),
        ),
        migrations.AddIndex(
            model_name='careentry',
            index=models.Index(condition=models.Q(('told', ''), _negated=True), fields=['unit'], name='care_entry_told'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(('consent_how__in', ['paper', 'spoken', 'online'])), name='care_consent_how_known'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(('told__in', ['', 'not_at_home', 'needs_help'])), name='care_told_known'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(('consent_until__gte', models.F('consent_on')), ('consent_until__lte', django.db.models.expressions.CombinedExpression(models.F('consent_on'), '+', models.Value(datetime.timedelta(days=366))))), name='care_consent_at_most_a_year'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('consent_how', 'spoken'), ('witness__isnull', False)), models.Q(models.Q(('consent_how', 'spoken'), _negated=True), ('witness__isnull', True)), _connector='OR'), name='care_spoken_consent_has_a_witness'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(('interval_days__gte', 1), ('interval_days__lte', 92)), name='care_interval_in_days'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stand_in__isnull', True), ('stand_in_until__isnull', True)), models.Q(('stand_in__isnull', False), ('stand_in_until__isnull', False)), _connector='OR'), name='care_stand_in_has_an_end'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(('stand_in__isnull', True), models.Q(('stand_in', models.F('visitor')), _negated=True), _connector='OR'), name='care_stand_in_is_another'),
        ),
        migrations.AddConstraint(
            model_name='careentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('told', ''), ('told_at__isnull', True)), models.Q(models.Q(('told', ''), _negated=True), ('told_at__isnull', False)), _connector='OR'), name='care_told_has_a_time'),
        ),
        migrations.AddIndex(
            model_name='carestep',
            index=models.Index(fields=['entry_id', 'id'], name='care_step_of_entry'),
        ),
        migrations.AddConstraint(
            model_name='carestep',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['made', 'changed', 'given', 'renewed', 'withdrawn', 'lapsed'])), name='care_step_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='carestep',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('by__isnull', True), ('kind', 'lapsed')), models.Q(models.Q(('kind', 'lapsed'), _negated=True), ('by__isnull', False)), _connector='OR'), name='care_step_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='carestep',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'made')), fields=('entry_id',), name='care_entry_made_once'),
        ),
        migrations.AddConstraint(
            model_name='carestep',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ['withdrawn', 'lapsed'])), fields=('entry_id',), name='care_entry_ends_once'),
        ),
        migrations.AddIndex(
            model_name='carevisit',
            index=models.Index(fields=['entry', 'at'], name='care_visit_of_entry'),
        ),
        migrations.AddConstraint(
            model_name='carevisit',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['done', 'not_at_home', 'needs_help'])), name='care_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='carevisit',
            constraint=models.CheckConstraint(condition=models.Q(('at__lte', models.F('recorded_at'))), name='care_visit_not_in_the_future'),
        ),
        migrations.RunSQL(GUARD, DROP_GUARD),
    ]

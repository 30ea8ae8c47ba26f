import django.db.models.deletion
import lianxin.kernel.clock
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('quality', '0001_initial'),
        ('quality', '0002_choices_known'),
        ('quality', '0003_checklist_campaigns_contests'),
        ('quality', '0004_campaign_key'),
        ('quality', '0005_campaign_share'),
        ('quality', '0006_campaign_asked'),
    ]

    initial = True

    dependencies = [
        ('cases', '0001_tables'),
        ('organisations', '0001_tables'),
        ('places', '0001_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField()),
                ('share', models.PositiveSmallIntegerField(default=100)),
                ('minimum', models.PositiveSmallIntegerField(default=0)),
                ('seed', models.CharField(max_length=32)),
                ('key', models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
                ('asked', models.BinaryField(blank=True, max_length=32, null=True)),
                ('created_at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.category')),
                ('county', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='places.area')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
            ],
            options={
                'ordering': ['-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('share__lte', 100), models.Q(('share', 0), _negated=True)), name='campaign_share_is_a_percentage'), models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='campaign_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='campaign_ended_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='CampaignDraw',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField(unique=True)),
                ('round', models.PositiveSmallIntegerField()),
                ('position', models.PositiveIntegerField()),
                ('drawn', models.BooleanField()),
                ('at', models.DateTimeField()),
                ('rate_until', models.DateTimeField(blank=True, null=True)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='quality.campaign')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='cases.case')),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('drawn', False), ('settled_at__isnull', True)), fields=['rate_until'], name='draw_to_settle')],
                'constraints': [models.UniqueConstraint(fields=('case', 'round'), name='draw_once_per_round'), models.UniqueConstraint(fields=('campaign', 'unit', 'position'), name='draw_position_once'), models.CheckConstraint(condition=models.Q(models.Q(('drawn', True), ('rate_until__isnull', True)), models.Q(('drawn', False), ('rate_until__isnull', False)), _connector='OR'), name='draw_called_or_asked_to_rate')],
            },
        ),
        migrations.CreateModel(
            name='ChecklistItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=24)),
                ('question', models.CharField(max_length=120)),
                ('question_en', models.CharField(max_length=200)),
                ('na_allowed', models.BooleanField(default=False)),
                ('required', models.BooleanField(default=True)),
                ('field_only', models.BooleanField(default=False)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('active', models.BooleanField(default=True)),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.category')),
            ],
            options={
                'ordering': ['position', 'code'],
                'constraints': [models.UniqueConstraint(fields=('code', 'category'), name='checklist_item_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Contest',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField(unique=True)),
                ('round', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField()),
                ('outcome', models.CharField(max_length=12)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contests', to='cases.case')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('case', 'round'), name='contest_once_per_round')],
            },
        ),
        migrations.CreateModel(
            name='Rating',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField(unique=True)),
                ('round', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField()),
                ('solved', models.BooleanField()),
                ('satisfaction', models.CharField(choices=[('satisfied', '满意'), ('basically', '基本满意'), ('dissatisfied', '不满意')], max_length=14)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ratings', to='cases.case')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('case', 'round'), name='rating_once_per_round'), models.CheckConstraint(condition=models.Q(('satisfaction__in', ['satisfied', 'basically', 'dissatisfied'])), name='rating_satisfaction_known')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField(unique=True)),
                ('verdict', models.CharField(choices=[('passed', '通过'), ('sent_back', '退回重办')], max_length=10)),
                ('at', models.DateTimeField()),
                ('answers', models.JSONField(blank=True, default=dict)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reply', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='cases.reply')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('verdict__in', ['passed', 'sent_back'])), name='review_verdict_known')],
            },
        ),
        migrations.CreateModel(
            name='CallbackAttempt',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField(unique=True)),
                ('round', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('reached', '已接通'), ('no_answer', '无人接听'), ('busy', '占线'), ('refused', '拒绝回访'), ('wrong_number', '号码有误')], max_length=14)),
                ('truthful', models.BooleanField(blank=True, null=True)),
                ('solved', models.BooleanField(blank=True, null=True)),
                ('satisfaction', models.CharField(blank=True, choices=[('satisfied', '满意'), ('basically', '基本满意'), ('dissatisfied', '不满意')], max_length=14)),
                ('justified', models.BooleanField(blank=True, null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='callback_attempts', to='cases.case')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('outcome', 'reached'), models.Q(('satisfaction', ''), ('solved__isnull', True), ('truthful__isnull', True)), _connector='OR'), name='callback_answers_only_when_reached'), models.CheckConstraint(condition=models.Q(('justified__isnull', True), ('satisfaction', 'dissatisfied'), _connector='OR'), name='callback_justified_only_when_dissatisfied'), models.CheckConstraint(condition=models.Q(('outcome__in', ['reached', 'no_answer', 'busy', 'refused', 'wrong_number'])), name='callback_outcome_known'), models.CheckConstraint(condition=models.Q(('satisfaction__in', ['', 'satisfied', 'basically', 'dissatisfied'])), name='callback_satisfaction_known')],
            },
        ),
    ]

import django.contrib.postgres.fields
import django.db.models.deletion
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models

from lianxin.knowledge.schema_sql import DROP_VERSIONS_STAY, VERSIONS_STAY


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('knowledge', '0001_initial'),
        ('knowledge', '0002_versions'),
        ('knowledge', '0003_first_versions'),
        ('knowledge', '0004_articles_by_version'),
        ('knowledge', '0005_drafts_sent_once'),
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
            name='Article',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='SynonymGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
            ],
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('title', models.CharField(max_length=160)),
                ('questions', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=200), blank=True, default=list, size=None)),
                ('keywords', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('answer', models.TextField()),
                ('basis', models.TextField(blank=True)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('valid_from', models.DateField()),
                ('valid_until', models.DateField(blank=True, null=True)),
                ('review_by', models.DateField(blank=True, null=True)),
                ('public', models.BooleanField(default=True)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(choices=[('draft', '草稿，待审定'), ('approved', '在用'), ('replaced', '已被新版取代'), ('dropped', '没有采用'), ('withdrawn', '已撤下')], default='draft', max_length=10)),
                ('written_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('key', models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
                ('area', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='articles', to='places.area')),
                ('article', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='knowledge.article')),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='articles', to='cases.category')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='articles', to='organisations.unit')),
                ('written_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['article_id', '-number'],
                'constraints': [models.UniqueConstraint(fields=('article', 'number'), name='article_version_number_once'), models.UniqueConstraint(condition=models.Q(('state', 'approved')), fields=('article',), name='article_one_version_in_use'), models.UniqueConstraint(condition=models.Q(('state', 'draft')), fields=('article',), name='article_one_draft'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'approved', 'replaced', 'dropped', 'withdrawn'])), name='article_version_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('answer', ''), _negated=True)), name='article_version_says_something'), models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'dropped']), ('written_by__isnull', True), models.Q(('decided_by__isnull', False), models.Q(('decided_by', models.F('written_by')), _negated=True)), _connector='OR'), name='article_version_approved_by_another'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='article_version_decision_has_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state__in', ['replaced', 'withdrawn'])), models.Q(('ended_at__isnull', True), ('ended_by__isnull', True), ('state__in', ['draft', 'approved', 'dropped'])), _connector='OR'), name='article_version_ended_has_a_time'), models.CheckConstraint(condition=models.Q(('valid_until__isnull', True), ('valid_until__gte', models.F('valid_from')), _connector='OR'), name='article_version_valid_for_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Use',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.UUIDField(unique=True)),
                ('at', models.DateTimeField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='knowledge.version')),
            ],
        ),
        migrations.CreateModel(
            name='Term',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('term', models.CharField(max_length=40)),
                ('whole', models.BooleanField(default=False)),
                ('weight', models.FloatField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='terms', to='knowledge.version')),
            ],
            options={
                'indexes': [models.Index(fields=['term'], include=('version', 'weight', 'whole'), name='article_term_found'), models.Index(condition=models.Q(('whole', True)), fields=['version'], name='article_term_whole')],
                'constraints': [models.UniqueConstraint(fields=('version', 'whole', 'term'), name='article_term_once'), models.CheckConstraint(condition=models.Q(('weight__gt', 0)), name='article_term_weighs')],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('fault', models.CharField(choices=[('wrong', '说错了'), ('outdated', '过时了'), ('unclear', '看不懂')], max_length=10)),
                ('words', models.TextField()),
                ('reported_at', models.DateTimeField()),
                ('calendar', models.CharField(max_length=20)),
                ('due_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('open', '待处理'), ('corrected', '已改'), ('kept', '不用改，已说明')], default='open', max_length=10)),
                ('answer', models.TextField(blank=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('key', models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reported_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
                ('corrected', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='corrects', to='knowledge.version')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='knowledge.version')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['unit', 'due_at'], name='article_report_waits')],
                'constraints': [models.CheckConstraint(condition=models.Q(('fault__in', ['wrong', 'outdated', 'unclear'])), name='article_report_fault_known'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'corrected', 'kept'])), name='article_report_state_known'), models.CheckConstraint(condition=models.Q(('due_at__gt', models.F('reported_at'))), name='article_report_due_after_it'), models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True), ('corrected__isnull', True), ('state', 'open')), models.Q(('answered_at__isnull', False), ('corrected__isnull', False), ('state', 'corrected')), models.Q(('answered_at__isnull', False), ('corrected__isnull', True), ('state', 'kept'), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='article_report_answered_how')],
            },
        ),
        migrations.RunSQL(VERSIONS_STAY, DROP_VERSIONS_STAY),
    ]

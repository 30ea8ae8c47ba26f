import django.db.models.deletion
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models

from lianxin.supervision.schema_sql import DROP_ENTRIES_STAY, ENTRIES_STAY


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('supervision', '0001_initial'),
        ('supervision', '0002_issue_once'),
        ('supervision', '0003_orders_lapse'),
    ]

    initial = True

    dependencies = [
        ('cases', '0001_tables'),
        ('organisations', '0001_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Listing',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('year', models.PositiveSmallIntegerField()),
                ('serial', models.PositiveIntegerField()),
                ('title', models.CharField(max_length=80)),
                ('criteria', models.TextField()),
                ('leader_name', models.CharField(max_length=40)),
                ('leader_title', models.CharField(max_length=80)),
                ('due_on', models.DateField()),
                ('plan', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('listed', '已挂牌，待报方案'), ('planned', '整改中'), ('delisting', '已申请摘牌'), ('delisted', '已摘牌')], default='listed', max_length=10)),
                ('version', models.PositiveIntegerField(default=1)),
                ('issued_at', models.DateTimeField()),
                ('requested_at', models.DateTimeField(blank=True, null=True)),
                ('delisted_at', models.DateTimeField(blank=True, null=True)),
                ('finding', models.TextField(blank=True)),
                ('key', models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
                ('asked', models.BinaryField(blank=True, max_length=32, null=True)),
                ('delisted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='organisations.unit')),
            ],
            options={
                'indexes': [models.Index(fields=['unit', '-issued_at'], name='listing_of_unit')],
                'constraints': [models.UniqueConstraint(fields=('year', 'serial'), name='listing_number_once'), models.CheckConstraint(condition=models.Q(('state__in', ['listed', 'planned', 'delisting', 'delisted'])), name='listing_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('criteria', ''), _negated=True), models.Q(('title', ''), _negated=True)), name='listing_has_criteria'), models.CheckConstraint(condition=models.Q(('state', 'listed'), models.Q(('plan', ''), _negated=True), _connector='OR'), name='listing_planned_has_a_plan'), models.CheckConstraint(condition=models.Q(('state__in', ['listed', 'planned']), models.Q(('requested_at__isnull', False), ('requested_by__isnull', False)), _connector='OR'), name='listing_delisting_was_asked_for'), models.CheckConstraint(condition=models.Q(('delisted_by__isnull', True), models.Q(models.Q(('delisted_by', models.F('issued_by')), _negated=True), models.Q(('delisted_by', models.F('requested_by')), _negated=True)), _connector='OR'), name='listing_delisted_by_an_independent_person'), models.CheckConstraint(condition=models.Q(models.Q(('delisted_at__isnull', False), ('delisted_by__isnull', False), ('state', 'delisted'), models.Q(('finding', ''), _negated=True)), models.Q(models.Q(('state', 'delisted'), _negated=True), ('delisted_at__isnull', True), ('delisted_by__isnull', True)), _connector='OR'), name='listing_delisted_has_a_finding')],
            },
        ),
        migrations.CreateModel(
            name='ListingCase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.UUIDField(unique=True)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='cases.case')),
                ('listing', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='members', to='supervision.listing')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('listing', 'case'), name='listing_case_once')],
            },
        ),
        migrations.CreateModel(
            name='ListingEntry',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('step', models.CharField(choices=[('issue', '挂牌'), ('plan', '报方案'), ('milestone', '完成节点'), ('request', '申请摘牌'), ('refuse', '不同意摘牌'), ('confirm', '核实摘牌'), ('move', '调整期限')], max_length=10)),
                ('at', models.DateTimeField()),
                ('words', models.TextField(blank=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('listing', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='supervision.listing')),
            ],
            options={
                'ordering': ['id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', ['issue', 'plan', 'milestone', 'request', 'refuse', 'confirm', 'move'])), name='listing_entry_step_known')],
            },
        ),
        migrations.CreateModel(
            name='Milestone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('title', models.CharField(max_length=120)),
                ('due_on', models.DateField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('proof', models.CharField(blank=True, max_length=300)),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('listing', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='milestones', to='supervision.listing')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('listing', 'position'), name='milestone_position_once'), models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by__isnull', True), ('proof', '')), models.Q(('done_at__isnull', False), ('done_by__isnull', False), models.Q(('proof', ''), _negated=True)), _connector='OR'), name='milestone_done_has_proof')],
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('level', models.CharField(choices=[('reminder', '催办'), ('written', '督办'), ('listed', '挂牌督办')], max_length=10)),
                ('year', models.PositiveSmallIntegerField()),
                ('serial', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('open', '待答复'), ('answered', '已答复，待认定'), ('settled', '已解除'), ('noted', '无须答复'), ('lapsed', '随工单办结')], max_length=10)),
                ('event_id', models.UUIDField(unique=True)),
                ('issued_at', models.DateTimeField()),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='cases.case')),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('settled_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='organisations.unit')),
            ],
            options={
                'indexes': [models.Index(fields=['unit', '-issued_at'], name='order_of_unit'), models.Index(fields=['state', '-issued_at'], name='order_of_state')],
                'constraints': [models.UniqueConstraint(fields=('level', 'year', 'serial'), name='order_number_once'), models.UniqueConstraint(condition=models.Q(('state__in', ['open', 'answered'])), fields=('case',), name='order_one_open_per_case'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'answered', 'settled', 'noted', 'lapsed'])), name='order_state_known'), models.CheckConstraint(condition=models.Q(('level__in', ['reminder', 'written'])), name='order_level_known'), models.CheckConstraint(condition=models.Q(models.Q(('level', 'reminder'), ('state', 'noted')), models.Q(('level', 'written'), models.Q(('state', 'noted'), _negated=True)), _connector='OR'), name='order_reminder_asks_no_answer'), models.CheckConstraint(condition=models.Q(models.Q(('settled_at__isnull', True), ('state__in', ['open', 'noted', 'lapsed'])), models.Q(('answered_at__isnull', False), ('settled_at__isnull', True), ('state', 'answered')), models.Q(('settled_at__isnull', False), ('state', 'settled')), _connector='OR'), name='order_answer_has_a_time'), models.CheckConstraint(condition=models.Q(('settled_by__isnull', True), ('answered_by__isnull', True), models.Q(('settled_by', models.F('answered_by')), _negated=True), _connector='OR'), name='order_settled_by_another')],
            },
        ),
        migrations.CreateModel(
            name='SerialBook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('reminder', '催办'), ('written', '督办'), ('listed', '挂牌督办')], max_length=10)),
                ('year', models.PositiveSmallIntegerField()),
                ('last', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('level', 'year'), name='serial_book_once'), models.CheckConstraint(condition=models.Q(('level__in', ['reminder', 'written', 'listed'])), name='serial_book_level_known')],
            },
        ),
        migrations.RunSQL(ENTRIES_STAY, DROP_ENTRIES_STAY),
    ]

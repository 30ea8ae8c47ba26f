"""The catalogue is changed by proposals, one decided by another; its versions are never altered."""

import django.contrib.postgres.fields
import django.db.models.deletion
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models

from lianxin.cases import schema_sql


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0014_return_details'),
        ('organisations', '0004_calendars'),
        ('places', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogueProposal',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('assisting_units', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), blank=True, default=list, size=None)),
                ('basis', models.CharField(max_length=300)),
                ('why', models.CharField(max_length=1000)),
                ('proposed_at', models.DateTimeField()),
                ('decision', models.CharField(choices=[('waiting', '待审定'), ('approved', '已采纳'), ('refused', '未采纳')], default='waiting', max_length=10)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('key', models.BinaryField(blank=True, max_length=32, null=True, unique=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='return',
            name='return_ruling_known',
        ),
        migrations.AddField(
            model_name='catalogueversion',
            name='restores',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.catalogueversion'),
        ),
        migrations.AddField(
            model_name='catalogueversion',
            name='source',
            field=models.CharField(choices=[('files', '城市文件'), ('proposal', '修改建议'), ('restored', '恢复旧版')], default='files', max_length=10),
        ),
        migrations.AlterField(
            model_name='catalogueversion',
            name='note',
            field=models.CharField(blank=True, max_length=1000),
        ),
        migrations.AlterField(
            model_name='return',
            name='ruling',
            field=models.CharField(choices=[('waiting', '待裁定'), ('upheld', '同意退单'), ('rejected', '驳回退单'), ('joint', '联合裁定'), ('lapsed', '未裁定已作废')], default='waiting', max_length=10),
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('kind', 'ruling'), ('met_at__isnull', True), ('stopped_at__isnull', True)), fields=['due_at', 'id'], name='clock_rulings'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['-raised_at', '-id'], name='return_recent'),
        ),
        migrations.AddIndex(
            model_name='return',
            index=models.Index(fields=['unit', '-raised_at', '-id'], name='return_of_unit'),
        ),
        migrations.AddConstraint(
            model_name='catalogueversion',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['files', 'proposal', 'restored'])), name='catalogue_source_known'),
        ),
        migrations.AddConstraint(
            model_name='catalogueversion',
            constraint=models.CheckConstraint(condition=models.Q(('number', 1), ('in_force_from__gte', models.F('created_at')), _connector='OR'), name='catalogue_version_never_retroactive'),
        ),
        migrations.AddConstraint(
            model_name='catalogueversion',
            constraint=models.CheckConstraint(condition=models.Q(('source', 'files'), ('created_by__isnull', False), _connector='OR'), name='catalogue_version_of_the_desk_has_a_maker'),
        ),
        migrations.AddConstraint(
            model_name='catalogueversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('restores__isnull', False), ('source', 'restored'), models.Q(('note', ''), _negated=True)), models.Q(models.Q(('source', 'restored'), _negated=True), ('restores__isnull', True)), _connector='OR'), name='catalogue_version_restored_says_what'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(('ruling__in', ['waiting', 'upheld', 'rejected', 'joint', 'lapsed'])), name='return_ruling_known'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('minutes__isnull', True), ('ruling', 'waiting')), models.Q(models.Q(('ruling', 'waiting'), _negated=True), ('minutes__isnull', False)), _connector='OR'), name='return_ruled_took_a_time'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('bound__len__gt', 1), ('ruling', 'joint'), models.Q(('basis', ''), _negated=True)), models.Q(models.Q(('ruling', 'joint'), _negated=True), ('basis', ''), ('bound__len', 0)), _connector='OR'), name='return_joint_names_basis_and_units'),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='area',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='places.area'),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='base',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.catalogueversion'),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='category',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.category'),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='lead_unit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit'),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='returned',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='cases.return'),
        ),
        migrations.AddField(
            model_name='catalogueproposal',
            name='version',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposal', to='cases.catalogueversion'),
        ),
        migrations.AddIndex(
            model_name='catalogueproposal',
            index=models.Index(fields=['-proposed_at', '-id'], name='catalogue_proposal_recent'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.CheckConstraint(condition=models.Q(('decision__in', ['waiting', 'approved', 'refused'])), name='catalogue_proposal_decision_known'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', ''), _negated=True), models.Q(('why', ''), _negated=True)), name='catalogue_proposal_says_why'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='catalogue_proposal_decided_by_another'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by__isnull', True), ('decision', 'waiting')), models.Q(models.Q(('decision', 'waiting'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='catalogue_proposal_decision_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'approved'), ('version__isnull', False)), models.Q(models.Q(('decision', 'approved'), _negated=True), ('version__isnull', True)), _connector='OR'), name='catalogue_proposal_approved_made_a_version'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decision', 'refused'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='catalogue_proposal_refused_says_why'),
        ),
        migrations.AddConstraint(
            model_name='catalogueproposal',
            constraint=models.UniqueConstraint(condition=models.Q(('decision', 'waiting')), fields=('category', 'area'), name='catalogue_proposal_one_waiting_of_a_kind', nulls_distinct=False),
        ),
        migrations.AlterField(
            model_name='return',
            name='unit',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit'),
        ),
        migrations.RunSQL(schema_sql.CATALOGUE_GUARD, schema_sql.DROP_CATALOGUE_GUARD),
    ]

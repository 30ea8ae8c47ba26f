import django.db.models.deletion
import lianxin.kernel.clock
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseImport',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('name', models.CharField(max_length=120)),
                ('suffix', models.CharField(max_length=8)),
                ('size', models.BigIntegerField()),
                ('mapping', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('draft', '待核对'), ('checking', '试运行中'), ('checked', '试过了'), ('importing', '导入中'), ('done', '已导入'), ('failed', '没能做完')], default='draft', max_length=10)),
                ('position', models.BigIntegerField(default=0)),
                ('counts', models.JSONField(default=dict)),
                ('reasons', models.JSONField(default=list)),
                ('fault', models.CharField(blank=True, max_length=500)),
                ('tried_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('beat_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('forgotten_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='case_import_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'checking', 'checked', 'importing', 'done', 'failed'])), name='case_import_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('fault__gt', ''), ('state', 'failed')), models.Q(models.Q(('state', 'failed'), _negated=True), ('fault', '')), _connector='OR'), name='case_import_failed_says_why'), models.CheckConstraint(condition=models.Q(('forgotten_at__isnull', True), models.Q(('mapping', {}), ('name', ''), ('reasons', [])), _connector='OR'), name='case_import_forgotten_holds_no_words')],
            },
        ),
    ]

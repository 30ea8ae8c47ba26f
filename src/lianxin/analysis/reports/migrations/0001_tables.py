import django.db.models.deletion
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('reports', '0001_kept_reports'),
        ('reports', '0002_no_kind'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='KeptReport',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('period', models.CharField(max_length=30)),
                ('format', models.CharField(choices=[('html', 'HTML'), ('pdf', 'PDF'), ('docx', 'DOCX')], max_length=4)),
                ('language', models.CharField(max_length=10)),
                ('title', models.CharField(max_length=200)),
                ('name', models.CharField(max_length=120)),
                ('size', models.PositiveIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('as_of', models.DateTimeField()),
                ('made_at', models.DateTimeField()),
                ('made_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['-made_at', '-id'], name='kept_report_recent')],
                'constraints': [models.CheckConstraint(condition=models.Q(('format__in', ['html', 'pdf', 'docx'])), name='kept_report_format_known'), models.UniqueConstraint(condition=models.Q(('made_by__isnull', True)), fields=('period', 'format', 'language'), name='kept_report_scheduled_once')],
            },
        ),
    ]

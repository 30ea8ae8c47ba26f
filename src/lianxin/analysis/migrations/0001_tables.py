from django.db import migrations, models


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('analysis', '0001_episodes'),
        ('analysis', '0002_first_endings'),
    ]

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Episode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('case_id', models.UUIDField()),
                ('round', models.PositiveSmallIntegerField()),
                ('number', models.CharField(max_length=20)),
                ('latest', models.BooleanField()),
                ('master_id', models.UUIDField(null=True)),
                ('channel', models.CharField(max_length=8)),
                ('kind', models.CharField(max_length=12)),
                ('urgency', models.CharField(max_length=8)),
                ('state', models.CharField(max_length=12)),
                ('outcome', models.CharField(blank=True, max_length=12)),
                ('category_id', models.BigIntegerField(null=True)),
                ('area_id', models.BigIntegerField(null=True)),
                ('town_id', models.BigIntegerField(null=True)),
                ('county_id', models.BigIntegerField(null=True)),
                ('unit_id', models.BigIntegerField(null=True)),
                ('registered_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_as', models.CharField(blank=True, default='', max_length=12)),
                ('sign_for_due_at', models.DateTimeField(null=True)),
                ('sign_for_ended_at', models.DateTimeField(null=True)),
                ('first_contact_due_at', models.DateTimeField(null=True)),
                ('first_contact_ended_at', models.DateTimeField(null=True)),
                ('first_contact_met_at', models.DateTimeField(null=True)),
                ('resolve_due_at', models.DateTimeField(null=True)),
                ('resolve_ended_at', models.DateTimeField(null=True)),
                ('callback_due_at', models.DateTimeField(null=True)),
                ('callback_ended_at', models.DateTimeField(null=True)),
                ('callback_stopped_at', models.DateTimeField(null=True)),
                ('rulings', models.PositiveSmallIntegerField(default=0)),
                ('rulings_late', models.PositiveSmallIntegerField(default=0)),
                ('dispatches', models.PositiveSmallIntegerField(default=0)),
                ('against_catalogue', models.PositiveSmallIntegerField(default=0)),
                ('returns', models.PositiveSmallIntegerField(default=0)),
                ('sent_back', models.PositiveSmallIntegerField(default=0)),
                ('pauses', models.PositiveSmallIntegerField(default=0)),
                ('extensions', models.PositiveSmallIntegerField(default=0)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('reached', models.BooleanField(default=False)),
                ('solved', models.BooleanField(null=True)),
                ('satisfaction', models.CharField(blank=True, max_length=14)),
                ('revision', models.BigIntegerField()),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('callback_due_at__isnull', False)), fields=['callback_due_at'], name='episode_callback'), models.Index(condition=models.Q(('round', 1)), fields=['registered_at'], name='episode_registered'), models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='episode_ended')],
                'constraints': [models.UniqueConstraint(fields=('case_id', 'round'), name='episode_once')],
            },
        ),
        migrations.CreateModel(
            name='Refresh',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('revision', models.BigIntegerField(default=0)),
                ('read_to', models.UUIDField(null=True)),
                ('at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='refresh_one_row')],
            },
        ),
    ]

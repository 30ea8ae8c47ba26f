import django.contrib.postgres.fields
import django.db.models.deletion
import lianxin.kernel.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('triage', '0001_learnt_models_and_offers'),
    ]

    initial = True

    dependencies = [
        ('cases', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='LearntModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(unique=True)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('size', models.PositiveIntegerField()),
                ('source', models.CharField(max_length=200)),
                ('examples', models.PositiveIntegerField()),
                ('categories', models.PositiveIntegerField()),
                ('seed', models.IntegerField()),
                ('measured', models.JSONField(default=dict)),
                ('kept_at', models.DateTimeField()),
                ('in_force', models.BooleanField(default=False)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('in_force', True)), fields=('in_force',), name='learnt_model_one_in_force')],
            },
        ),
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('what', models.CharField(choices=[('category', '事项'), ('area', '地点'), ('urgency', '紧急'), ('same', '同一件事'), ('article', '知识')], max_length=10)),
                ('offered', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None)),
                ('probability', models.FloatField(null=True)),
                ('chosen', models.CharField(blank=True, max_length=60)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='cases.case')),
                ('model', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='triage.learntmodel')),
            ],
            options={
                'indexes': [models.Index(fields=['what', 'at'], name='offer_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('what__in', ['category', 'area', 'urgency', 'same', 'article'])), name='offer_what_known'), models.UniqueConstraint(fields=('case', 'what'), name='offer_once'), models.CheckConstraint(condition=models.Q(('probability__isnull', True), models.Q(('probability__gte', 0), ('probability__lte', 1)), _connector='OR'), name='offer_probability_is_one')],
            },
        ),
    ]

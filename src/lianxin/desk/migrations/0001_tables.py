import django.db.models.deletion
import lianxin.kernel.clock
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('desk', '0001_initial'),
    ]

    initial = True

    dependencies = [
        ('organisations', '0001_tables'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('board', models.CharField(max_length=20)),
                ('name', models.CharField(max_length=40)),
                ('query', models.CharField(max_length=500)),
                ('shared', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_filters', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='organisations.unit')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('staff', 'board', 'name'), name='saved_filter_name_once')],
            },
        ),
    ]

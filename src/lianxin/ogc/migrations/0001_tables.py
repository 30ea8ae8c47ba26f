

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DrawnRecord',
            fields=[
                ('case_id', models.UUIDField(primary_key=True, serialize=False)),
                ('number', models.CharField(max_length=20)),
                ('x', models.IntegerField()),
                ('y', models.IntegerField()),
                ('spot', models.IntegerField()),
                ('county_id', models.BigIntegerField(null=True)),
                ('area_id', models.BigIntegerField(null=True)),
                ('category_id', models.BigIntegerField(null=True)),
                ('precision', models.CharField(max_length=8)),
                ('stage', models.CharField(max_length=12)),
                ('solved', models.BooleanField(null=True)),
                ('dated', models.CharField(max_length=8)),
                ('opened_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['x', 'y', '-opened_at', 'number'], name='drawn_by_tile'), models.Index(fields=['x', 'y', 'spot'], name='drawn_by_spot'), models.Index(fields=['category_id', 'x', 'y'], name='drawn_by_category')],
            },
        ),
        migrations.CreateModel(
            name='TileStanding',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('revision', models.BigIntegerField(default=0)),
                ('version', models.BigIntegerField(default=0)),
                ('at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='tile_standing_one')],
            },
        ),
        migrations.CreateModel(
            name='TileTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('zoom', models.SmallIntegerField()),
                ('x', models.IntegerField()),
                ('y', models.IntegerField()),
                ('depth', models.SmallIntegerField()),
                ('spot', models.IntegerField()),
                ('category', models.CharField(max_length=20)),
                ('county_id', models.BigIntegerField()),
                ('area_id', models.BigIntegerField()),
                ('precision', models.CharField(max_length=8)),
                ('received', models.IntegerField(default=0)),
                ('with_unit', models.IntegerField(default=0)),
                ('handed_over', models.IntegerField(default=0)),
                ('answered', models.IntegerField(default=0)),
                ('closed', models.IntegerField(default=0)),
                ('declined', models.IntegerField(default=0)),
                ('solved', models.IntegerField(default=0)),
                ('sum_x', models.BigIntegerField(default=0)),
                ('sum_y', models.BigIntegerField(default=0)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('answered', 0), ('closed', 0), ('declined', 0), ('handed_over', 0), ('received', 0), ('with_unit', 0)), fields=['id'], name='tally_of_nothing')],
                'constraints': [models.UniqueConstraint(fields=('zoom', 'x', 'y', 'depth', 'spot', 'category', 'county_id', 'area_id', 'precision'), name='tally_once')],
            },
        ),
    ]

import django.contrib.postgres.fields
import django.db.models.deletion
import lianxin.kernel.clock
import lianxin.kernel.ids
from django.conf import settings
from django.db import migrations, models

from lianxin.organisations.schema_sql import CALENDARS_STAY, DROP_CALENDARS_STAY, forgets_calendars, knows_calendars


class Migration(migrations.Migration):

    # What a database made before the first release has applied: it counts as this.
    replaces = [
        ('organisations', '0001_initial'),
        ('organisations', '0002_choices_known'),
        ('organisations', '0003_clocks_and_ledger'),
        ('organisations', '0004_calendars'),
    ]

    initial = True

    dependencies = [
        ('places', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Staff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.CharField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=60)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('is_active', models.BooleanField(default=True)),
                ('date_joined', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('language', models.CharField(blank=True, max_length=10)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WorkCalendar',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=20, unique=True)),
                ('name', models.CharField(max_length=60)),
                ('name_en', models.CharField(blank=True, max_length=120)),
                ('definition', models.JSONField()),
                ('active', models.BooleanField(default=True)),
                ('settled', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'ordering': ['code'],
            },
        ),
        migrations.CreateModel(
            name='Unit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=24, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('name_en', models.CharField(blank=True, max_length=120)),
                ('short_name', models.CharField(blank=True, max_length=40)),
                ('kind', models.CharField(choices=[('hotline', '热线中心'), ('city_department', '市直部门'), ('county_government', '县市区政府'), ('county_bureau', '县级部门'), ('town_government', '乡镇街道'), ('utility', '公用企业')], max_length=20)),
                ('duties', models.TextField(blank=True)),
                ('calendar', models.CharField(default='working', max_length=20)),
                ('active_from', models.DateField(blank=True, null=True)),
                ('active_to', models.DateField(blank=True, null=True)),
                ('area', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='units', to='places.area')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='organisations.unit')),
            ],
        ),
        migrations.CreateModel(
            name='RoleGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('operator', '话务员'), ('dispatcher', '派单员'), ('clerk', '承办员'), ('reviewer', '审核员'), ('callback', '回访员'), ('supervisor', '督办员'), ('head', '单位负责人'), ('leader', '领导小组成员'), ('grid_worker', '网格员'), ('administrator', '系统管理员')], max_length=20)),
                ('granted_at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('area', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='places.area')),
                ('granted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='organisations.unit')),
            ],
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.UUIDField(default=lianxin.kernel.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('scopes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('hint', models.CharField(max_length=8)),
                ('created_at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='api_tokens', to='organisations.unit')),
            ],
        ),
        migrations.AddField(
            model_name='staff',
            name='unit',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='staff', to='organisations.unit'),
        ),
        migrations.AddIndex(
            model_name='unit',
            index=models.Index(fields=['kind', 'code'], name='organisatio_kind_d67221_idx'),
        ),
        migrations.AddConstraint(
            model_name='unit',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['hotline', 'city_department', 'county_government', 'county_bureau', 'town_government', 'utility'])), name='unit_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('staff', 'role', 'unit', 'area'), name='grant_once_while_it_lasts', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='rolegrant',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['operator', 'dispatcher', 'clerk', 'reviewer', 'callback', 'supervisor', 'head', 'leader', 'grid_worker', 'administrator'])), name='grant_role_known'),
        ),
        migrations.RunSQL(CALENDARS_STAY, DROP_CALENDARS_STAY),
        migrations.RunSQL(knows_calendars("organisations_unit", "unit_calendar_known"),
                          forgets_calendars("organisations_unit", "unit_calendar_known")),
    ]

import django.db.models.deletion
import lianxin.kernel.clock
from django.conf import settings
from django.db import migrations, models

from lianxin.kernel.guards import refusing

GUARD = refusing("desk_sheettaken_stays", "the ledger of sheets that were taken is append-only") + """
CREATE TRIGGER desk_sheettaken_stays BEFORE UPDATE OR DELETE ON desk_sheettaken
  FOR EACH ROW EXECUTE FUNCTION desk_sheettaken_stays();
"""
DROP_GUARD = """
DROP TRIGGER desk_sheettaken_stays ON desk_sheettaken;
DROP FUNCTION desk_sheettaken_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('desk', '0001_tables'),
        ('organisations', '0006_account_changed'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SheetTaken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=lianxin.kernel.clock.now)),
                ('name', models.CharField(max_length=40)),
                ('narrowed', models.CharField(blank=True, max_length=300)),
                ('rows', models.PositiveIntegerField()),
                ('cut', models.BooleanField(default=False)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='organisations.unit')),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='sheet_taken_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='sheet_taken_says_which')],
            },
        ),
        migrations.RunSQL(GUARD, DROP_GUARD),
    ]

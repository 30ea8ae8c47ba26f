from django.db import migrations

from lianxin.linkage.schema_sql import DROP_HOLDER, HOLDER


class Migration(migrations.Migration):

    dependencies = [
        ('linkage', '0002_terms'),
        ('cases', '0003_handing_over'),
    ]

    operations = [migrations.RunSQL(HOLDER, DROP_HOLDER)]

# docs/explanation/adr/0019-speed.md says why.

from django.db import migrations, models

from lianxin.cases import schema_sql

OPEN = models.Q(("due_at__isnull", False))


class Migration(migrations.Migration):

    dependencies = [("cases", "0003_speed")]

    operations = [
        migrations.RunSQL(schema_sql.GRAMS_COST, schema_sql.GRAMS_COST_BEFORE),
        migrations.RemoveIndex(model_name="case", name="case_queue"),
        migrations.RemoveIndex(model_name="case", name="case_county_queue"),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=OPEN, fields=["state", "due_at", "id"],
                               include=["lead_unit", "county", "returns", "round"], name="case_queue"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(condition=OPEN, fields=["county", "state", "due_at", "id"],
                               include=["lead_unit", "returns", "round"], name="case_county_queue"),
        ),
    ]

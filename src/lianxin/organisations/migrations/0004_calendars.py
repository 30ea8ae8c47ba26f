from django.db import migrations, models

from lianxin.organisations.schema_sql import (
    CALENDARS_STAY,
    DROP_CALENDARS_STAY,
    forgets_calendars,
    knows_calendars,
)

_UNIT = ("organisations_unit", "unit_calendar_known")


class Migration(migrations.Migration):
    """Calendars are a city's data: a unit names one by its code."""

    dependencies = [("organisations", "0003_clocks_and_ledger")]

    operations = [
        migrations.CreateModel(
            name="WorkCalendar",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True)),
                ("name", models.CharField(max_length=60)),
                ("name_en", models.CharField(blank=True, max_length=120)),
                ("definition", models.JSONField()),
                ("active", models.BooleanField(default=True)),
                ("settled", models.CharField(blank=True, max_length=64)),
            ],
            options={"ordering": ["code"]},
        ),
        migrations.RemoveConstraint(model_name="unit", name="unit_calendar_known"),
        migrations.AlterField(
            model_name="unit", name="calendar", field=models.CharField(default="working", max_length=20)
        ),
        migrations.RunSQL(CALENDARS_STAY, DROP_CALENDARS_STAY),
        migrations.RunSQL(knows_calendars(*_UNIT), forgets_calendars(*_UNIT)),
    ]

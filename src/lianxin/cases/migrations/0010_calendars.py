from django.db import migrations, models

from lianxin.organisations.schema_sql import forgets_calendars, knows_calendars

_TABLES = (
    ("cases_clock", "clock_calendar_known"),
    ("cases_timelimit", "time_limit_calendar_known"),
    ("cases_dutylimit", "duty_limit_calendar_known"),
)


class Migration(migrations.Migration):
    """A clock and a limit name a calendar by its code; clocks that rest on an unpublished year are found at once."""

    dependencies = [("cases", "0009_redone"), ("organisations", "0004_calendars")]

    operations = [
        migrations.RemoveConstraint(model_name="clock", name="clock_calendar_known"),
        migrations.RemoveConstraint(model_name="dutylimit", name="duty_limit_calendar_known"),
        migrations.RemoveConstraint(model_name="timelimit", name="time_limit_calendar_known"),
        *(
            migrations.AlterField(
                model_name=name, name="calendar", field=models.CharField(default="working", max_length=20)
            )
            for name in ("clock", "dutylimit", "timelimit")
        ),
        *(migrations.RunSQL(knows_calendars(*one), forgets_calendars(*one)) for one in _TABLES),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("met_at__isnull", True), ("provisional", True), ("stopped_at__isnull", True)),
                fields=["id"], name="clock_provisional",
            ),
        ),
    ]

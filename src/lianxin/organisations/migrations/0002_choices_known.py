from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns with choices hold nothing else, whoever writes."""

    dependencies = [
        ('organisations', '0001_initial'),
        ('places', '0001_initial'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='unit',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['hotline', 'city_department', 'county_government', 'county_bureau', 'town_government', 'utility'])), name='unit_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='unit',
            constraint=models.CheckConstraint(condition=models.Q(('calendar__in', ['working', 'around_the_clock'])), name='unit_calendar_known'),
        ),
    ]

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns with choices hold nothing else, whoever writes."""

    dependencies = [
        ('cases', '0007_choices_known'),
        ('quality', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='callbackattempt',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['reached', 'no_answer', 'busy', 'refused', 'wrong_number'])), name='callback_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='callbackattempt',
            constraint=models.CheckConstraint(condition=models.Q(('satisfaction__in', ['', 'satisfied', 'basically', 'dissatisfied'])), name='callback_satisfaction_known'),
        ),
        migrations.AddConstraint(
            model_name='rating',
            constraint=models.CheckConstraint(condition=models.Q(('satisfaction__in', ['satisfied', 'basically', 'dissatisfied'])), name='rating_satisfaction_known'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['passed', 'sent_back'])), name='review_verdict_known'),
        ),
    ]

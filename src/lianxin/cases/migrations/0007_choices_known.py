from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns with choices hold nothing else, whoever writes."""

    dependencies = [
        ('cases', '0006_lapsed_returns'),
        ('organisations', '0001_initial'),
        ('places', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='clock',
            name='calendar',
            field=models.CharField(choices=[('working', '工作日'), ('around_the_clock', '全天候')], default='working', max_length=20),
        ),
        migrations.AlterField(
            model_name='timelimit',
            name='calendar',
            field=models.CharField(choices=[('working', '工作日'), ('around_the_clock', '全天候')], default='working', max_length=20),
        ),
        migrations.AddConstraint(
            model_name='assignment',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['lead', 'assist'])), name='assignment_role_known'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['photo', 'document', 'audio', 'video'])), name='attachment_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('retention_class__in', ['reporter', 'words', 'attachment', 'ledger', 'message'])), name='attachment_retention_class_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['enquiry', 'suggestion', 'help', 'complaint', 'report'])), name='case_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('urgency__in', ['normal', 'urgent'])), name='case_urgency_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['phone', 'web', 'field', '110', 'open311', 'api', 'import', 'sensor'])), name='case_channel_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'answered', 'solved', 'explained', 'unreached', 'imported'])), name='case_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('publication__in', ['private', 'requested', 'public', 'refused'])), name='case_publication_known'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['enquiry', 'suggestion', 'help', 'complaint', 'report'])), name='category_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='category',
            constraint=models.CheckConstraint(condition=models.Q(('urgency__in', ['normal', 'urgent'])), name='category_urgency_known'),
        ),
        migrations.AddConstraint(
            model_name='clock',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['sign_for', 'first_contact', 'resolve'])), name='clock_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='clock',
            constraint=models.CheckConstraint(condition=models.Q(('calendar__in', ['working', 'around_the_clock'])), name='clock_calendar_known'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.CheckConstraint(condition=models.Q(('actor_kind__in', ['staff', 'reporter', 'system', 'partner'])), name='event_actor_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='eventtext',
            constraint=models.CheckConstraint(condition=models.Q(('retention_class__in', ['reporter', 'words', 'attachment', 'ledger', 'message'])), name='event_text_retention_class_known'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'sent', 'failed', 'not_wanted'])), name='notification_status_known'),
        ),
        migrations.AddConstraint(
            model_name='notification',
            constraint=models.CheckConstraint(condition=models.Q(('retention_class__in', ['reporter', 'words', 'attachment', 'ledger', 'message'])), name='notification_retention_class_known'),
        ),
        migrations.AddConstraint(
            model_name='phrase',
            constraint=models.CheckConstraint(condition=models.Q(('list__in', ['decline_route', 'return_reason'])), name='phrase_list_known'),
        ),
        migrations.AddConstraint(
            model_name='publicversion',
            constraint=models.CheckConstraint(condition=models.Q(('retention_class__in', ['reporter', 'words', 'attachment', 'ledger', 'message'])), name='public_version_retention_class_known'),
        ),
        migrations.AddConstraint(
            model_name='reporter',
            constraint=models.CheckConstraint(condition=models.Q(('retention_class__in', ['reporter', 'words', 'attachment', 'ledger', 'message'])), name='reporter_retention_class_known'),
        ),
        migrations.AddConstraint(
            model_name='return',
            constraint=models.CheckConstraint(condition=models.Q(('ruling__in', ['waiting', 'upheld', 'rejected', 'lapsed'])), name='return_ruling_known'),
        ),
        migrations.AddConstraint(
            model_name='timelimit',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['', 'enquiry', 'suggestion', 'help', 'complaint', 'report'])), name='time_limit_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='timelimit',
            constraint=models.CheckConstraint(condition=models.Q(('urgency__in', ['', 'normal', 'urgent'])), name='time_limit_urgency_known'),
        ),
        migrations.AddConstraint(
            model_name='timelimit',
            constraint=models.CheckConstraint(condition=models.Q(('track__in', ['ordinary', 'complex', 'reopened'])), name='time_limit_track_known'),
        ),
    ]

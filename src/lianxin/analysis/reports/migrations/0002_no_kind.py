from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_kept_reports")]

    operations = [
        migrations.RemoveConstraint("keptreport", "kept_report_kind_known"),
        migrations.RemoveField("keptreport", "kind"),
        migrations.RemoveField("keptreport", "starts_on"),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0001_tables")]

    operations = [
        migrations.AlterField(
            "receipt", "device",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="receipts",
                              to="fieldwork.device")),
        migrations.AlterField(
            "upload", "device",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="uploads",
                              to="fieldwork.device")),
        migrations.AddField("upload", "fault", models.CharField(blank=True, default="", max_length=300), preserve_default=False),
        migrations.AddConstraint(
            "upload",
            models.CheckConstraint(
                name="upload_kept_or_faulty",
                condition=models.Q(fault="") | models.Q(attachment__isnull=True, received=models.F("size")))),
    ]

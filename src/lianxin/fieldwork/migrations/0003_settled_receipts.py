from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0002_programmers_and_faulty_files")]

    operations = [
        migrations.AddIndex(
            "receipt",
            models.Index(condition=models.Q(("settled_at__isnull", False)), fields=["settled_at"], name="receipt_settled")),
    ]

from typing import Any

from django.db import migrations
from django.utils import timezone

FIELDS = ("title", "questions", "keywords", "answer", "basis", "source", "category_id", "unit_id", "valid_from", "review_by")


def first_versions(apps: Any, _editor: Any) -> None:
    """What an article said becomes its first version, from the city's files."""
    article, version = apps.get_model("knowledge", "Article"), apps.get_model("knowledge", "Version")
    at = timezone.now()
    for one in article.objects.all():
        version.objects.create(
            article=one, number=1, written_at=at, decided_at=at, state="approved" if one.active else "withdrawn",
            ended_at=None if one.active else at, **{name: getattr(one, name) for name in FIELDS})


def forget(_apps: Any, _editor: Any) -> None:
    """Articles go back with the columns of the migration before."""


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_versions")]

    operations = [migrations.RunPython(first_versions, forget)]

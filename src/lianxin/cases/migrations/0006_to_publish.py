"""Words that somebody has to read before anyone may are found by an index; and what the last migration promised is proved."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("cases", "0005_answer_publication"),
    ]

    operations = [
        ValidateConstraint(model_name="case", name="case_answer_publication_known"),
        ValidateConstraint(model_name="case", name="case_answer_goes_with_words"),
        AddIndexConcurrently(
            model_name="case",
            index=models.Index(
                fields=["id"], condition=models.Q(publication="requested") | models.Q(answer_publication="waiting"), name="case_to_publish"),
        ),
    ]

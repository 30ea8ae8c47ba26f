"""Whether the answer of a public case may be read by anyone, and the answer as staff cleared it."""

from __future__ import annotations

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0004_publicity"),
    ]

    operations = [
        migrations.AddField(
            model_name="case",
            name="answer_publication",
            field=models.CharField(
                blank=True, choices=[("waiting", "答复待审核公开"), ("public", "答复已公开"), ("kept", "答复不公开")], max_length=8, null=True),
        ),
        migrations.AddField(
            model_name="publicversion",
            name="answer",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        AddConstraintNotValid(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(answer_publication__in=["waiting", "public", "kept"]), name="case_answer_publication_known"),
        ),
        AddConstraintNotValid(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(answer_publication__isnull=True) | models.Q(publication="public"), name="case_answer_goes_with_words"),
        ),
    ]

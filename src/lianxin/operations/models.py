"""What is remembered of copies: for the doctor, for `/metrics`, and for whoever asks when the last one was made."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lianxin.kernel.checks import one_of


class CopyKind(models.TextChoices):
    BACKUP = "backup", _("备份")
    RESTORE = "restore", _("恢复")


class Copy(models.Model):
    """One backup that was made and verified, or one restore. Where it lies is not written down: a copy of this table would lead to it."""

    kind = models.CharField(max_length=10, choices=CopyKind)
    at = models.DateTimeField()  # of the snapshot that was copied
    finished_at = models.DateTimeField()
    database_bytes = models.BigIntegerField()  # of the dump
    files = models.IntegerField()
    file_bytes = models.BigIntegerField()
    missing = models.IntegerField(default=0)  # files that the tables name and the storage did not have
    keys = models.BooleanField(default=False)  # whether the keyring was copied too, to another place

    class Meta:
        indexes = [models.Index(fields=["kind", "-at"], name="operations_copy_latest")]
        constraints = [
            one_of("operations_copy_kind_known", "kind", CopyKind),
            models.CheckConstraint(name="operations_copy_ends_after_it_began", condition=models.Q(finished_at__gte=models.F("at"))),
            models.CheckConstraint(name="operations_copy_counts", condition=models.Q(
                database_bytes__gte=0, files__gte=0, file_bytes__gte=0, missing__gte=0)),
        ]

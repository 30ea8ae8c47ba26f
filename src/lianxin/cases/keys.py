"""Turning the keys over while the site runs: a new key, every identity sealed anew in batches, the old key retired.

A rotation that was killed is carried on by the next one. Nothing is retired that a single row still needs.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from lianxin.kernel.crypto import Keyring, KeyringError, decrypt, key_id_of, keyring, reencrypt

from .actions.identity import FIELDS
from .models import MissedCall, Reporter

log = logging.getLogger(__name__)
BATCH = 500
# A process that sealed a value before the rotation may still be writing it; no transaction lasts this long.
SETTLE_SECONDS = 600
_START = uuid.UUID(int=0)
# The id of the key a value was sealed with: one byte of format, one of length, the id (kernel/crypto.py).
_KEY = "CASE WHEN length({0}) > 2 THEN encode(substring({0} from 3 for get_byte({0}, 1)), 'escape') ELSE '' END"


@dataclass(frozen=True, slots=True)
class Resealed:
    """What one run did: rows moved to the current key, and rows whose value no key opens."""

    rows: int
    unreadable: int


# What is sealed: model, what the contexts begin with, and the fields. Other contexts add theirs when the apps are ready.
Sealed = type[models.Model]
SEALED: list[tuple[Sealed, str, tuple[str, ...]]] = [
    (Reporter, "reporter", FIELDS), (MissedCall, "missed_call", ("phone",))]


def usage() -> dict[str, int]:
    """How many sealed values each key still holds, by key id."""
    parts = " UNION ALL ".join(
        f"SELECT {_KEY.format(name)} AS key FROM {model._meta.db_table} WHERE {name} IS NOT NULL"
        for model, _context, fields in SEALED for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, count(*) FROM ({parts}) AS sealed GROUP BY key ORDER BY key")
        return {str(key): int(count) for key, count in cursor.fetchall()}


def _batch(model: Sealed, fields: tuple[str, ...], after: uuid.UUID, current: str,
           limit: int) -> list[models.Model]:
    other = " OR ".join(f"({name} IS NOT NULL AND {_KEY.format(name)} <> %s)" for name in fields)
    return list(model._default_manager.raw(
        f"SELECT * FROM {model._meta.db_table} WHERE id > %s AND ({other}) ORDER BY id LIMIT %s FOR UPDATE",
        [after, *(current for _field in fields), limit],
    ))


def _reseal(row: models.Model, context: str, fields: tuple[str, ...]) -> bool:
    changed: dict[str, bytes] = {}
    for name in fields:
        held = getattr(row, name)
        if held is None:
            continue
        fresh = reencrypt(bytes(held), context=f"{context}:{row.pk}:{name}")
        if fresh is not None:
            changed[name] = fresh
    if changed:
        type(row)._default_manager.filter(pk=row.pk).update(**changed)
    return bool(changed)


def reseal_all(*, batch: int = BATCH, tell: Callable[[int], None] = lambda rows: None) -> Resealed:
    """Seal every identity and number under the current key, a batch a transaction. Safe to stop and to run again."""
    done = [_reseal_all(*one, batch=batch, tell=tell) for one in SEALED]
    return Resealed(sum(one.rows for one in done), sum(one.unreadable for one in done))


def _reseal_all(model: Sealed, context: str, fields: tuple[str, ...], *, batch: int, tell: Callable[[int], None]) -> Resealed:
    rows = 0
    while True:
        moved, unreadable, after = 0, 0, _START
        while True:
            with transaction.atomic():
                held = _batch(model, fields, after, keyring().current, batch)
                for row in held:
                    try:
                        moved += _reseal(row, context, fields)
                    except KeyringError as error:
                        unreadable += 1
                        log.error("%s %s cannot be sealed anew: %s", context, row.pk, error)
            if not held:
                break
            after = held[-1].pk
            tell(rows + moved)
        rows += moved
        if moved == 0:  # a whole pass found nothing left: also none that came in meanwhile
            return Resealed(rows, unreadable)


def rotate() -> str:
    """Make a new key current, unless an earlier rotation is unfinished: then that one is carried on.

    Returns the id of the current key. Raises KeyringError when the keyring is not this database's.
    """
    verify()
    ring = keyring()
    if any(name != ring.current and name in ring.encryption for name in usage()):
        return ring.current
    return Keyring.rotate(Path(settings.LIANXIN_KEYRING)).current


def prepare() -> str:
    """Put the next key into the file without using it yet: for carrying it to other machines first."""
    verify()
    return Keyring.rotate(Path(settings.LIANXIN_KEYRING), change=Keyring.prepared).newest


def retire(*, wait: bool = True) -> list[str]:
    """Forget every old key that no row needs. Returns their ids.

    Raises KeyringError while rows still need one, and within ten minutes after the file was last changed: what was
    sealed before may still be on its way into the database.
    """
    path = Path(settings.LIANXIN_KEYRING)
    ring = keyring()
    used = usage()
    if needed := sorted(name for name in used if name != ring.current):
        raise KeyringError(_("还有数据用旧密钥 %s 加密，先运行 lianxin rotate_keys。") % "、".join(needed))
    old = [name for name in ring.encryption if name != ring.current and not ring.is_prepared(name)]
    age = time.time() - path.stat().st_mtime
    if old and wait and age < SETTLE_SECONDS:
        raise KeyringError(_("密钥刚换过，请过 %d 分钟再收回旧密钥。") % (int((SETTLE_SECONDS - age) // 60) + 1))
    if old:
        Keyring.rotate(path, change=lambda held: replace(
            held, encryption={name: key for name, key in held.encryption.items() if name not in old}))
    return old


def verify() -> None:
    """Raise KeyringError, saying what to do, when the keyring is not the one this database was sealed with.

    Looks at the newest identities only; a database without any says nothing.
    """
    faults: list[str] = []
    for pk, *values in Reporter.objects.order_by("-id").values_list("id", *FIELDS)[:20]:
        for name, held in zip(FIELDS, values, strict=True):
            if held is None:
                continue
            try:
                key_id_of(bytes(held))
            except KeyringError:
                continue
            try:
                decrypt(bytes(held), context=f"reporter:{pk}:{name}")
            except KeyringError as error:
                faults.append(str(error))
            else:
                return
    if faults:
        raise KeyringError(_(
            "密钥文件 %(path)s 不是这个数据库的那一份（%(fault)s）。请把原来的密钥文件放回去，见 docs/howto/keys-and-retention.md。"
        ) % {"path": settings.LIANXIN_KEYRING, "fault": faults[0]})

"""Trained models in the data directory, by their hash, and the one in force: changed without a restart."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from lianxin.kernel.clock import now
from lianxin.kernel.errors import Conflict, Invalid, NotFound

from .models import LearntModel

if TYPE_CHECKING:
    from .classify import Classifier

log = logging.getLogger(__name__)
FRESH_FOR: Final = 2.0  # seconds between looks at which model is in force
_lock = threading.Lock()
_held: tuple[LearntModel, Classifier] | None = None
_asked: float | None = None
_unreadable = ""  # the hash of a file that could not be read, so that it is said once


def directory() -> Path:
    return Path(settings.DATA) / "triage"


def path_of(model: LearntModel) -> Path:
    return directory() / f"{model.digest}.model"


def keep(file: Path, *, source: str, measured: Mapping[str, Any] | None = None) -> LearntModel:
    """Take a model file in as the next version, not yet in force; the same file again is the version it is already,
    and makes good what was damaged.
    Raises Invalid when it is no model."""
    classifier = _load(file)
    body = file.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    directory().mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=directory(), delete=False) as half:
        half.write(body)
        half.flush()
        os.fsync(half.fileno())
    os.replace(half.name, directory() / f"{digest}.model")
    known = LearntModel.objects.filter(digest=digest).first()
    if known is not None:
        return known
    try:
        with transaction.atomic():
            last = LearntModel.objects.order_by("-number").values_list("number", flat=True).first() or 0
            return LearntModel.objects.create(
                number=last + 1, digest=digest, size=len(body), source=source[:200], examples=classifier.examples,
                categories=len(classifier.labels), seed=classifier.seed, measured=dict(measured or {}), kept_at=now())
    except IntegrityError:
        raise Conflict(_("同时有人存了另一个模型，请再试一次。")) from None


def put_in_force(number: int) -> LearntModel:
    """From now on this version reads. Raises NotFound for an unknown number, Invalid when its file is gone or damaged."""
    with transaction.atomic():
        model = {one.number: one for one in LearntModel.objects.select_for_update().order_by("pk")}.get(number)
        if model is None:
            raise NotFound(_("没有第 %s 版模型。") % number)
        read(model)
        LearntModel.objects.filter(in_force=True).exclude(pk=model.pk).update(in_force=False)
        model.in_force = True
        model.save(update_fields=["in_force"])
    forget()
    return model


def take_out() -> None:
    """No model reads any more: the keyword rules do alone."""
    LearntModel.objects.filter(in_force=True).update(in_force=False)
    forget()


def read(model: LearntModel) -> Classifier:
    """The classifier of a version. Raises Invalid when the file is gone or is not what was kept."""
    try:
        body = path_of(model).read_bytes()
    except OSError:
        raise Invalid(_("第 %s 版模型的文件不在数据目录里，请重新训练。") % model.number) from None
    if hashlib.sha256(body).hexdigest() != model.digest:
        raise Invalid(_("第 %s 版模型的文件被改动过，请重新训练。") % model.number)
    return _load(path_of(model))


def _load(path: Path) -> Classifier:
    from .classify import load  # only where there is a model: it brings numerical libraries into the process

    return load(path)


def in_force() -> tuple[LearntModel, Classifier] | None:
    """The version in force and its classifier; None where there is none, or its file cannot be read: then the rules read
    alone, and the log says why."""
    global _held, _asked, _unreadable
    if _asked is not None and time.monotonic() - _asked < FRESH_FOR:
        return _held
    with _lock:
        model = LearntModel.objects.filter(in_force=True).first()
        if model is None:
            _held = None
        elif model.digest != _unreadable and (_held is None or _held[0].digest != model.digest):
            try:
                _held = (model, read(model))
            except Invalid as error:
                log.error("triage: %s", error)
                _held, _unreadable = None, model.digest
        _asked = time.monotonic()
        return _held


def forget() -> None:
    """Look again at the next call: after a change in this process, and between tests."""
    global _held, _asked, _unreadable
    with _lock:
        _held, _asked, _unreadable = None, None, ""

"""The file of a model: a zip of numbers (`.npy`) and one JSON text. Nothing in it is run, and the same model is the same
bytes."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

from .calibration import Calibration
from .features import LONGEST, PLANE, ZONES, Block, Known
from .model import Classifier
from .pooling import Pooling
from .second import Second
from .sureness import Sureness

KIND: Final = "lianxin triage model"
VERSION: Final = 1
LARGEST: Final = 256 * 1024 * 1024  # bytes when unpacked
_BEGINNING: Final = (1980, 1, 1, 0, 0, 0)
_ABOUT: Final = "model.json"


def save(classifier: Classifier, path: Path) -> int:
    """Write the file; returns its size in bytes. Raises Invalid when it cannot be written."""
    about = {
        "kind": KIND, "version": VERSION, "labels": list(classifier.labels), "seed": classifier.seed,
        "examples": classifier.examples, "blocks": [one.block.as_json() for one in classifier.known],
        **_said(classifier.calibration),
        "about": classifier.about, "pooling": classifier.pooling.as_json() if classifier.pooling else None,
        "bare": _said(classifier.bare) if classifier.bare else None,
        "second": _said(classifier.second.calibration) if classifier.second else None,
    }
    arrays = {"characters": classifier.characters, "weights": classifier.weights.astype(np.float16),
              "bias": classifier.bias.astype(np.float32),
              "seen": np.array(sorted(classifier.seen), dtype=np.uint64)}
    if classifier.second:
        arrays["second"] = classifier.second.weights.astype(np.float16)
        arrays["second_bias"] = classifier.second.bias.astype(np.float32)
    for number, one in enumerate(classifier.known):
        arrays[f"keys{number}"], arrays[f"weight{number}"] = one.keys, one.weight
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as packed:
        _write(packed, _ABOUT, json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True).encode())
        for name, array in arrays.items():
            plain = io.BytesIO()
            np.lib.format.write_array(plain, np.ascontiguousarray(array), allow_pickle=False)
            _write(packed, f"{name}.npy", plain.getvalue())
    try:
        path.write_bytes(body.getvalue())
    except OSError as error:
        raise Invalid(_("%(path)s 写不进去：%(error)s。") % {"path": path, "error": error.strerror}) from error
    return body.tell()


def _said(calibration: Calibration) -> dict[str, Any]:
    return {"slope": calibration.slope, "offset": calibration.offset.tolist(),
            "sure": [one for one in astuple(calibration.sure) if one is not None] if calibration.sure else None}


def _write(packed: zipfile.ZipFile, name: str, body: bytes) -> None:
    entry = zipfile.ZipInfo(name, _BEGINNING)
    entry.compress_type = zipfile.ZIP_DEFLATED
    packed.writestr(entry, body, compresslevel=6)


def load(path: Path) -> Classifier:
    """Read a model. Raises Invalid when the file is not there, is no model, is damaged, or is of another version."""
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST:
                raise Invalid(_("%s 太大，不是本系统的模型文件。") % path)
            about = json.loads(packed.read(_ABOUT))
            if not isinstance(about, dict) or about.get("kind") != KIND:
                raise Invalid(_("%s 不是本系统的模型文件。") % path)
            if about.get("version") != VERSION:
                raise Invalid(_("%(path)s 是第 %(found)s 版格式的模型，本系统读第 %(wanted)d 版，请重新训练。") % {
                    "path": path, "found": about.get("version"), "wanted": VERSION})
            return _classifier(packed, about)
    except OSError as error:
        raise Invalid(_("%(path)s 读不出来：%(error)s。") % {"path": path, "error": error.strerror or error}) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, AttributeError, IndexError,
            NotImplementedError, RuntimeError, RecursionError) as error:
        raise Invalid(_("%s 不是模型文件，或者已经损坏，请重新训练或重新拷贝。") % path) from error


def _classifier(packed: zipfile.ZipFile, about: dict[str, Any]) -> Classifier:
    def array(name: str, kind: Any, *shape: int | None) -> Any:
        found = np.lib.format.read_array(io.BytesIO(packed.read(f"{name}.npy")), allow_pickle=False)
        if found.dtype != kind or found.ndim != len(shape) or any(
                wanted is not None and wanted != had for wanted, had in zip(shape, found.shape, strict=True)):
            raise ValueError(name)
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise ValueError(name)
        return found

    labels = tuple(map(str, about["labels"]))
    blocks = [Block.of(said) for said in about["blocks"]]
    if len(labels) < 2 or len(set(labels)) != len(labels) or any(
            one.zone not in ZONES or not one.sizes or not all(1 <= size <= LONGEST for size in one.sizes) or not one.share > 0
            for one in blocks):
        raise ValueError("labels")
    known = []
    for number, block in enumerate(blocks):
        keys = array(f"keys{number}", np.uint64, None)
        if (keys[1:] <= keys[:-1]).any():
            raise ValueError("keys")
        known.append(Known(block, keys, array(f"weight{number}", np.float32, len(keys))))
    width, height = len(labels), sum(len(one.keys) for one in known)

    def opinion(weights: str, bias: str) -> dict[str, Any]:
        return {"weights": array(weights, np.float16, height, width).astype(np.float32),
                "bias": array(bias, np.float32, width).astype(np.float64)}

    return Classifier(
        labels=labels, characters=array("characters", np.uint16, PLANE), known=tuple(known), **opinion("weights", "bias"),
        calibration=_calibration(about, width), bare=_calibration(about["bare"], width) if about.get("bare") else None,
        second=Second(**opinion("second", "second_bias"), calibration=_calibration(about["second"], width))
        if about.get("second") else None, seed=int(about["seed"]), examples=int(about["examples"]),
        seen=frozenset(array("seen", np.uint64, None).tolist()), about=dict(about["about"]),
        pooling=Pooling.of(about["pooling"]) if about.get("pooling") else None)


def _calibration(said: dict[str, Any], width: int) -> Calibration:
    offset = np.array([float(one) for one in said["offset"]])
    slope = float(said["slope"])
    if offset.shape != (width,) or not np.isfinite([slope, *offset]).all() or slope <= 0:
        raise ValueError("calibration")
    worth = [float(one) for one in said.get("sure") or ()]
    if not np.isfinite(worth).all():
        raise ValueError("sure")
    return Calibration(slope, offset, Sureness(*worth) if worth else None)

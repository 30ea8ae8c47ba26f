"""Clusters of a stream that grows: what was found stays, what is new joins it or opens a cluster.

A state holds the words of the messages (and is as confidential as they are) and, instead of who wrote them, a digest
under a key of its own that tells one voice from another.
"""

from __future__ import annotations

import gzip
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from lianxin.kernel.errors import Invalid

from .alike import pairs
from .issues import Issue, Namer
from .linkage import Linkage
from .messages import READ, Message
from .names import Reader

VERSION: Final = 1


@dataclass(slots=True)
class Stream:
    """The messages so far and their clusters, as lists of places in `messages`, single messages too."""

    messages: list[Message] = field(default_factory=list)
    clusters: list[list[int]] = field(default_factory=list)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def take(self, new: Iterable[Message], reader: Reader) -> int:
        """Put the messages that are not known yet into clusters; how many there were."""
        known = {message.id for message in self.messages}
        fresh = [message for message in new if message.id not in known]
        if not fresh:
            return 0
        self.messages += [Message(one.id, self._voice(one.voice), one.at, one.title, one.detail) for one in fresh]
        self.clusters = Linkage(len(self.messages), pairs(self.messages, reader), self.clusters).clusters()
        return len(fresh)

    def _voice(self, voice: str) -> str:
        return blake2b(voice.encode(), key=self.key, digest_size=9).hexdigest()

    def issues(self, reader: Reader, *, least: int = 2) -> list[Issue]:
        """Clusters of at least `least` messages, those with most distinct voices first."""
        namer = Namer(self.messages, reader)
        found = [namer.issue(members) for members in self.clusters if len(members) >= least]
        return sorted(found, key=lambda issue: (-issue.voices, -len(issue.ids), issue.ids))

    def save(self, path: Path) -> None:
        """Write the state beside its place and move it there, so that a broken write leaves the old one."""
        held = {
            "version": VERSION,
            "key": self.key.hex(),
            "messages": [[one.id, one.voice, one.at.isoformat() if one.at else None, one.title, one.detail[:2 * READ]]
                         for one in self.messages],
            "clusters": self.clusters,
        }
        beside = path.with_name(path.name + ".new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as raw:
                raw.write(gzip.compress(json.dumps(held, ensure_ascii=False).encode(), mtime=0))
            beside.replace(path)
        except OSError as error:
            raise Invalid(_("写不了 %(file)s：%(reason)s。") % {"file": path, "reason": error}) from error

    @classmethod
    def load(cls, path: Path) -> Stream:
        """The state in a file. Raises Invalid: it is not one, or of another version."""
        try:
            held = json.loads(gzip.decompress(path.read_bytes()))
            if held["version"] != VERSION:
                raise Invalid(_("%(file)s 是另一版本的状态文件，请重新从头聚类。") % {"file": path.name})
            messages = [_message(row) for row in held["messages"]]
            clusters = [[int(index) for index in members] for members in held["clusters"]]
            key = bytes.fromhex(held["key"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Invalid(_("%(file)s 不是热点聚类的状态文件。") % {"file": path.name}) from error
        if sorted(index for members in clusters for index in members) != list(range(len(messages))):
            raise Invalid(_("%(file)s 不是热点聚类的状态文件。") % {"file": path.name})
        return cls(messages, clusters, key)


def _message(row: Sequence[Any]) -> Message:
    key, voice, at, title, detail = row
    return Message(str(key), str(voice), datetime.fromisoformat(at) if at else None, str(title), str(detail))

"""What a resident has filled in so far: carried by the form itself from step to step, kept by nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite

from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from lianxin.cases.actions import Intake
from lianxin.cases.actions.intake import WORDS_LIMIT
from lianxin.cases.reference import Node, reference
from lianxin.kernel.coordinates import CoordinateSystem
from lianxin.places import gazetteer
from lianxin.triage.personal import redacted

from .uploads import Upload, carried_by

STEPS = ("words", "place", "send")
TITLE_LIMIT = 120
BODY_LIMIT = 4_000


def new_submission() -> str:
    """The key of one form: whoever sends it twice has sent it once."""
    return secrets.token_urlsafe(24)


def _number(said: str) -> float | None:
    try:
        value = float(said)
    except ValueError:
        return None
    return value if isfinite(value) else None


@dataclass(slots=True)
class Draft:
    """One form. `lon`/`lat` are degrees in `system`; `picked` is the code of a place chosen from those found."""

    submission: str = ""
    words: str = ""
    category: str = ""
    county: str = ""
    town: str = ""
    village: str = ""
    picked: str = ""
    place_text: str = ""
    lon: str = ""
    lat: str = ""
    system: str = CoordinateSystem.WGS84.value
    name: str = ""
    phone: str = ""
    messages: bool = False
    confidential: bool = False
    publish: bool = False
    title: str = ""
    body: str = ""
    uploads: list[Upload] = field(default_factory=list)
    lost: bool = False
    use_place: str = ""
    use_time: list[str] = field(default_factory=list)

    @classmethod
    def fresh(cls, *, topic: str = "") -> Draft:
        node = reference().nodes_by_code.get(topic)
        return cls(submission=new_submission(), category=topic if node and node.is_leaf and node.active else "")

    @classmethod
    def read(cls, sent: QueryDict) -> Draft:
        """From a form as sent. Nothing is refused here: what is wrong is said when the step is taken."""
        text = {
            name: sent.get(name, "").replace("\x00", "")
            for name in ("words", "category", "county", "town", "village", "picked", "place_text", "lon", "lat", "name",
                         "phone", "title", "body", "use_place")
        }
        submission = sent.get("submission", "")
        submission = submission if 16 <= len(submission) <= 80 else new_submission()
        uploads, lost = carried_by(sent.getlist("upload"), dropped=sent.get("drop", ""), submission=submission)
        return cls(
            submission=submission, uploads=uploads, lost=lost,
            system=sent.get("system", "") or CoordinateSystem.WGS84.value,
            messages="messages" in sent, confidential="confidential" in sent, publish="publish" in sent,
            use_time=sent.getlist("use_time"), **text,
        )

    @property
    def has_position(self) -> bool:
        return bool(self.lon and self.lat)

    @property
    def length(self) -> int:
        return len(self.words.replace("\r\n", "\n").strip())

    @property
    def too_long(self) -> bool:
        return self.length > WORDS_LIMIT

    @property
    def topic(self) -> Node | None:
        return reference().nodes_by_code.get(self.category) if self.category else None

    def offering(self) -> Iterator[Upload]:
        return (one for one in self.uploads if one.offers_place)

    def prepare_publication(self) -> bool:
        """Fill in the words to be public where they are still empty. True when the person has yet to see them."""
        if not self.publish or (self.body.strip() and self.title.strip()):
            return False
        names = (self.name,) if self.name else ()
        self.body = self.body or redacted(self.words, names=names)[:BODY_LIMIT]
        self.title = self.title or first_words(self.body)
        return True

    def _area(self) -> tuple[str | None, float | None, float | None, str]:
        """Area code, position and its system: a photo's place when wished, then a place picked by name, then what
        was chosen from the lists or on the map."""
        for one in self.uploads:
            if self.use_place == one.key and one.lon is not None:
                return None, one.lon, one.lat, CoordinateSystem.WGS84.value
        lon, lat = _number(self.lon), _number(self.lat)
        chosen = self.village or self.town or self.county or None
        if self.picked and chosen is None and lon is None:
            for hit in gazetteer.read(f"{self.place_text}\n{self.words}", limit=20).hits:
                if hit.code == self.picked:
                    return (hit.area_code, None, None, self.system) if hit.approximate else (
                        hit.area_code, hit.lon, hit.lat, CoordinateSystem.WGS84.value)
        return chosen, lon, lat, self.system

    def said(self) -> str:
        """The words, with the time a photo was taken where the reporter wants it told."""
        told = [_("（照片拍于 %s。）") % one.taken_at for one in self.uploads if one.key in self.use_time and one.taken_at]
        return "\n".join([self.words, *told])

    def intake(self) -> Intake:
        """What `register` takes. It is `register` that refuses what cannot be taken."""
        area, lon, lat, system = self._area()
        return Intake(
            words=self.said(), category=self.category or None, area=area, place_text=self.place_text, lon=lon, lat=lat,
            coordinate_system=system, name=self.name, phone=self.phone, language=get_language() or "zh-hans",
            confidential=self.confidential, message_consent=self.messages,
            publication_title=self.title if self.publish else "", publication_body=self.body if self.publish else "",
            attachments=tuple(one.id for one in self.uploads),
        )


def first_words(text: str) -> str:
    """The first sentence or line, for a heading: at most forty characters."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    for end in "。！？!?；;":
        head, found, _rest = line.partition(end)
        if found and len(head) >= 4:
            line = head
    return line if len(line) <= 40 else line[:39] + "…"

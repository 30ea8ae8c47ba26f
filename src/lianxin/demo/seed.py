"""Cases to try the demo with: each row of a city's `demo/cases.csv` is lived through by its staff, action by action.

Nothing is written past the actions: a story is a list of the desk's own steps, taken under a clock that stands at the
time they would have happened. So every list has something in it, and the log of each case is as it would be.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from PIL import Image, ImageDraw

from lianxin.cases import actions as a
from lianxin.cases import files, missed_calls
from lianxin.cases.engine import On
from lianxin.cases.models import Case
from lianxin.cases.reference import reference, today_of
from lianxin.kernel import clock
from lianxin.organisations.actors import Actor, Kind, actor_for, reporter_for
from lianxin.organisations.models import Role, RoleGrant, Staff
from lianxin.quality import actions as q
from lianxin.quality.campaigns import define
from lianxin.quality.checklist import items_for
from lianxin.quality.models import Campaign

from . import ledger

RESIDENT = Actor(kind=Kind.REPORTER, via="web")
COLUMNS = ("story", "hours_ago", "category", "area", "channel", "publish", "words", "answer", "route")
# Nobody's numbers: no local number begins with a nought.
PHONE = "0730000{:04d}"


class SeedError(Exception):
    """A row cannot be lived through; the message names the file, the line and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file."""

    line: int
    story: str
    hours_ago: float
    category: str
    area: str
    channel: str
    publish: bool
    words: str
    answer: str
    route: str


def read(path: Path) -> list[Row]:
    """The rows, oldest first. Raises SeedError for a row with an unknown story or a bad number."""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise SeedError(f"{path}: the columns must be {', '.join(COLUMNS)}")
        for line, row in enumerate(reader, 2):
            if row["story"] not in STORIES:
                raise SeedError(f"{path}, line {line}: unknown story {row['story']!r}")
            try:
                hours = float(row["hours_ago"])
            except ValueError:
                raise SeedError(f"{path}, line {line}: hours_ago {row['hours_ago']!r} is not a number") from None
            rows.append(Row(line, row["story"], hours, row["category"], row["area"], row["channel"],
                            row["publish"] == "yes", row["words"], row["answer"], row["route"]))
    return sorted(rows, key=lambda row: -row.hours_ago)


@dataclass(slots=True)
class Cast:
    """Who plays: one person of each hotline role, and whoever is clerk of a unit."""

    people: dict[Role, Staff] = field(default_factory=dict)

    @classmethod
    def of_city(cls) -> Cast:
        people: dict[Role, Staff] = {}
        grants = RoleGrant.objects.filter(ended_at__isnull=True, staff__is_active=True).select_related("staff")
        for grant in grants.order_by("staff_id", "id"):
            people.setdefault(Role(grant.role), grant.staff)
        return cls(people)

    def actor(self, role: Role) -> Actor:
        return actor_for(self.people[role], via="desk")

    def clerk(self, unit_id: int) -> Actor:
        grant = (
            RoleGrant.objects.filter(unit_id=unit_id, role=Role.CLERK, ended_at__isnull=True, staff__is_active=True)
            .select_related("staff").order_by("staff_id").first()
        )
        if grant is None:
            raise SeedError(f"unit {unit_id} has no clerk")
        return actor_for(grant.staff, via="desk")


@dataclass(slots=True)
class Play:
    """One case on its way."""

    row: Row
    cast: Cast
    serial: int
    case_id: UUID | None = None

    @property
    def case(self) -> Case:
        """As it stands now."""
        return Case.objects.get(pk=self.known_id)

    @property
    def known_id(self) -> UUID:
        assert self.case_id is not None, "the story has not begun"
        return self.case_id

    def on(self, actor: Actor) -> On:
        return On(self.known_id, actor)

    def hotline(self, role: Role) -> On:
        return self.on(self.cast.actor(role))

    def unit(self, *, assisting: bool = False) -> On:
        part = self.case.assignments.filter(ended_at__isnull=True, role="assist" if assisting else "lead").get()
        return self.on(self.cast.clerk(part.unit_id))

    def reporter(self) -> On:
        return self.on(reporter_for(self.known_id))


def _picture() -> bytes:
    """A drawing that says of itself that it is one, where a handled matter needs a photo."""
    image = Image.new("RGB", (960, 640), "#cfe3e2")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 420, 960, 640), fill="#8f897c")
    draw.polygon([(380, 420), (580, 420), (760, 640), (200, 640)], fill="#5b5750")
    draw.ellipse((700, 80, 800, 180), fill="#f2bc5c")
    draw.text((24, 600), "DEMO PICTURE", fill="#ffffff")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def _register(play: Play) -> None:
    row = play.row
    place = reference().places_by_code[row.area]
    by = {"web": RESIDENT, "field": play.cast.actor(Role.GRID_WORKER)}.get(row.channel, play.cast.actor(Role.OPERATOR))
    taken = row.channel == "phone" and row.story != "registered"
    made = a.register(intake=a.Intake(
        words=row.words, channel=row.channel, category=row.category if taken else None, area=row.area,
        place_text=place.name, accept=taken, phone=PHONE.format(play.serial), name="",
        publication_title=row.words[:24] if row.publish else "", publication_body=row.words if row.publish else "",
    ), by=by)
    play.case_id = made.case_id


def _accept(play: Play) -> None:
    if play.case.state == "registered":
        a.accept(play.hotline(Role.OPERATOR), category=play.row.category, area=play.row.area)


def _dispatch(play: Play, *, assisting: bool = False) -> None:
    case = play.case
    answer = reference().responsible(category_id=case.category_id, area_id=case.area_id, on=today_of(clock.now()))
    if answer is None:
        raise SeedError(f"line {play.row.line}: the catalogue has no unit for it")
    helpers = [unit.code for unit in answer.assisting]
    if assisting and not helpers:
        grants = RoleGrant.objects.filter(role=Role.CLERK, ended_at__isnull=True, unit__kind="city_department")
        helpers = [grants.exclude(unit_id=answer.lead.id).order_by("unit_id").values_list("unit__code", flat=True)[0]]
    a.dispatch(play.hotline(Role.DISPATCHER), lead_unit=answer.lead.code, assisting_units=helpers)


def _assisted(play: Play) -> None:
    _dispatch(play, assisting=True)


def _sign(play: Play) -> None:
    a.sign(play.unit())


def _assist_sign(play: Play) -> None:
    a.assist_sign(play.unit(assisting=True))


def _contact(play: Play) -> None:
    a.record_contact(play.unit(), means="phone", reached=True, note="已与诉求人通话，约定现场查看。")


def _object(play: Play) -> None:
    a.raise_return(play.unit(), reason="other_unit_leads",
                   evidence="经现场核对，该处产权和管养责任不在本单位，附职责清单。")


def _reply(play: Play) -> None:
    on = play.unit()
    photo, _offered = files.store(file=io.BytesIO(_picture()), name="demo.jpg", size=1, by=on.by)
    if play.case.assignments.filter(ended_at__isnull=True, contacted_at__isnull=True, role="lead").exists():
        a.record_contact(on, means="phone", reached=True)
    a.reply(on, public_answer=play.row.answer, solved=play.row.story not in ("explained",),
            private_note="现场照片见附件。", attachments=[photo.pk])


def _approve(play: Play) -> None:
    asked = items_for(play.case, reference())
    q.approve(play.hotline(Role.REVIEWER), answers={item.code: "yes" for item in asked})


def _missed(play: Play) -> None:
    q.record_callback_attempt(play.hotline(Role.CALLBACK), outcome="no_answer")


def _content(play: Play) -> None:
    q.record_callback_attempt(play.hotline(Role.CALLBACK), outcome="reached", truthful=True, solved=True,
                              satisfaction="satisfied")


def _unsolved(play: Play) -> None:
    q.record_callback_attempt(play.hotline(Role.CALLBACK), outcome="reached", truthful=True, solved=False,
                              satisfaction="dissatisfied", note="诉求人说问题又出现了。")


def _close(play: Play) -> None:
    q.close(play.hotline(Role.CALLBACK))


def _decide(play: Play) -> None:
    """Redone in vain: the supervisor closes it with the reason."""
    q.close(play.hotline(Role.SUPERVISOR), explanation="已向诉求人说明政策依据和救济途径。")


def _contest(play: Play) -> None:
    q.contest(play.reporter(), words="说是办好了，第二天又是老样子，请你们来看看。")


def _sample(play: Play) -> None:
    """From here on the county's matters of this branch are sampled: who is not drawn is asked to rate."""
    case, by, today = play.case, play.cast.actor(Role.SUPERVISOR), today_of(clock.now())
    assert case.category is not None
    if not Campaign.objects.filter(category=case.category, county_id=case.county_id).exists():
        county = reference().places[case.county_id].code if case.county_id else ""
        define(by=by, name="抽样回访试点", starts_on=today, ends_on=today + timedelta(days=60), share=20,
               category=case.category.code, county=county, seed="demo")


def _rate(play: Play) -> None:
    q.rate(play.reporter(), solved=True, satisfaction="satisfied", words="办好了，谢谢。")


def _answer(play: Play) -> None:
    a.answer_on_the_spot(play.hotline(Role.OPERATOR), public_answer=play.row.answer, category=play.row.category)


def _decline(play: Play) -> None:
    a.decline(play.hotline(Role.OPERATOR), route=play.row.route, explanation=play.row.answer)


def _withdraw(play: Play) -> None:
    a.withdraw(play.reporter(), reason="已经来电了，不用办了，谢谢。")


def _publish(play: Play) -> None:
    if play.row.publish:
        a.clear_publication(play.hotline(Role.REVIEWER), title=play.row.words[:24], body=play.row.words)


_HANDLED = (_register, _accept, _dispatch, _sign, _contact, _reply)
STORIES: dict[str, tuple[Callable[[Play], None], ...]] = {
    "registered": (_register,),
    "accepted": (_register, _accept),
    "dispatched": (_register, _accept, _dispatch, _publish),
    "in_hand": (_register, _accept, _dispatch, _sign, _contact, _publish),
    "assisted": (_register, _accept, _assisted, _sign, _assist_sign, _contact),
    "paused": (_register, _accept, _dispatch, _sign, _contact, ledger.pause),
    "more_time": (_register, _accept, _dispatch, _sign, _contact, ledger.ask_for_time),
    "urged": (_register, _accept, _dispatch, _sign, _contact, ledger.urge),
    "supervised": (_register, _accept, _dispatch, ledger.supervise),
    "order_answered": (_register, _accept, _dispatch, _sign, _contact, ledger.supervise, ledger.answer_order),
    "listed": (_register, _accept, _dispatch, _sign, _contact, ledger.put_on_list, _publish),
    "same_matter": (_register, _accept, ledger.merge),
    "objected": (_register, _accept, _dispatch, _object),
    "replied": (*_HANDLED, _publish),
    "callback": (*_HANDLED, _approve),
    "callback_missed": (*_HANDLED, _approve, _missed),
    "callback_sampled": (*_HANDLED, _sample, _approve),
    "closed": (*_HANDLED, _approve, _content, _close, _publish),
    "contested": (*_HANDLED, _approve, _content, _close, _contest),
    "to_decide": (*_HANDLED, _approve, _unsolved, _sign, _contact, _reply, _approve, _unsolved),
    "explained": (*_HANDLED, _approve, _unsolved, _sign, _contact, _reply, _approve, _unsolved, _decide),
    "reopened": (*_HANDLED, _approve, _unsolved),
    "redone": (*_HANDLED, _approve, _unsolved, _sign, _contact, _reply, _approve, _content, _close, _rate, _publish),
    "answered": (_register, _answer),
    "declined": (_register, _decline),
    "withdrawn": (_register, _withdraw),
}


def seed(path: Path) -> int:
    """Live through every row. Returns how many cases were made; 0 when the city already has cases."""
    if Case.objects.exists():
        return 0
    rows = read(path)
    cast = Cast.of_city()
    present = clock.now()
    for serial, row in enumerate(rows, 1):
        play = Play(row, cast, serial)
        steps = STORIES[row.story]
        begun = present - timedelta(hours=row.hours_ago)
        # The first steps come soon after one another, the later ones spread over what time there has been.
        pace = timedelta(hours=row.hours_ago * 0.9) / max(len(steps), 1)
        with clock.frozen(begun) as frozen:
            for number, step in enumerate(steps):
                frozen.set(begun + min(pace, timedelta(hours=5)) * number)
                step(play)
    _missed_calls(cast, present)
    return len(rows)


def _missed_calls(cast: Cast, present: datetime) -> None:
    """Three callers nobody answered: one overdue and tried once, one who rang twice, one just now."""
    operator = cast.actor(Role.OPERATOR)
    telephone = replace(operator, via="telephony", scopes=frozenset({missed_calls.REPORT}))
    for serial, minutes, rings in ((9001, 95, 1), (9002, 40, 2), (9003, 4, 1)):
        for ring in range(rings):
            at = present - timedelta(minutes=minutes - 5 * ring)
            with clock.frozen(at):
                made = missed_calls.report(by=telephone, phone=PHONE.format(serial), at=at, line="12345")
        if serial == 9001:
            with clock.frozen(present - timedelta(minutes=60)):
                missed_calls.record_try(operator, made.id, outcome="no_answer")

"""The files of a city and their columns. docs/reference/city-files.md is held to this list by a test."""

from __future__ import annotations

from lianxin.cases.models import ClockKind, Kind, NoticeLevel, NoticeTo, Publicity, TimeLimit, Urgency
from lianxin.cases.reference import PLAIN_DUTIES
from lianxin.linkage.models import Identity, PartnerKind, What
from lianxin.linkage.states import OPEN
from lianxin.linkage.wire import CODE, NAME
from lianxin.organisations.models import Role, UnitKind
from lianxin.services.models import Datatype
from lianxin.triage.keywords import weighted

from .tables import (
    Column,
    Table,
    choice,
    code,
    day,
    days,
    many,
    matching,
    minutes,
    minutes_from_zero,
    option,
    position,
    seconds,
    share,
    words,
    yes_no,
)

# The duties whose limit depends on nothing but the duty, the urgency and who owes it.
DUTIES = tuple(str(duty) for duty in PLAIN_DUTIES)
EACH_COUNTY = "each county"
EACH_TOWN = "each town"

UNITS = Table("units.csv", "Every body that can be given a case, and the hotline itself with its sections.", (
    Column("code", "The unit's code; never reused.", code(24), needed=True),
    Column("name", "Full official name.", words(80), needed=True),
    Column("short_name", "What people call it.", words(40)),
    Column("name_en", "Name in English.", words(120)),
    Column("kind", "What it is.", choice(UnitKind.values), needed=True),
    Column("parent", "Code of the unit above it.", code(24)),
    Column("area", "Code of the area it works for.", code(24)),
    Column("calendar", "Code of the calendar its own duties run in; `working` when empty.", code(20)),
    Column("duties", "What it is there for, in a few words.", words(2000)),
    Column("active_from", "First day it takes cases.", day),
    Column("active_to", "First day it no longer does.", day),
))
CATEGORIES = Table("categories.csv", "The category tree; a row without rows below it is a leaf and carries cases.", (
    Column("code", "The category's code; begins with its parent's.", code(12), needed=True),
    Column("name", "Name.", words(60), needed=True),
    Column("name_en", "Name in English.", words(120), needed=True),
    Column("parent", "Code of the category above it.", code(12)),
    Column("kind", "What a case of this leaf usually is.", choice(Kind.values)),
    Column("urgency", "How urgent it is unless said otherwise; `normal` when empty.", choice(Urgency.values)),
    Column("field_matter", "`yes`: the unit's reply needs a photo.", yes_no),
    Column("complex_allowed", "`yes`: the long time limit may be asked for.", yes_no),
    Column("plain_name", "What a resident would call it.", words(60)),
    Column("plain_name_en", "The same in English.", words(120)),
    Column("quick_topic", "Place among the topics on the portal's first page, from 1.", position),
    Column("added", "`yes`: not in the taxonomy the tree follows.", yes_no),
    Column("publicity", "What the public record says of a case: `cell` where in public space it is, `area` the village or coarser, "
           "`count` only how many there are; when empty as in the category above it, and `area` at the top.", choice(Publicity.values),
           later=True),
))
TIME_LIMITS = Table("time_limits.csv", "How long each duty may take; the most specific row wins.", (
    Column("category", "Category and everything below it; any when empty.", code(12)),
    Column("kind", "Kind; any when empty.", choice(Kind.values)),
    Column("urgency", "Urgency; any when empty.", choice(Urgency.values)),
    Column("track", "Ordinary, complex after approval, or reopened and supervised.", choice(TimeLimit.Case.values),
           needed=True),
    Column("calendar", "Code of the calendar the minutes count in; under `working` a unit signs in its own.", code(20),
           needed=True),
    Column("sign_for", "Minutes until the unit has signed for it.", minutes, needed=True),
    Column("first_contact", "Minutes until the reporter was contacted.", minutes, needed=True),
    Column("resolve", "Minutes until the reply.", minutes, needed=True),
    Column("unit", "Code of the unit it holds for, counted from the dispatch to it; any when empty. It never makes what a "
           "reporter was promised later.", code(24), later=True),
    Column("basis", "The rule it rests on.", words(200)),
    Column("valid_from", "First day in force.", day, needed=True),
    Column("valid_to", "First day no longer in force.", day),
))
DUTY_LIMITS = Table("duty_limits.csv", "How long the hotline's own duties may take, and answers owed to it; the most specific "
                    "row wins: unit, then urgency. Where it says nothing the program's own limits hold.", (
    Column("duty", "The duty.", choice(DUTIES), needed=True),
    Column("urgency", "Urgency; any when empty.", choice(Urgency.values)),
    Column("unit", "Code of the unit that owes it; any when empty.", code(24)),
    Column("calendar", "Code of the calendar the minutes count in.", code(20), needed=True),
    Column("minutes", "Minutes.", minutes, needed=True),
    Column("basis", "The rule it rests on.", words(200)),
    Column("valid_from", "First day in force.", day, needed=True),
    Column("valid_to", "First day no longer in force.", day),
), optional=True)
NOTICE_RULES = Table("notice_rules.csv", "When a clock tells whom: reminders, escalations, circulars.", (
    Column("code", "The rule's code.", code(40), needed=True),
    Column("level", "How grave it is.", choice(NoticeLevel.values), needed=True),
    Column("kinds", "Kinds of clocks, separated by |; any when empty.", many(choice(ClockKind.values))),
    Column("urgency", "Urgency; any when empty.", choice(Urgency.values)),
    Column("share_left", "It speaks when this part of the clock's time is left, as `0.2`.", share),
    Column("minutes_after", "It speaks so many minutes of the clock's calendar after it fell due; `0` is at once.",
           minutes_from_zero),
    Column("to", "Who is told, separated by |.", many(choice(NoticeTo.values)), needed=True),
    Column("basis", "The rule it rests on.", words(200)),
    Column("valid_from", "First day in force.", day, needed=True),
    Column("valid_to", "First day no longer in force.", day),
), optional=True)
CATALOGUE = Table("catalogue.csv", "The dispatch catalogue: category × area → lead unit; the most specific rule wins.", (
    Column("category", "Category and everything below it; any when empty.", code(12)),
    Column("name", "The category's name, for the reader; must agree with categories.csv.", words(60)),
    Column("area", f"Area and everything below it; any when empty; `{EACH_COUNTY}` or `{EACH_TOWN}` writes one rule "
           "for each, with `{area}` in the unit codes standing for the area's code.", words(24)),
    Column("lead", "Code of the lead unit.", words(40), needed=True),
    Column("assisting", "Codes of assisting units, separated by |.", many(words(40))),
    Column("valid_from", "First day in force.", day),
    Column("valid_to", "First day no longer in force.", day),
    Column("basis", "The rule it rests on.", words(300)),
))
KEYWORDS = Table("keywords.csv", "Words that suggest a category while an operator types.", (
    Column("category", "Code of a leaf.", code(12), needed=True),
    Column("name", "The leaf's name, for the reader; must agree with categories.csv.", words(60)),
    Column("words", "Words separated by spaces; `word:2` counts twice as much.", weighted, needed=True),
), optional=True)
STAFF = Table("staff.csv", "People and what they may do. Passwords are never in a file.", (
    Column("username", "What they sign in with.", code(60), needed=True),
    Column("name", "Their name.", words(60), needed=True),
    Column("unit", "Code of their unit.", code(24), needed=True),
    Column("roles", "Roles in that unit, separated by |.", many(choice(Role.values)), needed=True),
    Column("area", "Areas the roles are narrowed to, separated by |; the unit's own when empty.", many(code(24))),
))
_PHRASE = (
    Column("code", "The entry's code.", code(40), needed=True),
    Column("name", "Name.", words(80), needed=True),
    Column("name_en", "Name in English.", words(160), needed=True),
    Column("words", "What is said to the reporter (routes) or asked of the unit (reasons).", words(1000)),
    Column("words_en", "The same in English.", words(1000)),
)
DECLINE_ROUTES = Table("decline_routes.csv", "The lawful routes named when a case is declined.", _PHRASE)
RETURN_REASONS = Table("return_reasons.csv", "The reasons a unit may give for a return.", _PHRASE)
CHECKLIST = Table("checklist.csv", "What a reviewer answers of every reply, in the order of the rows; the nearest category's row wins.", (
    Column("code", "The question's code, kept with each review.", code(24), needed=True),
    Column("category", "Category and everything below it; all when empty.", code(12)),
    Column("question", "The question, answered with yes, no or does not apply.", words(120), needed=True),
    Column("question_en", "The same in English.", words(200), needed=True),
    Column("required", "`yes`: a reply passes only when it is answered, and not with no.", yes_no),
    Column("na_allowed", "`yes`: it may be answered with does not apply.", yes_no),
    Column("field_only", "`yes`: asked of field matters only.", yes_no),
))
TRAINING = Table("training/*.csv", "Messages with the category they belong to, from which the reading of messages is learnt. Any number of "
                 "files, none is needed. Nothing of them comes into the database; see [training texts](training-texts.md).", (
    Column("title", "The matter in a few words; empty where the message has none.", words(200)),
    Column("detail", "What the resident says.", words(12_000), needed=True),
    Column("category", "Code of a leaf.", code(12), needed=True),
), optional=True)
ROUNDS = Table("rounds.csv", "Places that are looked at at intervals, and the form that is filled in there; see [forms](forms.md).", (
    Column("code", "The round's code; never reused.", code(40), needed=True),
    Column("name", "Name.", words(60), needed=True),
    Column("name_en", "Name in English.", words(120)),
    Column("form", "The form: the name of a file in `forms/`, without its ending.", code(40), needed=True),
    Column("kinds", "Every site of these kinds, separated by |.", many(words(20))),
    Column("within", "Of these kinds only the sites in this area; in the whole city when empty.", code(24)),
    Column("sites", "Codes of single sites, separated by |.", many(code(40))),
    Column("areas", "Codes of areas looked at as a whole, separated by |.", many(code(24))),
    Column("every", "Days from one time to the next, 1 to 366.", days, needed=True),
    Column("calendar", "Code of the calendar; a day on which it does not work puts the round off to the next on which it does.", code(20),
           needed=True),
    Column("valid_from", "First day; a place never looked at falls due as if it had been the day before.", day, needed=True),
    Column("valid_to", "First day no longer.", day),
), optional=True)

PARTNERS = Table("partners.csv", "The desks of other services that matters are handed over to, and that hand over theirs.", (
    Column("code", "The desk's name in messages, as `110.city`; never reused.", matching(NAME, 60), needed=True),
    Column("name", "Name.", words(80), needed=True),
    Column("name_en", "Name in English.", words(120)),
    Column("kind", "What it is.", choice(PartnerKind.values), needed=True),
    Column("service", "The number people dial; each once.", words(20)),
    Column("url", "Where its endpoint is; when empty, what was set with `lianxin linkage partner` stays.", words(300)),
    Column("phone", "Telephone of its desk, for when the link is down; when empty, what was set stays.", words(40)),
    Column("identity", "When the caller's name and number travel whole; else they are masked. `emergency` when empty.",
           choice(Identity.values)),
    Column("emergencies", "`yes`: the operator's emergency key for it is on the call screen.", yes_no),
    Column("asks_followups", "`yes`: what it hands back behind an outcome waits for a person; else it is taken at once.", yes_no),
    Column("ended", "`yes`: nothing is handed over to it any more.", yes_no),
), optional=True)
HANDOVER_LIMITS = Table("handover_limits.csv", "How long a handover may stay in a state before the desk hears an alarm.", (
    Column("partner", "Code of the desk; any when empty. Its own row wins.", matching(NAME, 60)),
    Column("state", "The state.", choice([state.value for state in OPEN]), needed=True),
    Column("emergency", "`yes`: of emergencies; else of all others.", yes_no),
    Column("seconds", "Seconds, around the clock.", seconds, needed=True),
    Column("basis", "The rule it rests on.", words(200)),
), optional=True)
_TERM = (
    Column("code", "The entry's code, as it stands in messages.", matching(CODE, 60), needed=True),
    Column("name", "Name.", words(80), needed=True),
    Column("name_en", "Name in English.", words(120), needed=True),
)
HANDOVER_REFUSALS = Table("handover_refusals.csv", "The reasons for which a desk may refuse what is offered to it.", _TERM, optional=True)
HANDOVER_RESULTS = Table("handover_results.csv", "How a matter may have ended at the desk that took it.", _TERM, optional=True)
LINKAGE_MAPPINGS = Table("linkage_mappings.csv", "Words of ours and a desk's words for them. A word that was mapped at our desk keeps that "
                         "mapping.", (
    Column("partner", "Code of the desk.", matching(NAME, 60), needed=True),
    Column("what", "What the words stand for.", choice(What.values), needed=True),
    Column("ours", "Our code: a category's, a reason's, a result's.", code(60), needed=True),
    Column("theirs", "What the desk calls it.", words(60), needed=True),
    Column("direction", "`out`: only for what we send, `in`: only for what comes; both when empty.", choice(("both", "out", "in"))),
), optional=True)
SERVICE_ATTRIBUTES = Table("service_attributes.csv", "What outside apps ask beside the words, as Open311's service definitions.", (
    Column("category", "Category and everything below it.", code(12), needed=True),
    Column("code", "The question's code, unique in its category; never reused.", code(40), needed=True),
    Column("datatype", "What is answered.", choice(Datatype.values), needed=True),
    Column("question", "The question, or with `told_only` the words that are told.", words(300), needed=True),
    Column("question_en", "The same in English.", words(400)),
    Column("hint", "How to answer it.", words(200)),
    Column("hint_en", "The same in English.", words(300)),
    Column("required", "`yes`: nothing can be reported without an answer.", yes_no),
    Column("told_only", "`yes`: nothing is asked, the words are only told.", yes_no),
    Column("order", "Place among the questions, from 1; the place in the file when empty.", position),
    Column("options", "Of a list: `key=name/name in English`, separated by |.", many(option)),
), optional=True)

TABLES = (UNITS, CATEGORIES, TIME_LIMITS, DUTY_LIMITS, NOTICE_RULES, CATALOGUE, KEYWORDS, STAFF, DECLINE_ROUTES, RETURN_REASONS, CHECKLIST,
          TRAINING, ROUNDS, PARTNERS, HANDOVER_LIMITS, HANDOVER_REFUSALS, HANDOVER_RESULTS, LINKAGE_MAPPINGS,
          SERVICE_ATTRIBUTES)

# Keys of one article in knowledge/*.yaml, with their meaning; the needed ones come first.
ARTICLE = {
    "code": "The article's code; never reused.",
    "title": "What it answers, in a few words.",
    "answer": "What the operator reads out, in plain sentences.",
    "valid_from": "First day it may be used.",
    "questions": "Ways residents ask it.",
    "keywords": "Words that find it.",
    "basis": "The law or document it rests on.",
    "source": "Who wrote it.",
    "category": "Code of a category.",
    "unit": "Code of the unit that answers for it.",
    "review_by": "Day after which it is no longer shown until reviewed.",
    "valid_until": "Last day it holds; without end when absent.",
    "area": "Code of the area it holds for; the whole city when absent.",
    "public": "`false`: for staff only, not on the residents' pages; `true` when absent.",
}
# A list of lists of words: each word finds what the others find.
SYNONYMS_FILE = "synonyms.yaml"
ARTICLE_NEEDED = ("code", "title", "answer", "valid_from")

CALENDARS_FILE = "calendars.yaml"
# Its keys: of the file, of one calendar, and of the mappings inside it.
CALENDARS = {
    "calendars": "The calendars, one entry each.",
    "published_years": "Legal calendars that the program does not hold yet, one entry a year.",
}
CALENDAR = {
    "code": "The calendar's code, at most 20 characters; never reused. `working` and `around_the_clock` are always there.",
    "name": "Its name.",
    "name_en": "Its name in English.",
    "base": "`legal`: the legal holidays and make-up days; `plain`: the week alone; `around_the_clock`: every minute of every day.",
    "day": "The spans of a whole working day, as `09:00-12:00`; make-up days are whole days. 09:00-12:00 and 13:00-17:00 when not given.",
    "week": "Weekdays with spans of their own, `mon` to `sun`; `[]` is a day off. Saturday and Sunday are off unless named.",
    "periods": "Other hours for a time: `from`, `to`, `day`, `week`. Seasons, and changes to come.",
    "dates": "Single days: `date`, `spans` (`[]`: off), `reason`.",
}
CALENDAR_NEEDED = ("code", "name", "name_en", "base")
PERIOD = ("from", "to", "day", "week")
DATE = ("date", "spans", "reason")
PUBLISHED_YEAR = {
    "year": "The year.",
    "basis": "The notice of the State Council it is taken from.",
    "holidays": "Every day of a holiday, weekends inside it with the rest; `2027-02-05/2027-02-11` is a run of days.",
    "worked": "Saturdays and Sundays that are worked instead.",
}
PUBLISHED_YEAR_NEEDED = ("year", "basis", "holidays")

# Keys of city.yaml.
CITY = {
    "code": "The city's code.",
    "name": "Its name.",
    "name_en": "Its name in English.",
    "hotline": "The number residents call.",
    "areas": "Where the areas come from; see the section on areas.",
    "everyday_words": "Short forms of its places that are common words too, or are said of much else: `[南湖, 屈原]`. In a text they count "
                      "as a place only beside words of place (在南湖那边) or the name of their town or county.",
}
CITY_NEEDED = ("code", "name", "name_en")

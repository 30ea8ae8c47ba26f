"""What a load changed: every table as it was before and after, compared by code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

# One row a thing: its key, whether it is in use, and a digest of all that a city's files say of it.
_TABLES = {
    "areas": """
        SELECT code, active, md5(ROW(name, name_en, short_name, aliases, level, parent_id, lon, lat, boundary, synthetic,
                                     overlay)::text) FROM places_area""",
    "sites": """
        SELECT code, active, md5(ROW(name, kind, aliases, area_id, lon, lat, approximate)::text) FROM places_site""",
    "calendars": """
        SELECT code, active, md5(ROW(name, name_en, definition)::text) FROM organisations_workcalendar""",
    "units": """
        SELECT code, active_to IS NULL OR active_to > CURRENT_DATE, md5(ROW(name, short_name, name_en, kind, parent_id,
               area_id, calendar, duties, active_from, active_to)::text) FROM organisations_unit""",
    "categories": """
        SELECT code, active, md5(ROW(name, name_en, plain_name, plain_name_en, parent_id, is_leaf, kind, urgency,
               field_matter, complex_allowed, quick_topic, keywords, added, publicity)::text) FROM cases_category""",
    "time_limits": """
        SELECT ROW(category_id, kind, urgency, track, unit_id, valid_from)::text, true, md5(ROW(calendar, sign_for,
               first_contact, resolve, basis, valid_to)::text) FROM cases_timelimit""",
    "duty_limits": """
        SELECT ROW(duty, urgency, unit_id, valid_from)::text, true, md5(ROW(calendar, minutes, basis, valid_to)::text)
        FROM cases_dutylimit""",
    "notice_rules": """
        SELECT ROW(code, valid_from)::text, true, md5(ROW(level, kinds, urgency, share_left, minutes_after, "to", basis,
               valid_to)::text) FROM cases_noticerule""",
    "catalogue_rules": """
        SELECT ROW(rule.category_id, rule.area_id, rule.valid_from)::text, true, md5(ROW(lead_unit_id, assisting_units,
               valid_to, basis)::text) FROM cases_cataloguerule AS rule
        WHERE version_id = (SELECT id FROM cases_catalogueversion ORDER BY number DESC LIMIT 1)""",
    "phrases": """
        SELECT list || ' ' || code, active, md5(ROW(name, name_en, words, words_en, position)::text) FROM cases_phrase""",
    "checklist": """
        SELECT ROW(code, category_id)::text, active, md5(ROW(question, question_en, required, na_allowed, field_only,
               position)::text) FROM quality_checklistitem""",
    "articles": """
        SELECT code, state = 'approved', md5(ROW(title, questions, keywords, answer, basis, source, category_id, area_id, unit_id,
               valid_from, valid_until, review_by, public)::text)
        FROM knowledge_article AS article JOIN knowledge_version AS version ON version.id = (
          SELECT id FROM knowledge_version WHERE article_id = article.id AND state IN ('approved', 'withdrawn')
          ORDER BY number DESC LIMIT 1)""",
    "synonyms": "SELECT words::text, true, '' FROM knowledge_synonymgroup",
    "forms": """
        SELECT code, active, (SELECT max(number)::text FROM patrols_formversion WHERE form_id = form.id) FROM patrols_form AS form""",
    "rounds": """
        SELECT code, active, md5(ROW(name, name_en, form_id, every, calendar, valid_from, valid_to, (SELECT array_agg(
               ROW(site_id, area_id)::text ORDER BY site_id, area_id) FROM patrols_roundplace WHERE round_id = one.id))::text)
        FROM patrols_round AS one""",
    "partners": """
        SELECT code, active, md5(ROW(name, name_en, kind, service, url, fallback_phone, identity, emergencies,
               takes_followups)::text) FROM linkage_partner""",
    "handover_limits": """
        SELECT ROW(partner_id, state, emergency)::text, true, md5(ROW(seconds, basis)::text) FROM linkage_handoverlimit""",
    "linkage_terms": "SELECT list || ' ' || code, active, md5(ROW(name, name_en, position)::text) FROM linkage_term",
    "linkage_mappings": """
        SELECT ROW(partner_id, what, inbound, CASE WHEN inbound THEN theirs ELSE ours END)::text, true, md5(ROW(ours, theirs)::text)
        FROM linkage_mapping""",
    "service_attributes": """
        SELECT ROW(category_id, code)::text, active, md5(ROW(datatype, variable, required, position, question, question_en, hint,
               hint_en, options)::text) FROM services_serviceattribute""",
    "staff": """
        SELECT username, count(held.id) > 0, md5(ROW(person.name, person.unit_id, array_agg(ROW(held.role, held.unit_id,
               held.area_id)::text ORDER BY held.role, held.unit_id, held.area_id))::text)
        FROM organisations_staff AS person
        LEFT JOIN organisations_rolegrant AS held ON held.staff_id = person.id AND held.ended_at IS NULL
        GROUP BY person.id""",
}
Picture = dict[str, dict[str, tuple[bool, str]]]


@dataclass(frozen=True, slots=True)
class Change:
    """How many things of one table a load added, changed, and took out of use (closed, made inactive, ended)."""

    added: int = 0
    changed: int = 0
    closed: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.closed)


def picture() -> Picture:
    """Every table of a city as it stands."""
    seen: Picture = {}
    with connection.cursor() as cursor:
        for name, query in _TABLES.items():
            cursor.execute(query)
            seen[name] = {key: (in_use, digest) for key, in_use, digest in cursor.fetchall()}
    return seen


def between(before: Picture, after: Picture) -> dict[str, Change]:
    """The difference of two pictures, table by table; a thing taken into use again counts as added."""
    return {name: _compare(before[name], after[name]) for name in _TABLES}


def _compare(before: Mapping[str, tuple[bool, str]], after: Mapping[str, tuple[bool, str]]) -> Change:
    was = {key for key, (in_use, _digest) in before.items() if in_use}
    now = {key for key, (in_use, _digest) in after.items() if in_use}
    return Change(
        added=len(now - was), changed=sum(before[key] != after[key] for key in was & now), closed=len(was - now)
    )

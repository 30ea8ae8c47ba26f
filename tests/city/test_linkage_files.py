"""The desks of other services among a city's files: loaded, loaded again, changed at the desk; faults are told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianxin.city.changes import Change
from lianxin.city.load import check, load
from lianxin.linkage.models import HandoverLimit, Mapping, MappingChange, Partner, Term

PARTNERS = ("code,name,name_en,kind,service,url,phone,identity,emergencies,asks_followups,ended\n"
            "110.hill,云山110,Hill 110,police,110,,,emergency,yes,,\n"
            "water.hill,云山自来水,Hill water,utility,,https://water.example,,,,yes,\n")
LIMITS = "partner,state,emergency,seconds,basis\n,offered,yes,30,\n,offered,,900,\n110.hill,offered,,600,\n"
TERMS = "code,name,name_en\nnot_police,不属警务职责,Not a police matter\nother,其他,Other\n"
RESULTS = "code,name,name_en\nsettled,已处置,Settled\n"
MAPPINGS = ("partner,what,ours,theirs,direction\n110.hill,category,010101,供水,\n110.hill,category,010102,供水,out\n"
            "110.hill,refusal,not_police,非警务,in\n110.hill,result,settled,已处置,\n")
FILES = {"partners.csv": PARTNERS, "handover_limits.csv": LIMITS, "handover_refusals.csv": TERMS, "handover_results.csv": RESULTS,
         "linkage_mappings.csv": MAPPINGS}


@pytest.fixture
def linked(hill: Path) -> Path:
    for name, text in FILES.items():
        (hill / name).write_text(text, encoding="utf-8")
    return hill


def mappings() -> set[tuple[str, str, bool]]:
    return set(Mapping.objects.values_list("ours", "theirs", "inbound"))


@pytest.mark.django_db
def test_desks_limits_terms_and_mappings(linked: Path) -> None:
    loaded = load(linked)
    assert loaded.changes["partners"] == Change(added=2)
    police, water = Partner.objects.order_by("code")
    assert (police.code, police.kind, police.emergencies, police.takes_followups) == ("110.hill", "police", True, True)
    assert (water.url, water.identity, water.takes_followups) == ("https://water.example", "emergency", False)
    assert {(row.partner and row.partner.code, row.emergency): row.seconds for row in HandoverLimit.objects.all()} == {
        (None, True): 30, (None, False): 900, ("110.hill", False): 600}
    assert list(Term.objects.values_list("list", "code", "position")) == [
        ("refusal", "not_police", 1), ("refusal", "other", 2), ("result", "settled", 1)]
    assert mappings() == {("010101", "供水", True), ("010101", "供水", False), ("010102", "供水", False), ("not_police", "非警务", True),
                          ("settled", "已处置", True), ("settled", "已处置", False)}


@pytest.mark.django_db
def test_what_was_set_on_this_machine_and_at_the_desk_stays(linked: Path) -> None:
    load(linked)
    Partner.objects.filter(code="110.hill").update(url="https://110.example", fallback_phone="0730-1")
    taken_out = Mapping.objects.get(ours="not_police")
    taken_out.delete()
    MappingChange.objects.create(partner_id=taken_out.partner_id, what="refusal", inbound=True, value="非警务", before="not_police")
    Mapping.objects.filter(ours="010102").update(theirs="管网")
    (linked / "partners.csv").write_text(PARTNERS.replace("云山110", "云山市公安局"), encoding="utf-8")
    fewer = LIMITS.replace(",offered,yes,30,", ",offered,yes,45,").replace("110.hill,offered,,600,\n", "")
    (linked / "handover_limits.csv").write_text(fewer)
    (linked / "handover_refusals.csv").write_text(TERMS.replace("other,其他,Other\n", ""), encoding="utf-8")
    loaded = load(linked)
    assert (loaded.changes["partners"], loaded.changes["handover_limits"]) == (Change(changed=1), Change(changed=1, closed=1))
    assert loaded.changes["linkage_terms"] == Change(closed=1)
    police = Partner.objects.get(code="110.hill")
    assert (police.name, police.url, police.fallback_phone) == ("云山市公安局", "https://110.example", "0730-1")
    assert ("not_police", "非警务", True) not in mappings(), "taken out at the desk"
    assert ("010102", "管网", False) in mappings()
    (linked / "partners.csv").write_text(PARTNERS.replace("emergency,yes,,\n", "emergency,yes,,yes\n"), encoding="utf-8")
    assert load(linked).changes["partners"].closed == 1
    assert Partner.objects.get(code="110.hill").active is False


@pytest.mark.django_db
def test_a_city_without_these_files_is_whole(hill: Path) -> None:
    for name in FILES:
        (hill / name).unlink(missing_ok=True)
    assert check(hill) == []
    load(hill)
    assert not Partner.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(("file", "old", "new", "line"), [
    ("partners.csv", "110.hill,", "110 Hill,", 2),
    ("partners.csv", "police,110", "judge,110", 2),
    ("partners.csv", "utility,,", "utility,110,", 3),
    ("partners.csv", "https://water", "water", 3),
    ("partners.csv", "water.hill", "110.hill", 3),
    ("handover_limits.csv", ",offered,yes,30", ",somewhere,yes,30", 2),
    ("handover_limits.csv", ",offered,yes,30", ",closed,yes,30", 2),
    ("handover_limits.csv", "yes,30", "yes,0", 2),
    ("handover_limits.csv", "110.hill,", "111.hill,", 4),
    ("handover_limits.csv", "110.hill,", ",", 4),
    ("handover_refusals.csv", "not_police,", "other,", 3),
    ("linkage_mappings.csv", "010102", "99", 3),
    ("linkage_mappings.csv", "refusal,not_police", "refusal,settled", 4),
    ("linkage_mappings.csv", "供水,out", "供水,", 3),
    ("linkage_mappings.csv", "110.hill,result", "119.hill,result", 5),
])
def test_faults_name_file_and_line(linked: Path, file: str, old: str, new: str, line: int) -> None:
    text = (linked / file).read_text(encoding="utf-8")
    assert old in text
    (linked / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert (file, line) in {(fault.file, fault.line) for fault in check(linked)}

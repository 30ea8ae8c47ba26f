"""What outside apps ask, among a city's files: loaded, changed, taken out; faults are told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianxin.city.changes import Change
from lianxin.city.load import check, load
from lianxin.services.models import ServiceAttribute
from tests.city.conftest import edit

HEAD = "category,code,datatype,question,question_en,hint,hint_en,required,told_only,order,options\n"
ROWS = ("010101,scope,singlevaluelist,几盏？,How many?,选一个,Choose,yes,,2,one=一盏/One lamp|many=一片\n"
        "0101,told,text,有危险请打 110。,,,,,yes,1,\n010101,since,datetime,什么时候开始的？,,,,,,,\n")


@pytest.fixture
def asking(hill: Path) -> Path:
    (hill / "service_attributes.csv").write_text(HEAD + ROWS, encoding="utf-8")
    return hill


@pytest.mark.django_db
def test_questions_are_loaded_and_follow_the_file(asking: Path) -> None:
    assert load(asking).changes["service_attributes"] == Change(added=3)
    scope = ServiceAttribute.objects.get(code="scope")
    assert (scope.category.code, scope.required, scope.variable, scope.position) == ("010101", True, True, 2)
    assert scope.options == [["one", "一盏", "One lamp"], ["many", "一片", ""]]
    assert list(ServiceAttribute.objects.filter(variable=False).values_list("code", "category__code")) == [("told", "0101")]
    edit(asking / "service_attributes.csv", "什么时候开始的？", "从什么时候起？")
    edit(asking / "service_attributes.csv", "0101,told,text,有危险请打 110。,,,,,yes,1,\n", "")
    assert load(asking).changes["service_attributes"] == Change(changed=1, closed=1)
    assert not ServiceAttribute.objects.get(code="told").active
    edit(asking / "service_attributes.csv", ROWS.splitlines()[0], "0101,told,text,小心。,,,,,yes,1,")
    assert load(asking).changes["service_attributes"] == Change(added=1, closed=1)


@pytest.mark.parametrize(("old", "new", "line"), [
    ("singlevaluelist", "colour", 2), ("one=一盏/One lamp|many=一片", "", 2), ("one=一盏/One lamp|many=一片", "one", 2),
    ("什么时候开始的？,,,,,,,", "什么时候开始的？,,,,,,,one=一", 4), (",yes,1,", "yes,yes,1,", 3),
    ("0101,told", "010101,since", 4), ("010101,since", "0199,since", 4), ("0101,told", "0101,scope", 2), ("010101,scope", "010101,a[b]", 2),
])
@pytest.mark.django_db
def test_faults_are_told(asking: Path, old: str, new: str, line: int) -> None:
    edit(asking / "service_attributes.csv", old, new)
    assert [(fault.file, fault.line) for fault in check(asking)] == [("service_attributes.csv", line)]

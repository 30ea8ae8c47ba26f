"""Clusters of letters: what is one matter, what is not, and what stays when new ones come."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lianxin.kernel.errors import Invalid
from lianxin.triage.hot.messages import Message
from lianxin.triage.hot.names import Reader
from lianxin.triage.hot.stream import Stream
from tests.triage.hot.letters import FIRST, OTHERS, PARKING, PLANT, TEMPLATE, letters

READER = Reader()


def found(stream: Stream) -> list[set[str]]:
    return [{stream.messages[index].id for index in members} for members in stream.clusters if len(members) > 1]


def taken(messages: list[Message]) -> Stream:
    stream = Stream()
    stream.take(messages, READER)
    return stream


def test_letters_about_one_matter_are_one_and_others_alone() -> None:
    assert found(taken(letters(PLANT, PARKING, OTHERS))) == [{"m000", "m001", "m002", "m003"}, {"m004", "m005", "m006"}]


def test_one_template_about_three_roads_is_three_matters() -> None:
    assert found(taken(letters(TEMPLATE, OTHERS))) == []


def test_who_writes_does_not_make_a_matter() -> None:
    assert found(taken(letters(PLANT, PARKING, OTHERS, voices=1))) == found(taken(letters(PLANT, PARKING, OTHERS)))


def test_one_person_is_one_voice() -> None:
    stream = taken([replace(one, voice="the same") for one in letters(PLANT)] + letters(PARKING, start=10))
    first, second = stream.issues(READER)
    assert (first.voices, len(first.ids)) == (3, 3)
    assert (second.voices, len(second.ids)) == (1, 4)


def test_an_issue_says_where_since_when_and_what() -> None:
    issue = taken(letters(PLANT, OTHERS)).issues(READER)[0]
    assert issue.place == "南湖春城"
    assert "搅拌站" in issue.name
    assert (issue.first, issue.last) == (FIRST.date(), FIRST.replace(day=4).date())
    assert issue.ids == ("m000", "m001", "m002", "m003")
    assert sum(issue.weeks) == 4


def test_no_reporter_is_named_in_what_is_printed() -> None:
    stream = taken(letters(PLANT, OTHERS))
    assert "v0" not in str([issue.as_json() for issue in stream.issues(READER)])
    assert all(not message.voice.startswith("v") for message in stream.messages)


def test_new_letters_join_and_old_clusters_stay() -> None:
    every = letters(PLANT, PARKING, OTHERS)
    stream = taken([every[0], every[1], every[4], every[5], *every[7:]])
    before = found(stream)
    assert before == [{"m000", "m001"}, {"m004", "m005"}]
    assert stream.take(every, READER) == 3
    assert found(stream) == [{"m000", "m001", "m002", "m003"}, {"m004", "m005", "m006"}]
    assert stream.take(every, READER) == 0


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(15)), st.integers(1, 14))
def test_in_whatever_order_letters_come_no_old_cluster_is_torn_or_joined(order: list[int], cut: int) -> None:
    every = letters(PLANT, PARKING, TEMPLATE, OTHERS)
    shuffled = [every[index] for index in order]
    stream = taken(shuffled[:cut])
    before = found(stream)
    stream.take(shuffled[cut:], READER)
    after = found(stream)
    for cluster in before:
        assert sum(cluster <= bigger for bigger in after) == 1
    for bigger in after:
        assert sum(cluster <= bigger for cluster in before) <= 1
    assert sorted(index for members in stream.clusters for index in members) == list(range(15))


@pytest.mark.parametrize("messages", [[], letters(OTHERS[:1]), [Message("a", "v", None, "", ""), Message("b", "v", None, "", "")]])
def test_few_or_empty_letters_make_no_cluster(messages: list[Message]) -> None:
    assert found(taken(messages)) == []


def test_a_state_is_kept_and_closed_to_others(tmp_path: Path) -> None:
    stream = taken(letters(PLANT, OTHERS))
    path = tmp_path / "state.gz"
    stream.save(path)
    again = Stream.load(path)
    assert (again.messages, again.clusters, again.key) == (stream.messages, stream.clusters, stream.key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again.take(letters(PLANT, OTHERS), READER)
    assert again.clusters == stream.clusters


@pytest.mark.parametrize("content", [b"", b"no state", b'{"version": 1}'])
def test_what_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.gz"
    path.write_bytes(content)
    with pytest.raises(Invalid):
        Stream.load(path)


def test_a_time_of_day_names_no_issue() -> None:
    titles = ("尚书山傍晚广场舞太吵", "尚书山傍晚跳舞音响大", "尚书山傍晚吵得孩子写不了作业")
    issue = taken([replace(one, title=title, detail=title + "。每天傍晚都这样，音响一直开到九点。")
                   for one, title in zip(letters(PLANT), titles, strict=False)] + letters(OTHERS, start=10)).issues(READER)[0]
    assert len(issue.ids) == 3
    assert "傍晚" not in issue.name

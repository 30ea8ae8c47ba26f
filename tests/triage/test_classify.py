"""What a trained classifier promises: probabilities, words, abstention, the same model from the same messages."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from lianxin.kernel.errors import Invalid
from lianxin.triage.classify import Classifier, load, matters, reader
from lianxin.triage.classify.alike import folds, groups
from lianxin.triage.classify.calibration import Calibration, scanty, sureness
from lianxin.triage.classify.features import READ, characters, message
from lianxin.triage.classify.files import Example, Labelled
from lianxin.triage.classify.learning import naive, solve
from lianxin.triage.classify.model_file import save
from lianxin.triage.classify.second import SHARE, behind
from lianxin.triage.classify.sureness import ENOUGH, Sureness
from lianxin.triage.classify.training import train

from .labelled import SAID, examples


def made(rows: list[Example], *, parted: bool = False, seed: int = 0) -> Classifier:
    return train(Labelled(tuple(rows), 0, parted), seed=seed).classifier


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Trained and brought back from its file: what is tested is what the web process has."""
    path = tmp_path_factory.mktemp("model") / "small.model"
    save(made(examples()), path)
    return load(path)


def test_it_reads_what_it_never_saw(classifier: Classifier) -> None:
    reading = classifier.read("桃花巷路灯不亮", "桃花巷的路灯坏了很久，晚上看不见路，请派人修。")
    assert reading.guesses[0].label == "市政"
    assert len(reading.guesses) == 3
    assert any("路灯" in words for words in reading.guesses[0].words)


def test_a_message_without_a_title(classifier: Classifier) -> None:
    reading = classifier.read("", "尊敬的领导：您好！我家孩子的小学食堂饭菜吃不饱，请管一管。")
    assert reading.guesses[0].label == "教育"


def test_words_stand_in_the_message_as_they_were_written(classifier: Classifier) -> None:
    title, detail = "ＸＸ小學 食堂", "學校食堂的飯菜 學生吃不飽_x000D_\n請管一管"
    reading = classifier.read(title, detail)
    assert reading.guesses[0].label == "教育"
    whole = f"{title}\n{detail}"
    assert reading.guesses[0].words
    assert all(words in whole for guess in reading.guesses for words in guess.words)
    assert any("學" in words for words in reading.guesses[0].words)


def test_traditional_full_width_capitals_and_numbers_read_alike(classifier: Classifier) -> None:
    plain = classifier.read("东风路ABC小区12号路灯坏了", "下水道堵了3天，污水流到路面！")
    other = classifier.read("東風路ａｂｃ小區９８７號路燈壞了", "下水道堵了４５天， 汙水流到路面")
    assert [guess.label for guess in plain.guesses] == [guess.label for guess in other.guesses]
    assert [guess.probability for guess in plain.guesses] == pytest.approx(
        [guess.probability for guess in other.guesses], abs=1e-9)


@given(st.text(max_size=300), st.text(max_size=300))
@example("", "")
@example("\ud800", "\udfff\x00")
@example("𠮷野家", "🚒" * 40)
@example(" ", "\n" * 20)
@example("", "_x000D_")
@example("①㎡…", "０" * 60)
def test_anything_can_be_read(classifier: Classifier, title: str, detail: str) -> None:
    """Every text gives probabilities that add up to 1, the same one by one and in a batch, and words that stand in it."""
    reading = classifier.read(title, detail)
    chances = classifier.probabilities([(title, detail)])[0]
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()
    best = sorted(chances, reverse=True)
    assert [guess.probability for guess in reading.guesses] == pytest.approx(best[:3], abs=1e-5)
    assert all(words in f"{title}\n{detail}" for guess in reading.guesses for words in guess.words)
    matters(reader(classifier), f"{title}{detail}")


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=8))
@example([(1.0, 0.0), (0.0, 1.0)])
@example([(0.4, 0.0), (0.4, 1.0), (0.2, 0.0)])
@example([(1.0, 0.0), (0.0, 0.0)])
def test_a_second_opinion_leaves_the_first_guess_as_it_is(pairs: list[tuple[float, float]]) -> None:
    one, other = (np.array(side) + 1e-9 for side in zip(*pairs, strict=True))
    one, other = one / one.sum(), other / other.sum()
    told = behind(one[None], other[None])[0]
    assert told.sum() == pytest.approx(1)
    assert (told >= -1e-12).all()
    assert told.argmax() == one.argmax()
    assert told.max() == pytest.approx(one.max())
    rest = np.arange(len(one)) != one.argmax()
    mixed = (one + SHARE * other)[rest]
    mixed *= (1 - one.max()) / mixed.sum()
    if mixed.max() <= one.max():
        assert told[rest] == pytest.approx(mixed)


def test_a_second_opinion_puts_the_neighbour_second() -> None:
    """Two categories share all words but one, which speaks for the first: who only tells them apart puts the second last."""
    features = np.array([[1.0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]] * 20)
    truth = np.array([0, 1, 2] * 20)
    wanted = 2 * np.eye(3)[truth] - 1
    read = np.array([[1.0, 1.5, 0, 0]])
    apart, each = solve(csr_matrix(features), wanted, 0.4).scores(read)[0], naive(csr_matrix(features), truth, 3).scores(read)[0]
    assert apart.argmax() == each.argmax() == 0
    assert apart.argsort()[0] == 1
    assert each.argsort()[1] == 1


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8), st.floats(-3, 3), st.floats(-3, 3), st.floats(-9, 9), st.floats(-9, 9),
       st.integers(0, 2 * ENOUGH))
@example([1.0, 0.0], 1.0, 1.0, -9.0, 0.0, ENOUGH)
@example([0.5, 0.5, 0.0], 1.0, -1.0, 0.0, -9.0, 0)
@example([0.4, 0.35, 0.25], 0.0, 0.0, -9.0, 9.0, 1)
def test_sureness_keeps_the_order(said: list[float], own: float, rival: float, offset: float, little: float, known: int) -> None:
    one = np.array(said) + 1e-9
    one /= one.sum()
    told = Sureness(own, rival, offset, little).told(one[None], one[None], known)[0]
    assert told.sum() == pytest.approx(1)
    assert (told >= -1e-12).all()
    assert told.argmax() == one.argmax()
    assert (told[:, None] >= told - 1e-12)[one[:, None] > one].all()


def test_a_guess_before_one_rival_is_less_sure_than_before_many() -> None:
    """As often as it was right: at the same probability 19 in 20 where the rest is spread, 3 in 4 where one holds it. What is
    below one half is told by its own probability alone."""
    spread, single, low = [0.85, 0.05, 0.05, 0.05], [0.85, 0.13, 0.01, 0.01], [0.3, 0.28, 0.22, 0.2]
    chances = np.array([spread] * 8_000 + [single] * 8_000 + [low] * 8_000)
    right = np.tile(np.arange(8_000), 3) % 20 < np.repeat([19, 15, 6], 8_000)
    fitted = sureness(chances, np.where(right, 0, 1))
    told = fitted.told(chances, chances)
    assert told[[0, 8_000, 16_000], 0] == pytest.approx([0.95, 0.75, 0.3], abs=0.02)
    assert told[0, 1:] == pytest.approx([(1 - told[0, 0]) / 3] * 3)
    lower = np.array([[0.3, 0.24, 0.23, 0.23]])
    assert fitted.told(lower, lower)[0, 0] == pytest.approx(told[16_000, 0], abs=1e-9)


def test_of_little_it_is_less_sure() -> None:
    """As often as it was right: what says 0.9 of messages and is right half the time where 16 n-grams are known is told so there, and as
    ever where enough are."""
    chances, known = np.tile([0.9, 0.06, 0.04], (8_000, 1)), np.full(8_000, 16)
    usual = sureness(chances, np.where(np.arange(8_000) % 10 < 9, 0, 1))
    fitted = scanty(usual, [(chances, known), (chances, np.full(8_000, ENOUGH))], np.where(np.arange(8_000) % 2, 0, 1))
    assert fitted.told(chances, chances, known)[0, 0] == pytest.approx(0.5, abs=0.01)
    assert usual.told(chances, chances, known)[0, 0] == pytest.approx(0.9, abs=0.01)
    assert fitted.told(chances, chances, ENOUGH)[0, 0] == usual.told(chances, chances)[0, 0]
    told = [fitted.told(chances[0], chances[0], count)[0] for count in range(0, 2 * ENOUGH, 4)]
    assert (np.diff(told) > -1e-9).all()


def test_a_message_without_a_title_has_a_calibration_of_its_own(classifier: Classifier) -> None:
    bare, plain = (replace(classifier, bare=one) for one in (Calibration(0.0001, np.zeros(3)), None))
    detail = "桃花巷的路灯坏了很久，晚上看不见路，请派人修。"
    assert bare.read("", detail).guesses[0].probability == pytest.approx(1 / 3, abs=1e-3)
    assert bare.probabilities([(" ", detail)])[0].max() == pytest.approx(1 / 3, abs=1e-3)
    assert bare.read("路灯", detail) == plain.read("路灯", detail)
    assert classifier.bare is not None


def test_a_file_from_before_there_was_a_second_opinion_is_read(tmp_path: Path, classifier: Classifier) -> None:
    older = replace(classifier, second=None, bare=None, calibration=replace(classifier.calibration, sure=None))
    path = tmp_path / "older.model"
    save(older, path)
    detail = "桃花巷的路灯坏了很久，晚上看不见路，请派人修。"
    assert load(path).read("", detail) == older.read("", detail)
    sure = Sureness(0.5, -1.0, 0.25)  # and from before it mattered how much was read
    middle = replace(older, calibration=replace(older.calibration, sure=sure))
    save(middle, path)
    assert load(path).calibration.sure == sure
    save(classifier, path)
    assert load(path).read("路灯", detail) == classifier.read("路灯", detail)
    assert classifier.second is not None
    assert classifier.calibration.sure is not None
    assert load(path).calibration.sure == classifier.calibration.sure
    assert classifier.calibration.sure.little is not None


@given(st.text(max_size=200))
def test_places_are_kept(text: str) -> None:
    """What is read of a message stands at the place it is said to stand at."""
    table = characters()
    one = message(text, "某某路", table)
    assert (np.diff(one.at) > 0).all()
    for code, at in zip(one.read.tolist(), one.at.tolist(), strict=True):
        assert table[min(ord(one.text[at]), 0xFFFD)] == code


def test_only_the_beginning_of_a_long_message_is_read(classifier: Classifier) -> None:
    long = "路灯坏了三天没有人修。" * 200
    assert classifier.read("路灯", long) == classifier.read("路灯", long[:READ])


def test_the_same_messages_in_any_order_make_the_same_file(tmp_path: Path) -> None:
    rows = examples(20)
    shuffled = list(rows)
    random.Random(7).shuffle(shuffled)
    for name, given_rows in (("a", rows), ("b", rows), ("c", shuffled)):
        save(made(given_rows, seed=3), tmp_path / name)
    first = (tmp_path / "a").read_bytes()
    assert (tmp_path / "b").read_bytes() == first
    assert (tmp_path / "c").read_bytes() == first


def test_the_seed_draws_the_folds() -> None:
    messages = [message(one.title, one.detail, characters()) for one in examples(30)]
    found = groups(messages)
    assert (folds(found, 5, 1) == folds(found, 5, 1)).all()
    assert (folds(found, 5, 1) != folds(found, 5, 2)).any()


def test_near_duplicates_stand_on_one_side() -> None:
    table = characters()
    long = "东风路井盖破了一个大洞，夜里有人掉下去过，请尽快派人来修，已经反映过两次没有回音"
    messages = [message("井盖", long, table), message("井盖", long + "！！谢谢", table), message("井盖", long, table),
                message("食堂", "学校食堂的饭菜学生吃不饱，家长送饭又不让进门，请教育部门管一管", table)]
    found = groups(messages)
    assert found[0] == found[1] == found[2] != found[3]


def test_labels_are_whatever_the_file_holds() -> None:
    rows = [Example(one.title, one.detail, {"市政": "0101", "教育": "教育/学校", "环境": "Env 3"}[one.label])
            for one in examples(20)]
    assert made(rows).labels == ("0101", "Env 3", "教育/学校")


def test_parts_learn_calibrate_and_stay_apart() -> None:
    rows = examples(40)
    parted = [Example(one.title, one.detail, one.label, "valid" if at % 5 == 0 else "train") for at, one in enumerate(rows)]
    other = [Example("无关", f"这一条属于别的部分{at}", "环境", "test") for at in range(30)]
    classifier = made(parted + other, parted=True)
    assert classifier.examples == sum(one.part == "train" for one in parted)
    assert classifier.about["tuned_on"] == "valid"
    assert classifier.about["tuned_on_count"] == sum(one.part == "valid" for one in parted)


@pytest.mark.parametrize(("rows", "said"), [
    ([], "train"),
    ([one for one in examples(10, "train") if one.label == "市政"], "市政"),
    ([*examples(10, "train"), Example("一", "只有一条", "孤单", "train")], "孤单"),
    ([*examples(10, "train"), Example("一", "没学过", "新的", "valid"), Example("一", "没学过", "新的", "valid")], "新的"),
])
def test_too_little_to_learn_from(rows: list[Example], said: str) -> None:
    with pytest.raises(Invalid) as caught:
        made(rows, parted=True)
    assert said in str(caught.value)


def test_several_matters_are_offered_apart(classifier: Classifier) -> None:
    text = ("您好，反映两件事。\n一、东风路路灯坏了三天没有人修，路面也塌下去一块。\n"
            "二、学校食堂的饭菜学生吃不饱，老师要求学生周末补课收费。")
    found = matters(reader(classifier), text)
    assert [one.guess.label for one in found] == ["市政", "教育"]
    assert "路灯" in found[0].text
    assert "食堂" in found[1].text


@pytest.mark.parametrize("text", [
    "",
    "路灯坏了",
    "东风路路灯坏了三天没有人修。井盖也破了一个大洞。下水道堵了污水流到路面。",
    "一、路灯坏了三天没有人修。\n二、井盖破了一个大洞，下水道堵了。",
])
def test_one_matter_is_left_whole(classifier: Classifier, text: str) -> None:
    assert matters(reader(classifier), text) == ()


def test_reading_needs_neither_the_learning_library_nor_the_converter(tmp_path: Path) -> None:
    """The web process stays small: a model brings its own table of characters."""
    path = tmp_path / "small.model"
    save(made(examples(10)), path)
    code = (
        "import sys, django; from django.conf import settings; settings.configure(LIANXIN_TRIAGE_SURE=0.5); django.setup()\n"
        "from pathlib import Path; from lianxin.triage.classify import load\n"
        f"load(Path({str(path)!r})).read('路灯', '路灯坏了')\n"
        "print([name for name in ('sklearn', 'scipy', 'opencc') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).resolve().parents[2] / "src")
    assert done.stdout.strip() == "[]"


def test_each_category_is_learnt(classifier: Classifier) -> None:
    for label, matters_said in SAID.items():
        for said in matters_said:
            assert classifier.read("", f"望岳路口{said}").guesses[0].label == label

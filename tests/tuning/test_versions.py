"""Versions: named by what is in them, split by conversation, the same again from the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.store.database import connect
from tests.tuning.test_datasets import A, U, talk
from tuning.datasets import Datasets, Filter, Status
from tuning.datasets.card import markdown
from tuning.datasets.splitting import TRAIN, VALIDATION, split
from tuning.errors import ForPerson
from tuning.rows import fingerprint
from tuning.values import Example, Turn


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[Datasets]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    yield Datasets(engine)
    engine.dispose()


def approved(datasets: Datasets, name: str, examples: Sequence[Example]) -> int:
    number = datasets.create(name).id
    datasets.add(number, examples)
    datasets.set_status(number, Filter(), Status.APPROVED)
    return number


def test_the_same_examples_are_the_same_version_anywhere(datasets: Datasets) -> None:
    examples = [talk(n) for n in range(30)]
    one = datasets.freeze(approved(datasets, "one", examples))
    other = datasets.freeze(approved(datasets, "other", examples))
    assert one.fingerprint == other.fingerprint
    assert datasets.freeze(one.dataset).id == one.id  # nothing changed: nothing new
    assert datasets.freeze(one.dataset, seed=8).fingerprint != one.fingerprint


def test_a_version_does_not_change_when_its_draft_does(datasets: Datasets) -> None:
    number = approved(datasets, "one", [talk(n) for n in range(20)])
    first = datasets.freeze(number)
    before = list(datasets.rows(first))
    assert sorted(one.fingerprint for one in before) == sorted(fingerprint(talk(n)) for n in range(20))
    example = datasets.ids(number)[4]
    words = datasets.example(example).example
    datasets.edit(example, replace(words, turns=(words.turns[0], Turn(A, "Better."))))
    datasets.set_status(number, datasets.ids(number)[5], Status.DROPPED)
    datasets.add(number, [talk(77)], status=Status.APPROVED)
    second = datasets.freeze(number)
    assert list(datasets.rows(first)) == before
    assert (first.number, second.number) == (1, 2)
    change = datasets.difference(first, second)
    assert [one.example.source.line for one in change.added] == [77]
    assert [one.example.source.line for one in change.removed] == [5]
    assert [(was.example.turns[1].text, one.example.turns[1].text) for was, one in change.changed] == [
        ("This is the answer to 4.", "Better.")
    ]
    assert change.same + len(change.moved) == 18


def test_no_conversation_is_on_both_sides(datasets: Datasets) -> None:
    examples = [talk(n, group=f"chat:{n % 17}") for n in range(200)]
    version = datasets.freeze(approved(datasets, "chats", examples), share=0.2)
    sides: dict[str, set[str]] = {}
    for row in datasets.rows(version):
        sides.setdefault(row.example.source.group, set()).add(row.split)
    assert all(len(side) == 1 for side in sides.values())
    held = sum(row.split == VALIDATION for row in datasets.rows(version))
    assert 20 <= held <= 60


def test_near_duplicates_stay_together(datasets: Datasets) -> None:
    examples = [talk(n) for n in range(60)]
    pairs = [(at, at + 30) for at in range(30)]
    version = datasets.freeze(approved(datasets, "near", examples), share=0.3, alike=lambda given: iter(pairs))
    side = {row.example.source.line: row.split for row in datasets.rows(version)}
    assert all(side[a] == side[b] for a, b in pairs)
    assert set(side.values()) == {TRAIN, VALIDATION}


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("count", [2, 3, 10, 101])
def test_a_split_is_as_near_to_its_share_as_whole_groups_allow(share: float, count: int) -> None:
    sides = split([f"g{n}" for n in range(count)], share=share, seed=3)
    held = sides.count(VALIDATION)
    assert held == (0 if share == 0 else max(1, round(share * count)))
    assert sides == split([f"g{n}" for n in range(count)], share=share, seed=3)
    assert TRAIN in sides


def test_more_examples_move_few_of_the_others() -> None:
    groups = [f"g{n}" for n in range(400)]
    before = split(groups, share=0.1, seed=1)
    after = split([*groups, *(f"h{n}" for n in range(40))], share=0.1, seed=1)[:400]
    assert sum(one != other for one, other in zip(before, after, strict=True)) <= 12


def test_one_group_alone_is_all_training() -> None:
    assert set(split(["chat:1"] * 8, share=0.2, seed=1)) == {TRAIN}


def test_nothing_approved_is_no_version(datasets: Datasets) -> None:
    number = datasets.create("empty").id
    datasets.add(number, [talk(1)])
    with pytest.raises(ForPerson, match="Nothing is approved"):
        datasets.freeze(number)


def test_the_card_says_where_it_comes_from(datasets: Datasets) -> None:
    number = datasets.create("cards", note="A voice.", licence="CC BY 4.0").id
    datasets.add(number, [talk(n, origin="chat", how="liked", persona="Marv", model="local:x") for n in range(9)])
    datasets.noted(number, {"what": "chats", "rating": "liked", "examples": 9})
    datasets.set_status(number, Filter(), Status.APPROVED)
    datasets.set_status(number, datasets.ids(number)[0], Status.DROPPED)
    version = datasets.freeze(number, more={"personal_data_replaced": 2})
    card = version.card
    assert card["fingerprint"] == version.fingerprint
    assert card["counts"]["examples"] == 8
    assert card["sources"]["personas"] == {"Marv": 8}
    assert card["cleaning"]["dropped"] == 1
    assert card["cleaning"]["personal_data_replaced"] == 2
    assert card["filters"][0]["rating"] == "liked"
    text = markdown(card)
    for word in ("CC BY 4.0", version.fingerprint, "Marv 8", "rating liked", "A voice."):
        assert word in text


def test_a_preference_keeps_its_sides_in_a_version(datasets: Datasets) -> None:
    from tuning.values import Answer, preference

    pair = preference((Turn(U, "Why?"),), Answer((Turn(A, "Because."),)), Answer((Turn(A, "No."),)))
    version = datasets.freeze(approved(datasets, "pairs", [pair]))
    (row,) = datasets.rows(version)
    assert row.example == pair

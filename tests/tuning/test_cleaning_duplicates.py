"""What is told twice: likeness is counted, not guessed; what is left after dropping holds nothing twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from tuning.cleaning import exact_duplicates, leaks, minhash, near_duplicates
from tuning.cleaning.likeness import FULL, Neighbours, Shelf, Sketches
from tuning.cleaning.wording import compared, plain
from tuning.values import Role, Source, Turn, conversation

T = 0.85
WORDS = [
    f"{a}{b}{c}" for a in ("ka", "lo", "mi", "ter", "su") for b in ("ra", "ne", "do", "ri") for c in ("n", "s", "l", "")
]
INSTRUCTION = "Read the review below with care and say in one word whether whoever wrote it liked the product or not: "


@cache
def shingled(text: str) -> frozenset[str]:
    text = plain(text).ljust(5)
    return frozenset(text[at : at + 5] for at in range(len(text) - 4))


def jaccard(one: str, other: str) -> float:
    a, b = shingled(one), shingled(other)
    both = len(a & b)
    return both / (len(a) + len(b) - both)


def texts(n: int, *, seed: int, words: tuple[int, int] = (3, 60), before: str = "") -> list[str]:
    """A third of them are others with a few words changed, some with none."""
    chance, made = random.Random(seed), list[str]()
    for _ in range(n):
        if made and chance.random() < 0.35:
            said = chance.choice(made)[len(before) :].split()
            for _ in range(chance.choice((0, 1, 1, 2, 4))):
                said[chance.randrange(len(said))] = chance.choice(WORDS)
        else:
            said = chance.choices(WORDS, k=chance.randint(*words))
        made.append(before + " ".join(said))
    return made


def kept(made: Sequence[str], threshold: float = T) -> list[str]:
    dropped = {key for group in near_duplicates(enumerate(made), threshold) for key in group.keys[1:]}
    return [text for at, text in enumerate(made) if at not in dropped]


@pytest.mark.parametrize("threshold", [0.6, 0.85, 0.95])
def test_each_in_a_group_is_as_like_its_first_as_was_asked_and_stands_in_no_other(threshold: float) -> None:
    made = texts(500, seed=1)
    groups = list(near_duplicates(enumerate(made), threshold))
    assert groups
    for group in groups:
        alike = [jaccard(made[group.keys[0]], made[key]) for key in group.keys[1:]]
        assert min(alike) >= threshold
        assert group.similarity == pytest.approx(min(alike))
    keys = [key for group in groups for key in group.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("threshold", [0.6, 0.85, 0.95])
def test_what_is_left_when_all_but_the_first_are_dropped_holds_nothing_twice(threshold: float) -> None:
    left = kept(texts(500, seed=2), threshold)
    assert not [pair for pair in combinations(left, 2) if jaccard(*pair) >= threshold]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85, 0.95])
@pytest.mark.parametrize("before", ["", INSTRUCTION], ids=["free", "instructed"])
def test_where_bands_are_full_the_rarest_shingles_find_the_same(before: str, threshold: float) -> None:
    """Two texts in one bucket are too many here: the bands decide nothing."""
    made = [plain(text) for text in texts(200, seed=3, words=(1, 12), before=before)]
    sketches = Sketches(threshold)
    sketches.add(made)
    with Shelf() as shelf:
        shelf.put(made)
        neighbours = Neighbours(np.arange(len(made)), sketches, shelf, full=1)
        for at, text in enumerate(made):
            alike = {row: jaccard(text, other) for row, other in enumerate(made) if jaccard(text, other) >= threshold}
            assert neighbours.alike(text, sketches.bands[at], sketches.hints[at]) == pytest.approx(alike)


def test_where_all_begin_with_one_instruction_the_same_holds() -> None:
    made = texts(FULL * 3, seed=3, words=(4, 12), before=INSTRUCTION * 2)
    groups = list(near_duplicates(enumerate(made), T))
    assert all(jaccard(made[group.keys[0]], made[key]) >= T for group in groups for key in group.keys[1:])
    left = kept(made)
    assert 50 < len(left) < len(made)
    assert not [pair for pair in combinations(left, 2) if jaccard(*pair) >= T]


def test_the_preferred_one_is_kept_else_the_longest_else_the_first_that_came() -> None:
    made = [
        ("a", "one two three four five six seven"),
        ("b", "One two three four five six seven!"),
        ("c", "unlike all"),
    ]
    assert [group.keys for group in near_duplicates(made)] == [("b", "a")]
    assert [group.keys for group in near_duplicates(made, prefer=lambda key, _: key == "a")] == [("a", "b")]
    assert [group.keys for group in near_duplicates(made, prefer=lambda *_: 0)] == [("a", "b")]


def test_case_spaces_and_marks_make_no_difference_but_numbers_and_accents_do() -> None:
    assert plain("¡PARIS,  as\nif…!") == plain("“Paris, as if”")
    assert plain("2 + 3?") != plain("2 - 3?")
    assert plain("3.5") != plain("35")
    assert plain("esta") != plain("está")
    assert plain("?") != plain("!")


def test_ten_thousand_of_one_text_are_one_group() -> None:
    (group,) = near_duplicates((at, "The same words over and over.") for at in range(10_000))
    assert (len(group.keys), group.similarity) == (10_000, 1.0)


def test_nothing_and_the_shortest_texts_and_half_characters_pass() -> None:
    assert list(near_duplicates([])) == []
    assert list(near_duplicates([(1, "no"), (2, "yes"), (3, "")])) == []
    assert [group.keys for group in near_duplicates([(1, "\ud800 half"), (2, "\ud800 half")])] == [(1, 2)]


@pytest.mark.parametrize("threshold", [0, -1, 1.1])
def test_a_threshold_outside_its_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        list(near_duplicates([], threshold))


def test_a_signature_tells_likeness_within_its_margin_in_short_texts_too() -> None:
    for words in ((2, 4), (8, 12), (200, 300)):
        made = texts(300, seed=4, words=words)
        signed = minhash.signatures([plain(text) for text in made])
        errors = [
            abs(float((signed[one] == signed[other]).mean()) - jaccard(made[one], made[other]))
            for one, other in combinations(range(0, 300, 6), 2)
        ]
        assert np.mean(errors) < 0.03
        assert max(errors) < 0.25


@pytest.mark.parametrize("in_memory", [100, 10_000_000], ids=["on the disk", "in memory"])
def test_texts_come_back_from_the_shelf_as_they_were_put(in_memory: int) -> None:
    made = [*texts(50, seed=5), "", "ñ \ud800 🕰"]
    with Shelf(in_memory) as shelf:
        shelf.put(made[:20])
        assert shelf.text(3) == made[3]
        shelf.put(made[20:])
        assert [shelf.text(at) for at in range(len(made))] == made


def test_exact_duplicates_are_of_the_content_and_keep_the_first() -> None:
    def one(text: str, **more: bool) -> Turn:
        return Turn(Role.ASSISTANT, text, **more)

    asked = Turn(Role.USER, "hi")
    examples = [
        (1, conversation(asked, one("Hello."), source=Source("chat"))),
        (2, conversation(asked, one("Hello.", learn=False))),
        (3, conversation(asked, one("Hello."), tags=("marv",))),
        (4, conversation(asked, one("hello"))),
    ]
    assert [group.keys for group in exact_duplicates(examples)] == [(1, 3)]


def test_examples_are_compared_without_the_system_turn_they_share() -> None:
    system = Turn(Role.SYSTEM, INSTRUCTION * 3)
    paris, rome = (conversation(system, Turn(Role.USER, text)) for text in ("Paris?", "Is Rome old?"))
    assert list(near_duplicates([(1, compared(paris)), (2, compared(rome))])) == []
    assert list(near_duplicates([(1, compared(paris)), (2, compared(paris))]))


@pytest.mark.parametrize("before", ["", INSTRUCTION])
def test_leaks_are_those_pairs_and_no_others_that_are_alike_or_of_one_conversation(before: str) -> None:
    made = texts(FULL * 3, seed=6, words=(4, 20), before=before)
    groups = [f"chat:{at // 3}" if at < 60 else "" for at in range(len(made))]
    rows = list(zip(range(len(made)), groups, made, strict=True))
    train, validation = [row for row in rows if row[0] % 4], [row for row in rows if row[0] % 4 == 0]
    found = {(leak.train, leak.validation): leak for leak in leaks(iter(train), iter(validation), T)}
    wanted = {
        (key, other): group if group and group == another else ""
        for key, group, text in train
        for other, another, there in validation
        if (group and group == another) or jaccard(text, there) >= T
    }
    assert {pair: leak.group for pair, leak in found.items()} == wanted
    assert any(wanted.values())
    assert not all(wanted.values())
    assert all(leak.similarity == pytest.approx(jaccard(made[a], made[b])) for (a, b), leak in found.items())


def test_without_validation_nothing_leaks() -> None:
    assert list(leaks([(1, "chat:1", "text")], [])) == []
    assert list(leaks([], [(1, "chat:1", "text")])) == []

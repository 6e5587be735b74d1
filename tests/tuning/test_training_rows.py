"""Rows carry loss where `shown` says; packs hold every row whole; steps and rates are functions of their number."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from tests.assistant import tiny
from tests.tuning.training_jobs import job, marv
from tuning.counting.shown import shown
from tuning.counting.tokens import Counter, RuleCounter
from tuning.counting.vocabularies import Tokenizers
from tuning.errors import ForOperator, ForPerson
from tuning.training import packing, recipes, settings
from tuning.training.rows import Row, of_example, read
from tuning.training.split import divided, fingerprint
from tuning.values import Answer, Example, Kind, Role, Turn, conversation, preference

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def counter(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Counter:
    model = tiny.model(tmp_path_factory.mktemp("rows") / "model")
    return Tokenizers(weights).counter(f"hf:{model}")


def said(text: str, role: Role = Role.ASSISTANT) -> Turn:
    return Turn(role, text)


def test_the_learned_tokens_are_those_that_are_shown(weights: Path, counter: Counter) -> None:
    twice = conversation(
        said("Hi", Role.USER), Turn(Role.ASSISTANT, "Not this", learn=False), said("And?", Role.USER), said("This")
    )
    choice = preference((said("Which?", Role.USER),), Answer((said("Good"),)), Answer((said("Bad"),)))
    for one in (counter, Tokenizers(weights).counter()):
        for example in [*marv(5), twice, choice, Example(Kind.TEXT, text="Olé 😀 12")]:
            (row,), cut = of_example(example, one, longest=4096)
            tokens = shown(example, one)
            assert row.ids == tuple(token.id for token in tokens)
            assert row.learn == tuple(token.learn for token in tokens)
            assert not cut
            assert row.learned
        (whole,), _ = of_example(twice, one, longest=4096, everything=True)
        assert whole.learned == len(whole) - 1


def test_a_text_is_divided_and_nothing_of_it_is_lost(counter: Counter) -> None:
    example = Example(Kind.TEXT, text="The quick brown fox. " * 20)
    found, cut = of_example(example, counter, longest=50)
    assert not cut
    assert [token for row in found for token in row.ids] == [token.id for token in shown(example, counter)]
    assert max(map(len, found)) == 50
    (row,), cut = of_example(marv(1)[0], counter, longest=150)
    assert cut
    assert len(row) == 150


def test_what_cannot_be_read_is_a_sentence(counter: Counter, tmp_path: Path) -> None:
    with pytest.raises(ForOperator, match="not on this machine"):
        of_example(marv(1)[0], RuleCounter("openai:x", counter.rule), longest=100)
    file = tmp_path / "train.jsonl"
    for line in ("{", '{"kind": "conversation", "turns": [], "more": 1}', "[]", '{"kind": "other"}'):
        file.write_text(line)
        with pytest.raises(ForPerson, match="line 1"):
            read(file, counter, longest=100)
    file.write_text('{"kind": "conversation", "turns": [{"role": "user", "text": "Alone"}]}\n\n')
    found = read(file, counter, longest=100)
    assert (found.examples, found.rows, found.empty) == (1, (), 1)


def random_rows(many: int, seed: int, system: int = 0) -> list[Row]:
    """`system`: tokens that all begin with."""
    drawn = random.Random(seed)
    made = []
    for _ in range(many):
        length = drawn.randint(2, 60)
        ids = [*range(1000, 1000 + system), *(drawn.randrange(500) for _ in range(length))]
        made.append(Row(tuple(ids), (*([False] * system), *(drawn.random() < 0.5 for _ in range(length - 1)), True)))
    return made


@pytest.mark.parametrize("system", [0, 5, 30])
@pytest.mark.parametrize("share", [True, False])
def test_packs_hold_every_row_whole_and_predict_what_rows_predict(system: int, share: bool) -> None:
    rows = random_rows(40, 3, system)
    packs = packing.packed(rows, 200, share=share)
    assert sorted(row.ids for pack in packs for row in pack.rows) == sorted(row.ids for row in rows)
    for pack in packs:
        assert pack.tokens <= 200
        assert bool(pack.prefix) == (share and system >= packing.LEAST_PREFIX and len(pack.rows) > 1)
        ids, positions = pack.ids(), pack.positions()
        assert len(ids) == len(positions) == pack.read
        places, targets = pack.targets()
        assert len(places) == pack.learned == sum(row.learned for row in rows if row in pack.rows)
        expected = [row.ids[at] for row in pack.rows for at in range(1, len(row)) if row.learn[at]]
        assert targets == expected
        where = [at - 1 for row in pack.rows for at in range(1, len(row)) if row.learn[at]]
        assert [positions[place] for place in places] == where
        assert sum(many for many, _ in pack.groups()) == len(pack.rows)


def test_a_prefix_ends_before_what_is_learned_and_leaves_each_row_something() -> None:
    alike = tuple(range(20))
    learned = [Row(alike, (False,) * 10 + (True,) * 10), Row((*alike, 1), (False,) * 12 + (True,) * 9)]
    assert packing.shared(learned) == 10
    short = [Row(alike[:12], (False,) * 12), Row(alike, (False,) * 20)]
    assert packing.shared(short) == 11
    assert packing.shared([Row(alike, (True,) * 20)] * 2) == 0


def test_each_pass_sees_every_row_once_in_another_order() -> None:
    rows = random_rows(23, 1)
    passes = [[row for step in range(5) for row in packing.of_step(rows, at * 5 + step, 5, 7)] for at in range(2)]
    for one in passes:
        assert sorted(row.ids for row in one) == sorted(row.ids for row in rows)
    assert passes[0] != passes[1]
    assert packing.of_step(rows, 7, 5, 7) == packing.of_step(rows, 7, 5, 7)
    assert packing.steps_of(23, 5, 2, None) == 10
    assert packing.steps_of(23, 5, 2, 3) == 3


def test_the_rate_rises_then_falls_to_nothing() -> None:
    for schedule in ("linear", "cosine"):
        rates = [packing.rate(step, 100, 1.0, schedule, 0.1) for step in range(100)]
        assert rates[:10] == sorted(rates[:10])
        assert rates[9] == max(rates) == 1.0
        assert all(a >= b > 0 for a, b in pairwise(rates[9:]))
    assert packing.rate(50, 100, 1.0, "constant", 0.1) == 1.0


def test_rows_are_held_out_where_no_file_of_them_came() -> None:
    rows = random_rows(30, 2)
    kept, held = divided(rows, 0.1, 7)
    assert len(held) == 3
    assert sorted(row.ids for row in [*kept, *held]) == sorted(row.ids for row in rows)
    assert divided(rows, 0.1, 7) == (kept, held)
    assert divided(rows[:1], 0.5, 7) == (rows[:1], [])


def test_another_row_or_setting_is_another_run(tmp_path: Path) -> None:
    one = settings.Settings(weights="w")
    rows = random_rows(3, 1)
    assert fingerprint(one, rows) == fingerprint(one.model_copy(update={"time_cap": 5, "weights": "v"}), rows)
    assert fingerprint(one, rows) != fingerprint(one.model_copy(update={"seed": 8}), rows)
    assert fingerprint(one, rows) != fingerprint(one, rows[:2])
    assert fingerprint(one, rows, []) != fingerprint(one, [], rows)


def test_settings_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    for wrong in ({"learnig_rate": 1}, {"method": "magic"}, {"learning_rate": -1}, {"lora": {"rank": 3}}):
        folder = job(tmp_path / "job", tmp_path, "hf:x", **wrong)
        with pytest.raises(ForPerson, match=f"{next(iter(wrong))}") as found:
            settings.read(folder.file("config.json"))
        assert found.value.said("es") != found.value.said("en")
    (tmp_path / "none.json").write_text("{")
    with pytest.raises(ForPerson):
        settings.read(tmp_path / "none.json")


def test_every_recipe_is_settings_and_says_its_command() -> None:
    assert {"lora", "full", "text", "ia3", "prompt", "bottleneck", "norms", "last", "dora", "rslora"} <= set(
        recipes.names()
    )
    for name in recipes.names():
        for device in ("cpu", "gpu"):
            made = recipes.settings(name, device=device, weights="w")
            assert made.recipe == name
        head = (recipes.PLACE / f"{name}.toml").read_text(encoding="utf-8")
        assert "python -m tuning.training" in head
    assert recipes.settings("lora", weights="w", seed=3).seed == 3
    with pytest.raises(ForPerson, match="Choose bottleneck"):
        recipes.settings("none", weights="w")

"""Every row comes once a pass, in full packs where that is asked for, the same on every machine; sheets keep it all."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import gpus
from tuning.training import devices, plan, recipes
from tuning.training.plan import Plan
from tuning.training.rows import Row
from tuning.training.settings import Settings


def varied(many: int, seed: int = 1) -> list[Row]:
    """Rows of 16 to 1,024 tokens, 250 on average, each with ids of its own."""
    drawn, rows, first = random.Random(seed), list[Row](), 0
    for _ in range(many):
        length = min(1024, max(16, round(drawn.lognormvariate(5.3, 0.68))))
        rows.append(Row(tuple(range(first, first + length)), tuple(at >= length // 3 for at in range(length))))
        first += length
    return rows


def made(rows: list[Row], **said: object) -> Plan:
    return Plan(rows, Settings.model_validate({"weights": "w", **said}))


@pytest.mark.parametrize("many", [700, 3000])
def test_hardly_a_place_of_a_pack_stays_empty_and_every_row_is_in_one(many: int) -> None:
    rows = varied(many)
    found = made(rows, step_tokens=32768, pack_tokens=32768, max_steps=1000)
    in_pass = round(1 / found.epoch(1))
    packs = [pack for step in range(in_pass) for pack in found.packs(step)]
    assert Counter(row.ids for pack in packs for row in pack) == Counter(row.ids for row in rows)
    assert all(sum(map(len, pack)) <= found.tokens for pack in packs)
    assert 1 - sum(map(len, rows)) / (found.tokens * len(packs)) < 0.02
    assert found.most_rows == max(map(len, packs))


def test_the_same_seed_gives_the_same_packs_and_each_pass_another_order() -> None:
    rows = varied(900)
    one, same, other = (made(rows, step_tokens=8192, pack_tokens=4096, seed=seed) for seed in (7, 7, 8))
    in_pass = round(1 / one.epoch(1))
    steps = range(2 * in_pass)
    assert [one.packs(step) for step in steps] == [same.packs(step) for step in steps]
    assert [one.packs(step) for step in steps] != [other.packs(step) for step in steps]
    first, second = ([one.packs(step) for step in range(at, at + in_pass)] for at in (0, in_pass))
    assert first != second
    assert Counter(pack for step in first for pack in step) == Counter(pack for step in second for pack in step)
    assert max(len(step) for step in first) == 2


def test_a_plan_knows_nothing_of_processes() -> None:
    rows = varied(300)
    one, four = (made(rows, step_tokens=16384, pack_tokens=4096, processes=many) for many in (1, 4))
    assert [one.packs(step) for step in range(one.steps)] == [four.packs(step) for step in range(four.steps)]


def test_few_rows_are_not_learned_in_fewer_steps_than_by_rows() -> None:
    """A step of 32,768 tokens would be all there is: one step a pass."""
    rows = varied(50)
    by_rows = made(rows, batch=8, epochs=4)
    by_tokens = made(rows, batch=8, epochs=4, step_tokens=32768, pack_tokens=32768)
    assert by_rows.steps == 25
    assert by_tokens.steps == pytest.approx(by_rows.steps, rel=0.2)
    assert made(varied(3000), batch=8, epochs=4, step_tokens=32768, pack_tokens=32768).steps > plan.LEAST_STEPS


def test_steps_of_so_many_rows_are_what_they_were() -> None:
    rows = varied(23)
    found = made(rows, batch=5, epochs=2)
    assert found.steps == 10
    for step in range(found.steps):
        assert Counter(row.ids for row in found.rows(step)) == Counter(
            row.ids for pack in found.packs(step) for row in pack
        )
        assert all(sum(map(len, pack)) <= found.tokens for pack in found.packs(step))
    assert Counter(row.ids for step in range(5) for row in found.rows(step)) == Counter(row.ids for row in rows)


def test_what_does_not_change_the_outcome_does_not_change_its_name() -> None:
    one = Settings(weights="w")
    for said in ({"device": "cpu"}, {"processes": 4}, {"step": "flat"}):
        assert one.model_copy(update=said).fingerprint == one.fingerprint
    assert one.model_copy(update={"step_tokens": 4096}).fingerprint != one.fingerprint


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("before", [0, 5])
@pytest.mark.parametrize("spare", [0, 1, 700])
def test_a_sheet_holds_its_rows_and_predicts_what_they_predict(before: int, spare: int) -> None:
    from tuning.training.engine.flat.sheets import shape, sheet

    rows = varied(9, seed=4)
    tokens, longest = sum(map(len, rows)), max(map(len, rows))
    one = shape(tokens + spare, len(rows) + 3, longest, before, chunk=256)
    found = sheet(rows, one)
    bounds, ids, positions = found.bounds.tolist(), found.ids[0].tolist(), found.positions[0].tolist()
    assert len(ids) == len(positions) == one.tokens
    assert len(bounds) == one.rows + 1
    assert (bounds[0], bounds[-1]) == (0, one.tokens)
    assert bounds == sorted(bounds)
    assert max(b - a for a, b in pairwise(bounds)) <= one.longest
    for row, (at, end) in zip(rows, pairwise(bounds), strict=False):
        assert tuple(ids[at + before : end]) == row.ids
        assert positions[at:end] == list(range(end - at))
    expected = [
        (at + before + token - 1, row.ids[token])
        for row, at in zip(rows, bounds, strict=False)
        for token in range(1, len(row))
        if row.learn[token]
    ]
    places, right = found.places.tolist(), found.right.tolist()
    assert list(zip(places, right, strict=True))[: found.learned] == expected
    assert len(right) % 256 == 0
    assert set(right[found.learned :]) <= {-1}
    assert (found.learned, found.tokens) == (len(expected), tokens)
    if before:
        assert found.vectors.tolist().count(0) == len(rows)


# ── where ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recipe_is_read_for_the_gpu_where_there_is_one_or_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the driver and by the torch that is installed, which is not imported for it."""
    driver, package = tmp_path / "driver", tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('it was imported')")
    monkeypatch.setattr(devices, "DRIVER", driver)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    torch = sys.modules.pop("torch", None)
    try:
        for cuda, has_driver, expected in (("'13.0'", True, "gpu"), ("'13.0'", False, "cpu"), ("None", True, "cpu")):
            (package / "version.py").write_text(f"__version__ = '2'\ncuda: Optional[str] = {cuda}\n")
            driver.touch() if has_driver else driver.unlink(missing_ok=True)
            assert devices.of_recipe() == expected
    finally:
        sys.modules.pop("torch", None)
        if torch is not None:
            sys.modules["torch"] = torch
    assert (devices.of_recipe("cuda"), devices.of_recipe("cpu")) == ("gpu", "cpu")
    assert recipes.settings("lora", device="gpu", weights="w").step_tokens == 32768
    assert recipes.settings("lora", device="cpu", weights="w").step_tokens is None


def test_who_only_counts_is_told_how_many_rows_a_step_has() -> None:
    rows = varied(3000)
    for said in ({"epochs": 4}, {"max_steps": 100}):
        settings = Settings.model_validate({"weights": "w", "step_tokens": 32768, "pack_tokens": 32768, **said})
        by_rows = plan.by_rows(settings, len(rows), sum(map(len, rows)))
        assert by_rows.step_tokens is None
        assert Plan(rows, by_rows).steps == pytest.approx(Plan(rows, settings).steps, rel=0.05)
    assert plan.by_rows(by_rows, 3, 9) is by_rows


def test_operations_are_counted_by_hand_and_an_unknown_chip_has_no_rate() -> None:
    """The default model: 106,168,320 weights in linear layers, 4,884,480 of a LoRA of rank 16, 49,152 words."""
    config = SimpleNamespace(
        hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
        vocab_size=49152,
    )  # fmt: skip
    one = 4 * 106_168_320 + 6 * 4_884_480
    assert gpus.operations(config, 16, [(1, 0)]) == one + 30 * 6 * 576
    assert gpus.operations(config, 16, [(10, 4)]) == 10 * one + 30 * 6 * 100 * 576 + 4 * 4 * 576 * 49152
    assert gpus.peak("NVIDIA H200") == gpus.peak("NVIDIA H100 80GB HBM3") == 989.4e12
    assert gpus.peak("NVIDIA H100 PCIe") == 756e12
    assert gpus.peak("NVIDIA A100-SXM4-80GB") == 312e12
    assert gpus.peak("NVIDIA L4") == 121e12
    assert gpus.peak("NVIDIA L40") is gpus.peak("NVIDIA H20") is gpus.peak("Another") is None

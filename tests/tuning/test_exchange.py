"""A version leaves as one folder and comes back as itself; as a file it says what it left behind."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.store.database import connect
from tests.tuning.test_datasets import A, S, U, talk
from tests.tuning.test_versions import approved
from tuning.datasets import Datasets, Version
from tuning.errors import ForPerson
from tuning.exchange import folder
from tuning.exchange.files import Export
from tuning.formats import FORMATS
from tuning.values import Answer, Example, Kind, Turn, conversation, preference


@pytest.fixture
def datasets(tmp_path: Path) -> Iterator[Datasets]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    yield Datasets(engine)
    engine.dispose()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Datasets]:
    engine = connect(f"sqlite:///{(tmp_path / 'other.sqlite3').as_posix()}")
    yield Datasets(engine)
    engine.dispose()


@pytest.fixture
def version(datasets: Datasets) -> Version:
    pair = preference((Turn(U, "¿Por qué?"),), Answer((Turn(A, "Porque sí."),)), Answer((Turn(A, "No."),)))
    masked = conversation(
        Turn(S, "Be \u2028 odd."), Turn(U, "🙄?"), Turn(A, "x", learn=False), Turn(U, "y"), Turn(A, "z")
    )
    examples = [*(talk(n) for n in range(25)), pair, masked, Example(Kind.TEXT, text="One page.\x85Two.")]
    return datasets.freeze(approved(datasets, "voices", examples), share=0.2)


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_comes_back_as_the_same_version(
    datasets: Datasets, elsewhere: Datasets, version: Version, tmp_path: Path, packed: bool
) -> None:
    if packed:
        place = tmp_path / "voices.zip"
        place.write_bytes(folder.zipped(datasets, version))
    else:
        place = folder.write(datasets, version, tmp_path / "out")
        assert sorted(one.name for one in place.iterdir()) == [
            "README.md",
            "card.json",
            "train.jsonl",
            "validation.jsonl",
        ]
    back = folder.read(elsewhere, place)
    assert back.fingerprint == version.fingerprint
    assert list(elsewhere.rows(back)) == list(datasets.rows(version))
    assert back.card["counts"] == version.card["counts"]
    again = elsewhere.freeze(back.dataset, share=0.2)
    assert again.fingerprint == version.fingerprint


def test_a_folder_that_was_changed_is_refused_and_leaves_nothing(
    datasets: Datasets, elsewhere: Datasets, version: Version, tmp_path: Path
) -> None:
    place = folder.write(datasets, version, tmp_path / "out")
    file = place / "train.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace("This is", "That is"), encoding="utf-8")
    with pytest.raises(ForPerson, match="was changed"):
        folder.read(elsewhere, place)
    assert elsewhere.all() == []


@pytest.mark.parametrize("damage", ["no card", "not json", "not ours", "bad line", "no zip", "nothing"])
def test_what_is_no_dataset_is_said_in_one_sentence(
    datasets: Datasets, elsewhere: Datasets, version: Version, tmp_path: Path, damage: str
) -> None:
    place = folder.write(datasets, version, tmp_path / "out")
    card = place / "card.json"
    match damage:
        case "no card":
            card.unlink()
        case "not json":
            card.write_text("{")
        case "not ours":
            card.write_text(json.dumps({**version.card, "format": "other/1"}))
        case "bad line":
            (place / "train.jsonl").write_text('{"kind": "conversation", "extra": 1}\n')
        case "no zip":
            place = tmp_path / "x.zip"
            place.write_bytes(b"PK\x03\x04 not really")
        case "nothing":
            place = tmp_path / "nowhere"
    with pytest.raises(ForPerson):
        folder.read(elsewhere, place)
    assert elsewhere.all() == []


def test_a_folder_is_never_written_over(datasets: Datasets, version: Version, tmp_path: Path) -> None:
    folder.write(datasets, version, tmp_path)
    with pytest.raises(ForPerson, match="already"):
        folder.write(datasets, version, tmp_path)


def test_a_zip_that_was_packed_again_is_read_too(
    datasets: Datasets, elsewhere: Datasets, version: Version, tmp_path: Path
) -> None:
    made = folder.write(datasets, version, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "again.zip", "w") as archive:
        for file in made.iterdir():
            archive.write(file, f"Downloads/copy of it/{file.name}")
    assert folder.read(elsewhere, tmp_path / "again.zip").fingerprint == version.fingerprint


def test_an_export_counts_what_is_lost_and_what_is_left_out(datasets: Datasets, version: Version) -> None:
    export = Export((row.example for row in datasets.rows(version)), FORMATS["openai"])
    lines = [json.loads(line) for line in export]
    assert export.rows == len(lines) == 27  # a page of text is no conversation
    counts = export.counts("es")
    assert sum(one["examples"] for one in counts["left_out"]) == 1  # type: ignore[attr-defined]
    assert export.written == 27

"""A persona's models: published, gone back to, brought in from elsewhere, where what is wrong is one sentence."""

from __future__ import annotations

import json
import pickle
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.personas import Persona
from assistant.service.settings import Settings
from assistant.service.verbs import prepare
from knowledge import KnowledgeError
from tests.assistant import tiny
from tests.tuning.training_jobs import marv
from tuning.datasets import Status as Approval
from tuning.errors import ForPerson
from tuning.jobs import Job, Jobs
from tuning.jobs.evaluating import FOLDER, REPORT
from tuning.jobs.publishing import publish
from tuning.parts import Parts
from tuning.training.folder import ADAPTER, Folder, Status
from tuning.training.foreign import Wrong

pytestmark = [
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]
Run = Callable[..., list[dict[str, Any]]]


class Waiting(Jobs):
    """Jobs that nobody begins: their folders are written by the tests."""

    def look(self) -> None:
        pass


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="module")
def adapters(base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two that speak unlike each other."""
    return [tiny.adapter(base, tmp_path_factory.mktemp("adapters") / f"{n}", seed=n) for n in (1, 2)]


@pytest.fixture
def parts(tmp_path: Path, weights: Path) -> Iterator[Parts]:
    home = tmp_path / "home"
    home.mkdir()
    parts = Parts(Settings(home=home, weights=weights, _env_file=None))  # type: ignore[call-arg]
    parts.adopt("jobs", Waiting(parts.datasets, parts.home, parts.weights))
    yield parts
    parts.close()


@pytest.fixture
def run(parts: Parts) -> Run:
    def run(verb: str, **arguments: Any) -> list[dict[str, Any]]:
        return list(prepare(parts, verb, arguments, threading.Event())())

    return run


def _job(parts: Parts, base: Path, adapter: Path, *, before: float = 3.0, after: float = 2.0) -> Job:
    """One that is done, as a process leaves it."""
    if not parts.datasets.all():
        number = parts.datasets.create("marv").id
        parts.datasets.add(number, marv(12), status=Approval.APPROVED)
        parts.datasets.freeze(number)
    job = parts.jobs.start(parts.datasets.version_of(parts.datasets.all()[0].id), said={"base": f"hf:{base}"})
    folder = Folder(job.place)
    shutil.copytree(adapter, folder.file(ADAPTER))
    (folder.file(ADAPTER) / "chat_template.jinja").write_text(tiny.TEMPLATE)
    folder.measured(step=0, eval_loss=before)
    folder.measured(step=4, eval_loss=after)
    folder.say(status=Status.DONE, step=4, steps=4, best_step=4, best_loss=after)
    return parts.jobs.get(job.id)


def _publish(parts: Parts, job: Job, name: str, **more: Any) -> Persona:
    return publish(parts.jobs, parts.personas, parts.home, job.id, name, **more).persona


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_persona_was_is_kept_and_can_be_gone_back_to_and_forward(
    parts: Parts, run: Run, base: Path, adapters: list[Path]
) -> None:
    by_hand = parts.personas.named("Marv")
    assert by_hand is not None
    first, second = (_job(parts, base, one) for one in adapters)
    one, two = (_publish(parts, job, "Marv") for job in (first, second))
    assert one.picture == by_hand.persona.picture
    rows = run("tune.history", persona="@marv")
    assert [(row["version"], row["kind"], row["current"], row["job"]) for row in rows] == [
        (3, "tuned", True, second.id),
        (2, "tuned", False, first.id),
        (1, "written", False, None),
    ]
    assert parts.datasets.version_of(1).label in rows[0]["dataset"]
    assert rows[0]["evaluation"]["loss_after"] == 2.0
    parts.jobs.remove(second.id)
    parts.jobs.remove(first.id)
    assert run("tune.rollback", persona="Marv")[0]["version"] == 2
    assert parts.personas.get(by_hand.id).persona == one
    run("tune.rollback", persona="Marv")
    assert parts.personas.get(by_hand.id).persona == by_hand.persona  # examples and all
    with pytest.raises(ForPerson, match="no earlier version"):
        run("tune.rollback", persona="Marv")
    run("tune.rollback", persona="Marv", to=3)
    assert parts.personas.get(by_hand.id).persona == two
    assert (Path(two.adapter) / "adapter_model.safetensors").is_file()


def test_what_a_person_edits_is_not_lost_on_the_way(parts: Parts, run: Run, base: Path, adapters: list[Path]) -> None:
    for one in adapters:
        _publish(parts, _job(parts, base, one), "Dry")
    stored = parts.personas.named("Dry")
    assert stored is not None
    edited = stored.persona.model_copy(update={"voice": "Be drier.", "greeting": "Well."})
    parts.personas.change(stored.id, edited)
    run("tune.rollback", persona="Dry")
    back = parts.personas.get(stored.id).persona
    assert (back.voice, back.greeting) == (marv(1)[0].system, "Well.")
    run("tune.rollback", persona="Dry", to=2)
    assert parts.personas.get(stored.id).persona == edited
    other = edited.model_copy(update={"adapter": "", "model": "local:smollm2-135m"})
    parts.personas.change(stored.id, other)  # another model, by hand
    run("tune.rollback", persona="Dry", to=1)
    assert [row["kind"] for row in run("tune.history", persona="Dry")] == ["written", "tuned", "tuned"]
    run("tune.rollback", persona="Dry", to=3)
    assert parts.personas.get(stored.id).persona == other


def test_the_next_message_is_answered_by_the_version_gone_back_to(
    parts: Parts, run: Run, base: Path, adapters: list[Path]
) -> None:
    for one in adapters:
        _publish(parts, _job(parts, base, one), "Dry")

    def said() -> str:
        asked = {"question": "Who are you?", "persona": "Dry", "route": "chat"}
        last = run("ask", **asked)[-1]
        assert last["type"] == "answered", last
        return str(last["text"])

    stored = parts.personas.named("Dry")
    assert stored is not None
    card = stored.persona.model_dump(mode="json")
    parts.personas.change(stored.id, Persona.model_validate({**card, "settings": {"max_tokens": 12, "temperature": 0}}))
    second = said()
    run("tune.rollback", persona="Dry")
    first = said()
    assert first != second
    run("tune.rollback", persona="Dry", to=2)
    assert said() == second


def test_a_version_that_is_not_there_or_whose_files_are_gone_is_said(
    parts: Parts, run: Run, base: Path, adapters: list[Path]
) -> None:
    with pytest.raises(KnowledgeError, match="no persona"):
        run("tune.history", persona="Nobody")
    assert run("tune.history", persona="Marv") == []
    with pytest.raises(ForPerson, match="no earlier version"):
        run("tune.rollback", persona="Marv")
    with pytest.raises(ForPerson, match="choose among 1"):
        run("tune.rollback", persona="Marv", to=9)
    one, two = (_publish(parts, _job(parts, base, each), "Dry") for each in adapters)
    shutil.rmtree(one.adapter)
    with pytest.raises(ForPerson, match="not on this machine"):
        run("tune.rollback", persona="Dry")
    stored = parts.personas.named("Dry")
    assert stored is not None
    assert stored.persona == two
    with pytest.raises(ForPerson, match="gone"):
        run("tune.export", persona="Dry", version=1, kind="adapter", out=str(parts.home / "out"))


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _report(job: Job, unseen: str = "better", forgetting: str = "kept") -> None:
    """As an evaluation leaves it."""
    value = {"value": 0.2, "low": 0.1, "high": 0.3, "n": 8}
    told = {"metric": "rouge1", "before": value, "after": value, "change": value, "verdict": unseen}
    made = {"format": "afina-evaluation/1", "parts": {"unseen": {"metrics": [told], "rows": []}}}
    (job.place / FOLDER).mkdir(exist_ok=True)
    (job.place / FOLDER / REPORT).write_text(json.dumps({**made, "forgetting": {"verdict": forgetting}}))


@pytest.mark.parametrize(
    ("after", "unseen", "forgetting", "doubts", "told"),
    [
        (3.5, "better", "kept", ("loss",), "did not learn"),
        (2.0, "worse", "kept", ("answers",), "got worse"),
        (2.0, "same", "forgot", ("forgot",), "forgot"),
        (3.0, "worse", "forgot", ("loss", "answers", "forgot"), "did not learn"),
        (2.0, "unclear", "maybe_forgot", (), ""),
    ],
)
def test_what_speaks_against_it_must_be_overridden_and_is_told_ever_after(
    parts: Parts, base: Path, adapters: list[Path], after: float, unseen: str, forgetting: str,
    doubts: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    job = _job(parts, base, adapters[0], after=after)
    _report(job, unseen, forgetting)
    if doubts:
        with pytest.raises(ForPerson, match=told) as error:
            _publish(parts, job, "Dry")
        assert error.value.said("es") != str(error.value)
        assert parts.personas.named("Dry") is None
        assert not (parts.home / "tuned").exists()
    lineage = _publish(parts, job, "Dry", anyway=True).lineage
    assert lineage is not None
    assert lineage.although == doubts
    stored = parts.personas.named("Dry")
    assert stored is not None
    assert parts.published.get(stored.id).facts["although"] == list(doubts)


# ── from elsewhere ───────────────────────────────────────────────────────────────────────────────────────────────────


def _zip(folder: Path, file: Path) -> Path:
    with zipfile.ZipFile(file, "w") as packed:
        for one in folder.rglob("*"):
            packed.write(one, Path("inside") / one.relative_to(folder))
    return file


def test_an_adapter_comes_in_as_a_folder_or_a_zip_and_leaves_again(
    parts: Parts, run: Run, base: Path, adapters: list[Path], tmp_path: Path
) -> None:
    packed = _zip(adapters[0], tmp_path / "theirs.zip")
    for path, name in ((adapters[0], "Folder"), (packed, "Zip")):
        row = run("tune.import", path=str(path), persona=name)[-1]
        assert (row["persona"], row["version"], row["method"], row["base"]) == (name, 1, "lora", f"hf:{base}")
        stored = parts.personas.named(name)
        assert stored is not None
        card = stored.persona
        assert card.lineage is not None
        assert (card.lineage.origin, card.lineage.source) == ("imported", path.name if path.is_dir() else "inside")
        assert card.template == tiny.TEMPLATE  # its base's, which is put beside it
        assert (Path(card.adapter) / "tokenizer.json").is_file()
        assert parts.home in Path(card.adapter).parents
    out = tmp_path / "out"
    assert run("tune.export", persona="Zip", kind="adapter", out=str(out))[-1]["as"] == "adapter"
    assert "imported from a folder" in (out / "README.md").read_text()
    again = run("tune.import", path=str(out), persona="Zip")[-1]
    assert again["version"] == 2


def test_a_whole_model_comes_in(parts: Parts, run: Run, base: Path, tmp_path: Path) -> None:
    row = run("tune.import", path=str(base), persona="Whole")[-1]
    assert (row["method"], row["base"]) == ("llama", "")
    stored = parts.personas.named("Whole")
    assert stored is not None
    place = Path(stored.persona.model.removeprefix("hf:"))
    assert (place / "model.safetensors").read_bytes() == (base / "model.safetensors").read_bytes()
    assert run("tune.export", persona="Whole", kind="merged", out=str(tmp_path / "out"))[-1]["files"]


def _of_config(**said: Any) -> Callable[[Path], Any]:
    def spoil(place: Path) -> None:
        file = next(one for one in (place / "adapter_config.json", place / "config.json") if one.is_file())
        file.write_text(json.dumps(json.loads(file.read_text()) | said))

    return spoil


def _of_tensors(name: str, change: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def spoil(place: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(place / name)
        key = sorted(tensors)[-1]
        made = change(tensors.pop(key))
        save_file({**tensors, **({key: made} if made is not None else {})}, place / name)

    return spoil


def _words(place: Path) -> None:
    """A tokenizer with a token more."""
    said = json.loads((place / "tokenizer.json").read_text())
    said["added_tokens"].append({**said["added_tokens"][0], "id": 999, "content": "<more>"})
    (place / "tokenizer.json").write_text(json.dumps(said))


def _nan(tensor: Any) -> Any:
    tensor.view(-1)[2] = float("nan")
    return tensor


WEIGHTS = {"adapter": "adapter_model.safetensors", "whole": "model.safetensors"}
WRONG: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    "another base": ("adapter", _of_config(base_model_name_or_path="org/another"), "not on this machine"),
    "no base": ("adapter", _of_config(base_model_name_or_path=None), "does not say what it was trained on"),
    "a base that is not here": ("adapter", _of_config(base_model_name_or_path="/no/such"), "which is not here"),
    "another tokenizer": ("adapter", _words, "its tokenizer is not that of its base"),
    "a pickle inside": ("adapter", lambda p: (p / "adapter_model.bin").write_bytes(pickle.dumps([])), "can run code"),
    "not a number": ("adapter", _of_tensors(WEIGHTS["adapter"], _nan), "no numbers"),
    "another shape": ("adapter", _of_tensors(WEIGHTS["adapter"], lambda one: one[:, :-1].contiguous()), "does not fit"),
    "settings that are no JSON": ("adapter", lambda p: (p / "adapter_config.json").write_text("{"), "no JSON object"),
    "nothing of a model": ("adapter", lambda p: (p / "adapter_config.json").unlink(), "neither adapter_config.json"),
    "code of its own": ("whole", _of_config(auto_map={"AutoModel": "x.Y"}), "code of its own"),
    "no language model": ("whole", _of_config(architectures=["LlamaForTokenClassification"]), "no language model"),
    "quantized": ("whole", _of_config(quantization_config={"bits": 4}), "quantized"),
    "no weights": ("whole", lambda p: (p / "model.safetensors").unlink(), "no *.safetensors"),
    "a model with values that are no numbers": ("whole", _of_tensors(WEIGHTS["whole"], _nan), "no numbers"),
    "more tokens than embeddings": ("whole", _words, "its embeddings 259"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_strangers_model_is_one_sentence_and_nothing_is_written(
    what: str, parts: Parts, run: Run, base: Path, adapters: list[Path], tmp_path: Path
) -> None:
    kind, spoil, told = WRONG[what]
    place = tmp_path / "theirs"
    shutil.copytree(base if kind == "whole" else adapters[0], place)
    if kind == "adapter":
        shutil.copyfile(base / "tokenizer.json", place / "tokenizer.json")
    spoil(place)
    with pytest.raises(KnowledgeError) as error:  # of this tree, whichever package knew what was wrong
        run("tune.import", path=str(place), persona="Stranger")
    english, spanish = str(error.value), error.value.said("es")
    assert told in english
    assert spanish != english
    assert "\n" not in english
    assert parts.personas.named("Stranger") is None
    assert list((parts.home / "tuned").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [(lambda one: None, "is missing"), (lambda one: one[:-1].contiguous(), "its config asks for")],
)
def test_a_models_tensors_are_those_its_config_asks_for(
    change: Callable[[Any], Any], told: str, base: Path, tmp_path: Path
) -> None:
    from tuning.exporting.engine.naming import agree

    place = tmp_path / "theirs"
    shutil.copytree(base, place)
    agree(place)
    _of_tensors(WEIGHTS["whole"], change)(place)
    with pytest.raises(Wrong, match=told):
        agree(place)
    _of_config(model_type="no_such_model")(place)
    with pytest.raises(Wrong, match="makes no language model"):
        agree(place)


def test_a_zip_stays_in_its_folder(parts: Parts, run: Run, tmp_path: Path) -> None:
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as packed:
        packed.writestr("../../outside.json", "{}")
    with pytest.raises(ForPerson, match="points elsewhere"):
        run("tune.import", path=str(evil), persona="Stranger")
    (tmp_path / "no.zip").write_bytes(b"PK\3\4 no zip")
    with pytest.raises(ForPerson, match="no ZIP"):
        run("tune.import", path=str(tmp_path / "no.zip"), persona="Stranger")
    with pytest.raises(ForPerson, match="no folder and no file"):
        run("tune.import", path=str(tmp_path / "nowhere"), persona="Stranger")
    assert not list(tmp_path.rglob("outside.json"))


def test_an_import_that_is_stopped_leaves_nothing(parts: Parts, adapters: list[Path]) -> None:
    stop = threading.Event()
    rows = prepare(parts, "tune.import", {"path": str(adapters[0]), "persona": "Stranger"}, stop)()
    next(row for row in rows if row["what"] == "copy")
    stop.set()
    assert list(rows) == []
    assert list((parts.home / "tuned").iterdir()) == []
    assert parts.personas.named("Stranger") is None

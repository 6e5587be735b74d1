"""Jobs: real processes over a tiny real model. They wait for one another, outlive the app, are taken up again when they
die, end when asked to, and become a persona."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from assistant.history import History
from assistant.models import Models
from assistant.personas import Personas
from knowledge.store.database import connect
from tests.assistant.tiny import model
from tests.tuning.training_jobs import marv, until
from tuning.datasets import Datasets, Filter, Status, Version
from tuning.errors import ForPerson
from tuning.jobs import Job, Jobs
from tuning.jobs.jobs import ATTEMPTS, running
from tuning.jobs.publishing import publish
from tuning.store.tables import VERSION_TABLE, Table
from tuning.training.folder import Folder
from tuning.training.folder import Status as State
from tuning.verbs.evaluate import eval_job

pytestmark = [pytest.mark.model, pytest.mark.slow]
SHORT: dict[str, Any] = {"max_steps": 4, "batch": 4, "eval_every": 2, "save_every": 2, "max_length": 256}
LONG: dict[str, Any] = {**SHORT, "max_steps": 100_000, "schedule": "constant"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"hf:{model(tmp_path_factory.mktemp('base') / 'tiny')}"


@dataclass
class Shop:
    jobs: Jobs
    datasets: Datasets
    version: Version
    engine: Engine
    home: Path

    def start(self, base: str, said: dict[str, Any] = SHORT) -> Job:
        return self.jobs.start(self.version, said={"base": base, **said})

    def over(self, job: Job) -> Job:
        def ended() -> bool:
            self.jobs.look()
            return self.jobs.get(job.id).state.status.over and not running(job.place)

        until(ended)
        return self.jobs.get(job.id)


@pytest.fixture
def shop(tmp_path: Path, weights: Path) -> Iterator[Shop]:
    engine = connect(f"sqlite:///{(tmp_path / 'db.sqlite3').as_posix()}")
    datasets = Datasets(engine, History(engine))
    number = datasets.create("marv").id
    datasets.add(number, marv(14))
    datasets.set_status(number, Filter(), Status.APPROVED)
    shop = Shop(Jobs(datasets, tmp_path, weights), datasets, datasets.freeze(number, share=0.2), engine, tmp_path)
    yield shop
    for job in shop.jobs.all():
        if running(job.place):
            os.kill(Folder(job.place).state().pid or 0, signal.SIGKILL)
    shop.jobs.close()
    engine.dispose()


def test_the_tables_are_those_the_migrations_make(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        mine = set(Table.metadata.tables)
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda thing, name, kind, *more: kind != "table" or name in mine},
        )
        assert compare_metadata(context, Table.metadata) == []
    assert VERSION_TABLE == "tuning_version"


def test_jobs_wait_for_one_another_and_leave_an_adapter_and_its_numbers(shop: Shop, base: str) -> None:
    first, second = shop.start(base), shop.start(base)
    assert shop.jobs.get(second.id).state.status is State.QUEUED
    seen = list(shop.jobs.follow(first.id, threading.Event()))
    steps = [row["step"] for _, rows in seen for row in rows if "loss" in row]
    assert steps == [1, 2, 3, 4]
    assert seen[-1][0].status is State.DONE
    assert (first.place / "adapter" / "adapter_model.safetensors").is_file()
    assert shop.over(second).state.status is State.DONE
    assert [one.id for one in shop.jobs.all()] == [second.id, first.id]
    assert first.dataset == shop.version.label
    assert str(first.place) in first.command


def test_a_job_outlives_the_app_and_is_found_again(shop: Shop, base: str) -> None:
    job = shop.start(base, LONG)
    until(lambda: shop.jobs.get(job.id).state.step >= 3)
    shop.jobs.close()
    again = Jobs(shop.datasets, shop.home, Path("/nowhere"))
    assert again.get(job.id).state.status is State.RUNNING
    again.look()
    assert again.get(job.id).attempts == 1  # it runs: nothing is begun beside it
    again.cancel(job.id)
    until(lambda: again.get(job.id).state.status is State.STOPPED and not running(job.place))
    assert (job.place / "adapter").is_dir()  # the best so far is kept
    with pytest.raises(ForPerson, match="ended already"):
        again.cancel(job.id)


def test_a_process_that_was_killed_is_taken_up_again_where_it_was(shop: Shop, base: str) -> None:
    job = shop.start(base, {**SHORT, "max_steps": 120, "save_every": 10, "eval_every": 60})
    until(lambda: shop.jobs.get(job.id).state.step >= 25)
    os.kill(shop.jobs.get(job.id).state.pid or 0, signal.SIGKILL)
    until(lambda: not running(job.place))
    done = shop.over(job)
    assert (done.state.status, done.state.step, done.attempts) == (State.DONE, 120, 2)
    resumed = [row for row in Folder(job.place).metrics() if row.get("resumed")]
    assert resumed
    assert resumed[0]["step"] >= 10


def test_a_process_that_dies_each_time_is_given_up_with_a_sentence(shop: Shop, base: str) -> None:
    waiting = shop.start(base, LONG)
    job = shop.start(base)
    shop.jobs._attempt(job.id, ATTEMPTS)
    shop.jobs.cancel(waiting.id)
    shop.over(waiting)
    done = shop.over(job)
    assert done.state.status is State.FAILED
    assert "three times" in done.state.said("en")
    assert "tres veces" in done.state.said("es")
    shop.jobs.resume(job.id)
    assert shop.over(job).state.status is State.DONE


def test_a_job_that_waits_is_taken_out_of_the_queue_and_can_go_on(shop: Shop, base: str) -> None:
    first, second = shop.start(base), shop.start(base)
    assert shop.jobs.cancel(second.id).state.status is State.STOPPED
    shop.over(first)
    shop.jobs.resume(second.id)
    assert shop.over(second).state.status is State.DONE
    with pytest.raises(ForPerson, match="done"):
        shop.jobs.resume(second.id)


def test_what_was_trained_is_a_persona_with_its_lineage_and_an_earlier_one_is_the_way_back(
    shop: Shop, base: str
) -> None:
    personas = Personas(shop.engine)
    first, second = shop.over(shop.start(base)), shop.over(shop.start(base))
    for job in (first, second):
        _measured(job, before=3.0, after=2.0)
    one = publish(shop.jobs, personas, shop.home, first.id, "Tuned")
    card = one.persona
    assert card.voice == "Marv is a factual chatbot that is also sarcastic."
    assert card.lineage is not None
    assert shop.version.label in card.lineage.dataset
    assert (card.lineage.base, card.lineage.method) == (base, "lora")
    assert card.lineage.evaluation["loss_after"] == 2.0
    assert card.template
    assert (Path(card.adapter) / "adapter_model.safetensors").is_file()
    two = publish(shop.jobs, personas, shop.home, second.id, "tuned")
    assert two.id == one.id
    assert two.persona.adapter != card.adapter
    back = publish(shop.jobs, personas, shop.home, first.id, "Tuned")
    assert back.persona.adapter == card.adapter
    shop.jobs.remove(first.id)
    assert (Path(card.adapter) / "adapter_model.safetensors").is_file()


def test_what_did_not_learn_is_published_only_anyway(shop: Shop, base: str) -> None:
    personas, job = Personas(shop.engine), shop.over(shop.start(base))
    _measured(job, before=2.0, after=2.5)
    with pytest.raises(ForPerson, match="did not learn"):
        publish(shop.jobs, personas, shop.home, job.id, "Tuned")
    assert personas.named("Tuned") is None
    assert publish(shop.jobs, personas, shop.home, job.id, "Tuned", anyway=True).name == "Tuned"


def test_a_job_is_held_against_its_base_on_what_it_has_not_seen(shop: Shop, base: str, weights: Path) -> None:
    job, models = shop.over(shop.start(base)), Models(weights)
    try:
        unseen = {"number": job.id, "most": 1, "parts": ["unseen"]}
        rows = list(eval_job(shop.jobs, models, weights, language="es", **unseen))
        again = list(eval_job(shop.jobs, models, weights, **unseen))
        with pytest.raises(ForPerson, match="no metric"):
            list(eval_job(shop.jobs, models, weights, number=job.id, metrics=["love"], most=1))
    finally:
        models.close()
    assert [row["side"] for row in rows if "done" in row] == ["before", "after"]
    (one,) = (row for row in rows if "scores" in row)
    assert one["before"] != one["after"]
    assert one["prompt"]
    spanish, english = (told[-1]["parts"]["unseen"] for told in (rows, again))
    assert [summary["metric"] for summary in spanish] == ["rouge1", "rougeL", "chrf"]
    assert spanish[0]["message"] != english[0]["message"]
    assert "unseen_rouge1_after" in shop.jobs.get(job.id).evaluation
    perplexity, accuracy = rows[-1]["foreseen"]
    assert (perplexity["metric"], accuracy["metric"]) == ("perplexity", "token_accuracy")
    assert perplexity["after"]["value"] != perplexity["before"]["value"]
    assert perplexity["after"]["value"] == shop.jobs.get(job.id).evaluation["unseen_perplexity_after"]


@pytest.mark.parametrize("said", [{"learning_rate": -1}, {"metod": "lora"}, {"lora": {"r": 0}}, {"max_steps": "many"}])
def test_settings_that_cannot_be_are_said_before_anything_is_made(shop: Shop, base: str, said: dict[str, Any]) -> None:
    with pytest.raises(ForPerson, match=next(iter(said))):
        shop.start(base, said)
    assert shop.jobs.all() == []
    assert not (shop.home / "jobs").exists()


def test_a_job_that_is_not_there_is_said(shop: Shop) -> None:
    with pytest.raises(ForPerson, match="no job 9"):
        shop.jobs.get(9)


def _measured(job: Job, *, before: float, after: float) -> None:
    """As if that had been its loss on the held-out rows."""
    folder = Folder(job.place)
    folder.forget(-1)
    folder.measured(step=0, eval_loss=before)
    folder.measured(step=4, eval_loss=after)

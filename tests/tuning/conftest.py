"""What tests of learning share: a tiny model, one thread, a process that has torch already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assistant import tiny
from tests.tuning.training_jobs import Nursery


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of Llama, a tokenizer of bytes: hf:<this folder> is a base."""
    return tiny.model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """What is this small is slower on two."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Jobs in processes of their own that need not import torch first."""
    made = Nursery()
    yield made
    made.close()

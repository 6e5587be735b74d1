"""README keeps its promises: the commands it names exist, the files it links to are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_make_target_named_in_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"make ([a-z]+)", README))
    assert {"run", "test"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.M), target


def test_every_linked_file_exists() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_no_tracked_file_names_an_index_host_or_a_lock_url() -> None:
    hosts = re.compile(r"https?://[^ ]*simple")
    for name in ("README.md", "constraints.txt", "pyproject.toml", "Makefile", ".ci/run"):
        assert not hosts.search((ROOT / name).read_text()), name

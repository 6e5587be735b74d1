# One home for the commands README names. PYTHON and VENV can be set: make run PYTHON=python3.12 VENV=/tmp/venv
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?=

.PHONY: run test check bench clean

run: $(VENV)/.installed  ## install, fetch the default models, serve on 127.0.0.1:7860
	$(BIN)/afina models fetch
	$(BIN)/afina serve

test: $(VENV)/.installed-test  ## install what tests need and run them all
	$(BIN)/afina models fetch
	$(BIN)/python -m pytest

check: $(VENV)/.installed-test  ## what CI checks besides the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.installed-bench  ## print the tables of benchmarks/README.md; DATA=a folder of PDFs, else made-up ones
	$(BIN)/python -m benchmarks $(DATA)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[bench]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

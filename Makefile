# Two commands for a fresh machine: `make run` and `make test`. Each makes .venv and installs into it when needed.
# `make test-lowest` runs the tests once more with the oldest versions that pyproject.toml admits.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RESULTS ?= results
OLDEST ?= python3.10
LOWEST := .venv-lowest

.PHONY: run test test-lowest install clean

run: $(STAMP)
	$(BIN)/lrfer-bench run $(if $(METHODS),--methods $(METHODS)) --results $(RESULTS)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-lowest:
	rm -rf $(LOWEST)
	$(OLDEST) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet packaging tomli
	$(LOWEST)/bin/python tests/support/lowest.py sr tune tensorboard > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet -c $(LOWEST)/lowest.txt -e '.[sr,tune,tensorboard]' "pytest>=8" pytest-xdist
	$(LOWEST)/bin/python -m pip freeze
	$(LOWEST)/bin/python -m pytest -n 2 --dist loadfile

install: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) $(LOWEST) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

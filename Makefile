# Two commands for a fresh machine: `make run` and `make test`. Each makes .venv and installs into it when needed.
# `make run` installs what running needs, `make test` the tools of development as well.
# `make test-lowest` runs the tests once more with the oldest versions that pyproject.toml admits.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TOOLS := $(VENV)/.installed-tools
RESULTS ?= results
OLDEST ?= python3.10
LOWEST := .venv-lowest

.PHONY: run test test-lowest install clean

run: $(STAMP)
	$(BIN)/lrfer-bench run $(if $(METHODS),--methods $(METHODS)) --results $(RESULTS)

test: $(TOOLS)
	$(BIN)/python -m pytest -n 3 --dist loadfile

test-lowest:
	rm -rf $(LOWEST)
	$(OLDEST) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet packaging tomli
	$(LOWEST)/bin/python tests/support/lowest.py sr tune tensorboard > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet -c $(LOWEST)/lowest.txt -e '.[sr,tune,tensorboard]' "pytest>=8" pytest-xdist
	$(LOWEST)/bin/python -m pip freeze
	$(LOWEST)/bin/python -m pytest -n 3 --dist loadfile

install: $(TOOLS)

$(STAMP): pyproject.toml
	@echo "Installing into $(VENV): about 6 GB with CUDA on Linux, 5 to 20 minutes (about 1 GB without: see README.md)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e .
	touch $(STAMP)

$(TOOLS): $(STAMP)
	@echo "Installing the tools of development (tests, linters, types)"
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $(TOOLS)

clean:
	rm -rf $(VENV) $(LOWEST) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

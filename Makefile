# Two commands for a fresh machine: `make run` and `make test`. Each makes .venv and installs into it when needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RESULTS ?= results

.PHONY: run test install clean

run: $(STAMP)
	$(BIN)/lrfer-bench run $(if $(METHODS),--methods $(METHODS)) --results $(RESULTS)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

install: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

# Two commands do everything on a fresh machine with Python 3.11 or later: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= results/iris_logistic.h5
SETUP := setup.cfg pyproject.toml

.PHONY: run test lint bench docs clean

run: $(VENV)/.run
	mkdir -p $(dir $(OUT))
	$(BIN)/fpsolver run studies/iris_logistic.toml -o $(OUT) --overwrite --plots

test: $(VENV)/.test lint
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	rm -rf .venv .venv-* build dist docs/_build docs/auto_examples docs/auto_theory docs/auto_theorems docs/generated docs/sg_execution_times.rst results *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'fpsolver needs Python 3.11 or later; set PYTHON=')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: $(VENV)/bin/python $(SETUP)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: $(VENV)/bin/python $(SETUP)
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ $(VENV)/.run

$(VENV)/.docs: $(VENV)/bin/python $(SETUP)
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@

$(VENV)/.bench: $(VENV)/bin/python $(SETUP) benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet --editable . --requirement benchmarks/requirements.txt
	touch $@

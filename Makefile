# Everything a newcomer needs is `make demo` and `make test`; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(max(2, min(4, os.cpu_count() or 2)))')
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types contracts coverage check bench parity story histories migration lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## A .venv with everything, the tests' needs included

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.12 …")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "The venv module of Python is missing (Debian, Ubuntu: apt install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## The gateway with sample data, pages on http://127.0.0.1:8000
	$(BIN)/gateway demo

test: $(READY) ## All tests, in as many processes as there are cores, four at most: make test PROCESSES=1
	@$(BIN)/python -m compileall -q gateway fixtures # the programs that tests start find byte code, as installed ones do
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadgroup $(PYTEST_ARGS)

lint: $(READY) ## Style (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## Types (mypy, strict on gateway/)
	$(BIN)/mypy

contracts: $(READY) ## Which room may import which (import-linter)
	$(BIN)/lint-imports

coverage: $(READY) ## All tests, with the coverage floor of pyproject.toml
	$(BIN)/coverage erase
	$(MAKE) test PYTEST_ARGS="--cov --cov-report="
	$(BIN)/coverage report

check: lint types contracts coverage ## Everything CI runs

bench: $(READY) ## Every benchmark, in sizes that end within the hour; the figures go to docs/performance.md
	$(BIN)/python tests/benchmarks/bench_baseline.py
	$(BIN)/python tests/benchmarks/bench_schematron.py
	$(BIN)/python tests/benchmarks/bench_folder.py
	$(BIN)/python tests/benchmarks/bench_lifecycle.py
	$(BIN)/python tests/benchmarks/bench_ledger.py
	$(BIN)/python tests/benchmarks/bench_deadlines.py
	$(BIN)/python tests/benchmarks/bench_flows.py
	$(BIN)/python tests/benchmarks/bench_flows_stored.py --most 100000
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_receivables.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_reminders.py
	PYTHONPATH=. $(BIN)/python tests/benchmarks/bench_worklist.py

parity: $(READY) ## The Schematron engine beside Saxon on thousands of documents: make parity PARITY_ARGS="--seed 7"
	$(BIN)/python tests/schematron/parity.py $(PARITY_ARGS)

story: $(READY) ## 2,000 invoices, both sides killed all the time: make story STORY_ARGS="--invoices 500 --seed 7"
	PYTHONPATH=. $(BIN)/python tests/story/telling.py $(STORY_ARGS)

histories: $(READY) ## Thousands of random histories of collection beside books kept by hand: make histories HISTORIES=500
	HISTORIES=$(or $(HISTORIES),2000) $(BIN)/python -m pytest -q -n $(PROCESSES) --dist worksteal tests/collection/test_collection_histories.py \
		tests/collection/test_collection_pure_histories.py

migration: $(READY) ## A new schema revision from the models: make migration why="what changes and why"
	$(BIN)/python -m gateway.app.revision "$(why)"

lock: $(READY) ## Renew requirements.lock from pyproject.toml (needs uv on the PATH)
	uv pip compile --upgrade --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
		--generate-hashes --extra dev pyproject.toml -o requirements.lock

clean: ## Remove the environment, caches and local data
	rm -rf $(VENV) .gateway .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*

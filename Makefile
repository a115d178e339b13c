# Two commands matter: `make demo` and `make test`. Both set up everything they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test test-chaos lint bench mutants picture clean

help:
	@echo "make demo   the main job in one process, no services: a board in the browser, live"
	@echo "make test   everything: lint, types, import rules, all tests, real Kafka and PostgreSQL"
	@echo "make test-chaos  kills, stops, power cuts by the hundred under load, then the figures"
	@echo "make lint   style, types and import rules alone"
	@echo "make bench  speed, side by side with what one would use instead (docs/performance.md)"
	@echo "make mutants  changes the rules in thousands of small ways: tests must notice (docs/mutation.md)"

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "caretally needs Python 3.11 or newer; set PYTHON=python3.x"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $(READY)

setup: $(READY)

demo: $(READY)
	$(BIN)/caretally demo $(ARGS)

picture: $(READY)  # the board as the README and docs/board.md show it; needs a Chromium
	$(BIN)/python -m tests.browser.picture docs/images
	$(BIN)/caretally demo --events 113 --speed 12 --seconds 0 --port 8080 \
	  --screenshot docs/images/demo.svg

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest $(ARGS)

# ARGS narrows it: make test-chaos ARGS='--kills 100 --fuzz 0 --seed 3' (docs/delivery.md)
test-chaos: $(READY)
	$(BIN)/python -m tests.crash $(ARGS)

# ARGS narrows or widens the first table: make bench ARGS='--events 1000000 --rounds 3'
bench: $(READY)
	$(BIN)/python -m benchmarks.peers setup
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.assess
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.longlog --files 2 --rounds 1
	$(BIN)/python -m benchmarks.replay
	$(BIN)/python -m benchmarks.latency --seconds 4
	$(BIN)/python -m benchmarks.commands
	$(BIN)/python -m benchmarks.feeds_fhir
	$(BIN)/python -m benchmarks.feeds_hl7v2

# ARGS narrows it to some of the domain: make mutants ARGS='domain.fees.*'
mutants: $(READY)
	$(BIN)/mutmut run $(ARGS)
	$(BIN)/python -m tests.mutants
	$(BIN)/python -m tests.rule_mutants

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis mutants

# Dateline: two commands need nothing but Python ≥ 3.11 and make: `make ask`, `make test`.
PYTHON ?= python3
Q ?= what did India say about terrorism?
# For pip; e.g. PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu" for CPU-only torch.
PIP_ARGS ?=
# Of the tests; a number, or all cores (up to four).
JOBS ?= logical

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
INSTALL := $(PIP) $(PIP_ARGS) --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help ask ingest serve test check format lock clean browser widget widget-report screenshots
.PHONY: eval eval-answers eval-gate eval-verifier eval-hostile tune tune-answers
.PHONY: bench bench-service bench-store torture model-check soak forget corrupt backups

help: ## list every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "Setting up $(VENV): about 2 GB and a few minutes, once." >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dateline needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade pip
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@echo "Installing what the tests need." >&2
	@$(INSTALL) --editable '.[test]'
	@touch $@

# By way of the environment, so that the shell takes nothing in it for its own. That the articles
# don't say (3) is an answer too.
export QUESTION = $(value Q)

ask: ingest ## answer Q from the articles in seeds/: make ask Q="…"
	@$(BIN)/dateline ask -- "$$QUESTION" || [ $$? = 3 ]

ingest: $(VENV)/installed ## take in seeds/ (a second run changes nothing)
	@$(BIN)/dateline ingest seeds

serve: ingest ## start the service and its demo page on http://127.0.0.1:8000
	@$(BIN)/dateline serve

test: check browser ## check, then run the whole test suite, on JOBS cores (by default all, up to four)
	@SCREENSHOTS=build/screenshots OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) \
		--maxprocesses 4 --dist loadfile

check: $(VENV)/installed-test ## format, lint, types, layers
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log || { cat $(VENV)/lint-imports.log; exit 1; }

format: $(VENV)/installed-test ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

eval: $(VENV)/installed ## measure on the gold questions (DATA="seed path/to/folder")
	@$(BIN)/dateline eval $(DATA)

eval-answers: $(VENV)/installed ## measure the answers beside plain ways to pick sentences (DATA="seed path/to/folder")
	@$(BIN)/dateline eval $(DATA) --baseline lead-3 --baseline bm25-3 --baseline dense-3

eval-gate: $(VENV)/installed ## ask the built-in gold questions and compare with the committed run (ACCEPT=1 rewrites it)
	@$(BIN)/python -m evals.gate $(if $(ACCEPT),--write)

eval-verifier: $(VENV)/installed ## how many falsehoods the verifier finds, and true sentences it withholds (ARGS="path/to/folder")
	@$(BIN)/python -m evals.detector $(ARGS)

eval-hostile: $(VENV)/installed-test ## have an LLM obey a thousand orders; count what gets through, by kind
	@$(BIN)/python -m tests.attacks

tune: $(VENV)/installed ## fit the ranking's weights on gold questions (DATA="news path/to/folder")
	@$(BIN)/python -m evals.tune $(DATA)

tune-answers: $(VENV)/installed ## fit the keyless answerer's weights on gold questions (DATA="seed path/to/folder")
	@$(BIN)/python -m evals.tune_answers $(DATA)

bench: $(VENV)/installed ## measure speed: ratios to a baseline in the same run
	@$(BIN)/python -m evals.bench $(ARGS)

bench-service: $(VENV)/installed-test ## measure the service beside a scripted LLM asked directly (an hour; ARGS="--requests 500")
	@OMP_NUM_THREADS=1 $(BIN)/python -m evals.bench_service $(ARGS)

forget: $(VENV)/installed-test ## delete a thousand articles and look for their bytes (CANARIES=100)
	@CANARIES=$(or $(CANARIES),1000) $(BIN)/python -m pytest -q tests/test_scrubbing.py

corrupt: $(VENV)/installed-test ## damage files in 300 ways; nothing may die of it or go unnoticed (CASES=50)
	@CASES=$(or $(CASES),300) $(BIN)/python -m pytest -q tests/test_corruption.py

backups: $(VENV)/installed-test ## back up under write load a hundred times, and restore each (BACKUPS=20)
	@BACKUPS=$(or $(BACKUPS),100) $(BIN)/python -m pytest -q tests/test_backup.py

bench-store: $(VENV)/installed-test ## measure 100,000 chunks: memory, start, rebuild, with made-up vectors (ARGS="--chunks 20000")
	@OMP_NUM_THREADS=1 $(BIN)/python -m evals.bench_store $(ARGS)

torture: $(VENV)/installed-test ## kill it 1,000 times with a made-up encoder, 50 times with the true one (COUNT= TRUE= ARGS="--target chroma")
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.torture --count $(or $(COUNT),1000) $(ARGS)
	@KILLS=$(or $(TRUE),50) $(BIN)/python -m pytest -q tests/test_kill.py

model-check: $(VENV)/installed-test ## 500 times 50 steps of the library against a dictionary (EXAMPLES= STEPS=)
	@EXAMPLES=$(or $(EXAMPLES),500) STEPS=$(or $(STEPS),50) $(BIN)/python -m pytest -q tests/test_model.py

soak: $(VENV)/installed-test ## 20,000 mixed operations: the curves of memory and disk, soak.json and soak.svg (OPERATIONS=)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.soak --operations $(or $(OPERATIONS),20000) $(ARGS)

screenshots: $(VENV)/installed-test browser ## photograph the widget in every state into build/screenshots
	@SCREENSHOTS=build/screenshots $(BIN)/python -m pytest -q tests/test_widget_access.py

widget-report: $(VENV)/installed-test browser ## what the widget weighs, and each of its tests by name
	@cd api/widget/dist && for file in widget*.js; do echo "$$file: $$(gzip -9 < $$file | wc -c) bytes gzipped"; done
	@$(BIN)/python -m pytest -q -rA --no-header tests/test_widget_*.py tests/test_api_widget.py

widget: ## check and build the chat widget (needs Node 20 with npm; what it builds is committed)
	@cd api/widget && npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent check && npm run --silent build

browser:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null \
	|| command -v google-chrome > /dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null \
	     && apt-get update -qq && apt-get install -yqq chromium > /dev/null 2>&1; } \
	|| echo "No Chromium here, and none can be installed: the browser tests will be skipped." >&2

lock: ## write constraints.txt anew, from a fresh environment
	@rm -rf $(VENV)/lock && $(PYTHON) -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip --quiet install --upgrade pip
	@$(VENV)/lock/bin/python -m pip --quiet install $(PIP_ARGS) torch==2.13.0
	@$(VENV)/lock/bin/python -m pip --quiet install $(PIP_ARGS) '.[test]'
	@$(VENV)/lock/bin/python -m pip freeze --exclude dateline --exclude pip | sed 's/+cpu$$//' > constraints.txt
	@rm -rf $(VENV)/lock

clean: ## remove the environment and what was built (data/ stays)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

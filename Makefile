# Playhead. `make` alone explains the targets; the `playhead` command does the work.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv --quiet
PLAYHEAD := $(BIN)/playhead
INSTALLED := $(VENV)/.installed
NPM := PATH="$(abspath $(BIN)):$$PATH" $(BIN)/npm --silent --prefix clients
BUNDLE := services/playback/bundle/watch.js
COMPILE := --generate-hashes --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28

.DEFAULT_GOAL := help

help: ## explain the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) $(BUNDLE) ## make the Python environment and the browser bundles (every other target does it when needed)

up: setup ## start the engines and our workers
	@$(PLAYHEAD) up

status: setup ## show every process and whether it answers
	@$(PLAYHEAD) status

logs: setup ## show the last log lines; ARGS="history -f" follows one process
	@$(PLAYHEAD) logs $(ARGS)

down: setup ## stop everything; data stay
	@$(PLAYHEAD) down

wipe: setup ## stop everything and delete the stack's data; ARGS=--yes does not ask
	@$(PLAYHEAD) wipe $(ARGS)

demo: setup ## the whole pipeline at work, then its pages; ARGS=--exit ends by itself
	@$(PLAYHEAD) demo $(ARGS)

monitor: setup ## start Prometheus and Alertmanager with our alerts, and the stack if it is down
	@$(PLAYHEAD) monitor

drill: setup ## break things, on the running stack or on one that it starts, and check which alerts page; ARGS=worker-stopped does one
	@$(PLAYHEAD) drill $(ARGS)

JOBS = $(JOB) $(if $(DATE),--date $(DATE)) $(ARGS)
job: setup ## run a Spark job: JOB=tables, features, dashboards, recommend, snapshot or maintain, or several; DATE=2026-11-24; ARGS=--help says what else it takes
	@$(if $(JOB),$(if $(findstring --help,$(ARGS)),,$(PLAYHEAD) job --check $(JOBS) && $(PLAYHEAD) exec --)) $(PLAYHEAD) job $(JOBS)

sql: setup ## open an SQL prompt on the lake's tables
	@$(PLAYHEAD) exec -- $(PLAYHEAD) sql

check: setup docs ## lint, types, layers, docs and the tests that need no engine
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/codespell
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(NPM) run check
	@$(BIN)/pytest tests/unit tests/contract -m "not engines" --numprocesses 2

test: check ## check, then every test on real backends (its own stacks; a demo's data stay); ARGS=--numprocesses=0 takes half the memory
	@$(BIN)/pytest tests --ignore tests/unit --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

soak: setup ## the tests that repeat, in full number: kills, dead nodes, models, a bench; hours
	@SOAK=1 $(BIN)/pytest tests -m soak --numprocesses 0 --timeout 14400 $(ARGS)

coverage: setup ## measure which lines and branches the tests without engines run
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest tests/unit tests/contract -m "not engines" --numprocesses 2
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report $(ARGS)

bench-stream: setup ## compare the hot path with a plain consumer, and measure latency from accepted to visible
	@$(BIN)/python -m bench.stream $(ARGS)

bench-quality: setup ## compare the quality worker with a plain consumer that only decodes
	@$(BIN)/python -m bench.quality $(ARGS)

bench-collector: setup ## CPU of an event that comes as JSON and as CMCD, and of a line by our tokenizer and by a library
	@$(BIN)/python -m bench.collector $(ARGS)

bench-accounts: setup ## what people do with accounts, compared with a bare hash and the smallest query; two minutes; ARGS="--seconds 10"
	@$(BIN)/python -m bench.accounts.main $(ARGS)

bench-chunks: setup ## compare chunks of CompressedVH with simpler encodings (no backends); ARGS=--columns for details
	@$(BIN)/python -m bench.chunks $(ARGS)

bench-batch: setup ## five million events into the tables, one aggregate by Spark and by Polars; ARGS="--events 1000000"
	@$(BIN)/python -m bench.batch $(ARGS)

bench-ledger: setup ## compare the ledger with a program that only reads the same records and objects; ARGS="--events 300000"
	@$(BIN)/python -m bench.ledger $(ARGS)

bench-reads: setup ## what a page and a bounded read of a history decode, needs no engine
	@$(BIN)/python -m bench.reads

bench-history: setup ## compare the two stores with one row per record: disk, reads, writes, maintenance; about twenty minutes
	@$(BIN)/python -m bench.history.main $(ARGS)

bench-edge: setup ## compare the edge at a hit with nginx that serves plain files; needs no backend
	@$(BIN)/python -m bench.edge $(ARGS)

attack: setup ## attack a stack (headers without end, slow sockets, announced megabytes, a giant profile), measure what others notice
	@$(BIN)/python -m bench.attack $(ARGS)

bench-players: setup ## what the SDK reports of a play next to an observer in the page, for each player on a slow line; six minutes
	@$(BIN)/python -m bench.players $(ARGS)

bench-loss: setup ## what is lost of plays that end in every way, by the SDK and by each player's own CMCD; an hour on a busy machine
	@$(BIN)/python -m bench.loss $(ARGS)

bench-upload: setup ## processor time of a video's ladder, compared with one plain ffmpeg command; ARGS=FILE takes another film
	@$(BIN)/python -m bench.upload $(ARGS)

evaluate: setup ## tune and test every recommender; writes docs/benchmarks/recommendations.md
	@$(BIN)/python -m bench.evaluate $(ARGS)

member-lists: setup ## the lists of twenty members of the demo side by side; writes docs/benchmarks/member-lists.md
	@$(PLAYHEAD) exec -- $(BIN)/python -m bench.member_lists $(ARGS)

docs: setup ## build the documentation as a site in site/; a broken link fails
	@report=$$($(BIN)/zensical build --strict --clean 2>&1) || { echo "$$report" | sed -e 's/\x1b\[[0-9;]*m//g' -e '/^Traceback/,$$d' >&2; exit 1; }

reference: setup ## make the pages of docs/reference that come from code
	@$(BIN)/python -m tests.support.reference

package: setup ## build the source archive and the wheel into dist/
	@$(UV) build --python $(BIN)/python --no-build-isolation --out-dir dist

lock: setup ## pin and hash what pyproject.toml asks for; ARGS=--upgrade takes newer versions
	@$(UV) pip compile $(COMPILE) $(ARGS) pyproject.toml -o requirements/run.txt
	@$(UV) pip compile $(COMPILE) $(ARGS) pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
	@echo uv | $(UV) pip compile $(COMPILE) --no-annotate - -c requirements/dev.txt -o requirements/uv.txt
	@$(BIN)/npm install --prefix tests/pages/chromium --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --loglevel=error --no-audit --no-fund >/dev/null
	@$(BIN)/npm install --prefix tests/pages/shaka --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --loglevel=error --no-audit --no-fund >/dev/null
	@$(NPM) install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --loglevel=error --no-audit --no-fund >/dev/null

# uv does the installing; pip only brings uv itself.
$(BIN)/uv: requirements/uv.txt
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: apt-get install python3.11 python3.11-venv, or say which: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "$(PYTHON) is not Python 3.11: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3.11-venv" >&2; exit 1; }
	@echo "make the Python environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# Bytecode is compiled here, once: a worker starts in half the processor time.
$(INSTALLED): $(BIN)/uv requirements/dev.txt pyproject.toml
	@echo "install what Playhead runs on"
	@$(UV) pip sync --python $(BIN)/python --require-hashes --compile-bytecode requirements/dev.txt
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

clients/node_modules/.installed: $(INSTALLED) clients/package-lock.json
	@echo "install what the browser bundles are built with"
	@$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BUNDLE): clients/node_modules/.installed $(wildcard clients/*.json clients/*/src/*.ts)
	@$(NPM) run build

.PHONY: help setup up status logs down wipe demo monitor drill job sql check test coverage soak bench-stream bench-quality bench-collector bench-accounts bench-chunks bench-ledger bench-reads bench-history bench-batch bench-edge bench-players bench-loss bench-upload attack evaluate member-lists docs reference package lock

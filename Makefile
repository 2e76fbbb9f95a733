# `make serve` and `make test` are all a newcomer needs; both set up what they use.

PYTHON ?= python3
VENV := .venv
YARDSTICK ?= ../shared/bench
RUN := $(VENV)/bin/python

.PHONY: help serve test test-databases check crash crash-databases bench clean
.DEFAULT_GOAL := help

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

serve: $(VENV)/.serve ## sets everything up and serves on HOST:PORT (127.0.0.1:3000)
	@exec $(RUN) manage.py serve --setup

test: $(VENV)/.dev ## the whole suite on SQLite
	$(RUN) -m pytest -n 2 $(PYTEST_ARGS)

test-databases: $(VENV)/.dev ## the whole suite on PostgreSQL and on MongoDB, as far as they can be reached
	$(RUN) -m tests.databases $(REQUIRE) $(PYTEST_ARGS)

check: $(VENV)/.dev ## formatting, lint, types, layers, missing migrations
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(RUN) manage.py makemigrations --check --dry-run

crash: $(VENV)/.dev ## kills a marking server KILLS (200) times and looks for lost marks
	$(RUN) -m tests.crash --kills $(or $(KILLS),200)

crash-databases: $(VENV)/.dev ## 50 such kills on each database, and 20 of PostgreSQL's and MongoDB's own servers
	$(RUN) -m tests.databases --crash $(REQUIRE)

bench: $(VENV)/.serve ## this server beside the yardstick on the same load; YARDSTICK=folder, ARGS="--sockets 1000 --runs 3"
	bench/side_by_side.sh $(YARDSTICK) $(ARGS)

clean: ## removes the virtual environment and caches; the database in var/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/.serve: requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(RUN) || { echo "Making the virtual environment $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the packages of requirements.txt …"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.serve
	@echo "Installing the packages of requirements-dev.txt …"
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

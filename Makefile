# `make serve` and `make test` are all a newcomer needs; both set up what they use.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Only files whose hashes the lock has are installed.
INSTALL := $(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes
RELEASE := .venv-release
FUZZING := .venv-fuzzing
# A file's tests stay together, as they share servers.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
# Whose shell sets this would have every start compile the project anew, which takes as long as the start itself.
unexport PYTHONDONTWRITEBYTECODE
VERSION = $(shell sed -nE 's/^__version__ = "(.*)"/\1/p' attendance_project/__init__.py)

.PHONY: help serve test test-all coverage test-databases test-servers check crash crash-databases test-pages bench-pages screenshots fuzz outage slow-requests slow-readers attack \
	fuzz-parsers fuzz-api autobahn messages lock sbom licences audit bench bench-scale bench-docs clean
.DEFAULT_GOAL := help

help: ## lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

serve: $(VENV)/.serve ## sets everything up and serves on HOST:PORT (127.0.0.1:3000); LAN=1: on the network, over HTTPS
	@exec $(RUN) manage.py serve --setup

test: $(VENV)/.dev ## the tests on SQLite, while one waits: all but the long ones, which are few
	$(RUN) -m pytest $(PARALLEL) -m "not long" $(PYTEST_ARGS)

test-all: $(VENV)/.dev ## the whole suite on SQLite
	$(RUN) -m pytest $(PARALLEL) $(PYTEST_ARGS)

coverage: $(VENV)/.dev ## lines and branches that `make test-all` runs, in its servers and commands too
	@rm -rf .coverage && mkdir .coverage
	$(RUN) -m coverage run -m pytest $(PARALLEL) $(PYTEST_ARGS)
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report --fail-under 95

test-databases: $(VENV)/.dev ## the whole suite on PostgreSQL and on MongoDB, as far as they can be reached
	$(RUN) -m tests.programs.databases $(REQUIRE) $(PYTEST_ARGS)

check: $(VENV)/.dev ## formatting, lint, types, layers, missing migrations
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(RUN) manage.py makemigrations --check --dry-run

crash: $(VENV)/.dev ## kills a marking server KILLS (200) times and looks for lost marks
	$(RUN) -m tests.programs.crash --kills $(or $(KILLS),200)

crash-databases: $(VENV)/.dev ## 50 such kills on each database, and 20 of PostgreSQL's and MongoDB's own servers
	$(RUN) -m tests.programs.databases --crash $(REQUIRE)

fuzz: $(VENV)/.dev fuzz-parsers fuzz-api ## those two, and orders of events that tell live clients apart from the journal, for minutes
	HYPOTHESIS_PROFILE=long $(RUN) -m pytest -n 2 tests/services/test_state_machine.py $(PYTEST_ARGS)

fuzz-parsers: $(FUZZING)/.there ## coverage-guided fuzzing of what reads JSON, ids, check-ins and rosters, SECONDS (60) each
	$(FUZZING)/bin/python -m tests.programs.fuzz_parsers --seconds $(or $(SECONDS),60) $(READERS)

fuzz-api: $(VENV)/.dev ## requests that the OpenAPI document allows and forbids, EXAMPLES (30) a route and person
	$(RUN) -m tests.programs.fuzz_api --examples $(or $(EXAMPLES),30)

autobahn: $(VENV)/.dev $(FUZZING)/.there ## the Autobahn test suite's cases against the WebSocket protocol; SECTIONS="1 2 6"
	$(RUN) -m tests.programs.autobahn --client $(FUZZING)/bin/kosoku $(SECTIONS)

outage: $(VENV)/.dev ## two processes that mark while Redis between them is cut off, killed and hangs; ARGS="--seconds 60"
	$(RUN) -m tests.programs.databases --outage $(REQUIRE) $(ARGS)

test-servers: $(VENV)/.dev ## the real-time tests under daphne, granian and uvicorn as it comes
	for server in daphne granian uvicorn; do \
		TEST_SERVER=$$server $(RUN) -m pytest -n 2 tests/realtime --ignore tests/realtime/test_crash.py $(PYTEST_ARGS) || exit 1; \
	done

test-pages: $(VENV)/.dev ## the pages: every page in light and dark, from left and from right, narrow and wide; keyboards, axe-core
	PAGES=all $(RUN) -m pytest $(PARALLEL) tests/web tests/e2e/test_accessibility.py tests/e2e/test_pages.py tests/e2e/test_firefox.py \
		tests/e2e/test_busy_board.py tests/e2e/test_tours.py $(PYTEST_ARGS)

bench-pages: $(VENV)/.dev ## what each page costs a browser, beside its budget, and the board of 30, 300 and 1,000 students
	$(RUN) -m tests.programs.bench_pages

screenshots: $(VENV)/.dev ## docs/pictures/, the pages of a demo school, for docs/pages.md
	$(RUN) -m tests.programs.pictures

slow-requests: $(VENV)/.dev ## opens CONNECTIONS (500) requests that never become whole, and looks whether others are served
	$(RUN) -m tests.programs.slow_requests --connections $(or $(CONNECTIONS),500)

slow-readers: $(VENV)/.dev ## 20 sockets that read nothing, under 500 marks a second for SECONDS (60)
	$(RUN) -m tests.programs.slow_readers --seconds $(or $(SECONDS),60)

attack: $(VENV)/.dev ## attacks a server of its own, ATTACKS (all) for SECONDS (10) each, and measures what a lesson notices
	$(RUN) -m tests.programs.attack --seconds $(or $(SECONDS),10) $(ATTACKS)

bench: $(VENV)/.dev ## this server beside the yardstick on the same load; YARDSTICK=folder, ARGS="--quick --against ../before"
	$(RUN) -m bench $(if $(YARDSTICK),--yardstick $(YARDSTICK)) $(ARGS)

bench-scale: $(VENV)/.dev ## the growth curves, on SQLite or DATABASE_URL; ARGS="--start postgresql" or "--small"
	$(RUN) -m bench.scale $(ARGS)

bench-docs: $(VENV)/.bench ## docs/benchmarks.md and docs/scaling.md, from what those two found
	$(RUN) -m bench.docs $(ARGS)

messages: $(VENV)/.dev ## the catalogues of pages, mails and errors, from code and templates, and compiled; needs gettext
	for catalogues in */locale */*/locale; do for language in es hi fr de ar; do \
		(cd $$catalogues/.. && $(CURDIR)/$(VENV)/bin/django-admin makemessages --locale $$language --no-location --no-obsolete \
			--no-wrap) || exit 1; done; done
	sed -i '/^"POT-Creation-Date/d' */locale/*/LC_MESSAGES/django.po */*/locale/*/LC_MESSAGES/django.po
	for catalogues in */locale */*/locale; do (cd $$catalogues/.. && $(CURDIR)/$(VENV)/bin/django-admin compilemessages) || exit 1; done

lock: $(RELEASE)/.tools ## requirements*.lock, with the hashes of all files of a release, from requirements*.txt and constraints.txt
	for each in requirements requirements-dev requirements-bench requirements-fuzzing requirements-release; do \
		$(RELEASE)/tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
			--custom-compile-command "make lock" --output-file $$each.lock $$each.txt || exit 1; \
	done

sbom: $(RELEASE)/.server ## what the server runs on as a CycloneDX document, dist/live-attendance-VERSION.cdx.json
	@mkdir -p dist
	@{ printf '[project]\nname = "live-attendance"\nversion = "$(VERSION)"\ndependencies = [\n'; \
		sed -nE "s/^([a-z][^;]*==[^; ]*).*/  '\1',/p" requirements.txt; echo ']'; } > $(RELEASE)/pyproject.toml
	$(RELEASE)/tools/bin/cyclonedx-py environment --pyproject $(RELEASE)/pyproject.toml --output-reproducible \
		--output-file dist/live-attendance-$(VERSION).cdx.json $(RELEASE)/server/bin/python

licences: $(RELEASE)/.server ## docs/licences.md, from what the packages say of themselves
	@sed '/^|/,$$d' docs/licences.md > $(RELEASE)/licences.md
	$(RELEASE)/tools/bin/pip-licenses --python $(RELEASE)/server/bin/python --from mixed --format markdown --with-urls >> $(RELEASE)/licences.md
	@cp $(RELEASE)/licences.md docs/licences.md

audit: $(RELEASE)/.tools ## asks the Python advisory database about every package of the locks
	$(RELEASE)/tools/bin/pip-audit --strict --disable-pip --require-hashes -r requirements-bench.lock -r requirements-release.lock

clean: ## removes the virtual environment and caches; the database in var/ stays
	rm -rf $(VENV) $(RELEASE) $(FUZZING) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage

$(VENV)/.serve: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(RUN) || { echo "Making the virtual environment $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the packages of requirements.lock …"
	@$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.serve
	@echo "Installing the packages of requirements-dev.lock …"
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@echo "Installing the packages of requirements-bench.lock …"
	@$(INSTALL) -r requirements-bench.lock
	@touch $@

$(FUZZING)/.there: requirements-fuzzing.lock
	@$(PYTHON) -m venv $(FUZZING)
	@$(FUZZING)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzzing.lock
	@touch $@

# The release's tools and the server have an environment each: an SBOM names what the server runs on, and nothing else.
$(RELEASE)/.tools: requirements-release.lock
	@$(PYTHON) -m venv $(RELEASE)/tools
	@$(RELEASE)/tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-release.lock
	@touch $@

$(RELEASE)/.server: requirements.lock $(RELEASE)/.tools
	@$(PYTHON) -m venv --clear --without-pip $(RELEASE)/server
	@$(RELEASE)/tools/bin/pip --python $(RELEASE)/server/bin/python install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

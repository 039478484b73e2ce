# Twintown. `make` lists what there is. Everything goes through scripts/preflight.sh, which names what this machine lacks
# and, with APT=yes, brings it. GNU make 3.81 (macOS) and newer.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help preflight setup web demo demo-build serve test test-all check format validate bench-sun bench-api bench-trust bench-programme faults-jobs faults-trust repeat types lock clean distclean

RUN := sh scripts/preflight.sh
# Compiled modules are kept from run to run, whatever the shell says: whole minutes of a first `make test` are theirs.
unexport PYTHONDONTWRITEBYTECODE
PYTHON := .venv/bin/python
# Two workers: a test of the kernels wants the second core for itself now and then.
PYTEST := $(PYTHON) -m pytest -q

help: ## what there is
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile | expand -t 20

preflight: ## name what this machine lacks (APT=yes brings it)
	@$(RUN)

setup: ## the environment with the tests' packages, and the page's packages
	@$(RUN) scripts/environment.py dev
	@$(RUN) scripts/page.py packages

web: ## build the page
	@$(RUN) scripts/page.py

demo: ## the two demo twins in a browser, from nothing to one printed address (PORT=8000)
	@$(RUN) scripts/demo.py

demo-build: ## everything of `make demo` but the server
	@DEMO=build $(RUN) scripts/demo.py

test: ## the quick tests, under two minutes
	@$(RUN) scripts/environment.py dev
	@$(PYTEST) -n 2 --dist worksteal -m "not browser and not slow"

test-all: ## all tests: browsers, fuzzing, clients, the page's own
	@$(RUN) scripts/environment.py dev
	@sh scripts/browser.sh
	@sh scripts/clients.sh
	@$(RUN) scripts/demo.py --only-build
	@$(RUN) scripts/page.py npm run --silent test
	@CHROMIUM="$$(sh scripts/browser.sh --path)" $(PYTEST) -n 2 --dist loadgroup

check: ## lint, strict types, the house's rules, the page's types
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports --no-logo
	@$(PYTEST) tests/house
	@$(RUN) scripts/page.py npm run --silent check

format: ## put the code into its usual form
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) -m ruff check --fix --quiet . ; $(PYTHON) -m ruff format .

validate: ## run every validation case and write VALIDATION.md
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) -m validation

bench-sun: ## the headline numbers of the sun, with their peers
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) benchmarks/sun.py

bench-api: ## the numbers of the open door, with pygeoapi and tipg (needs wrk and PostGIS; APT=yes brings them)
	@$(RUN) scripts/environment.py dev
	@sh scripts/clients.sh bench
	@$(PYTHON) benchmarks/api.py

bench-trust: ## the numbers of the handshake: a Grant, two servers until the first byte, the ledger
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) benchmarks/trust.py

bench-programme: ## the numbers of the stand and the stage: plan, prices, certificates, places
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) benchmarks/programme.py

faults-jobs: ## workers killed at 50 random moments: no job lost, none doubled
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) benchmarks/faults_jobs.py

faults-trust: ## servers killed at 100 random moments of a handshake, and every attack: same state on both sides, nothing got out
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) benchmarks/faults_trust.py

repeat: ## every process in two fresh environments, and on every Python that is here: the same digests
	@$(RUN) scripts/environment.py dev
	@$(PYTHON) scripts/repeat.py

types: ## the page's types from the server's OpenAPI
	@$(RUN) scripts/environment.py run
	@$(PYTHON) -m twintown.app openapi > openapi.json
	@$(RUN) scripts/page.py npm run --silent types

lock: ## the locks anew, newest versions that fit pyproject.toml
	@$(RUN) scripts/environment.py dev
	@sh scripts/lock.sh

clean: ## what was built: twins, page, caches (packages stay)
	@rm -rf build dist web/dist web/.vite .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@for city in cities/*/; do \
	  rm -rf "$$city"layers "$$city"tiles "$$city"index "$$city"ledger "$$city"playbooks "$$city"access "$$city"releases "$$city".staging "$$city".lock "$$city".built "$$city"catalog.json \
	    "$$city"state.db "$$city"state.db-shm "$$city"state.db-wal "$$city"owner.token "$$city"peers.toml; \
	done
	@find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## that, and the packages
	@rm -rf .venv web/node_modules

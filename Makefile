PORT ?= 8000
SMTP_PORT ?= 8025
VENV ?= .venv
BIN := $(VENV)/bin

# The first of these that really runs and is new enough.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.PHONY: help demo test test-all lint bench resilience clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.demo ## Run the example site: make demo [PORT=8000] [SMTP_PORT=8025]
	@$(BIN)/python example_site/demo.py --port $(PORT) --smtp-port $(SMTP_PORT)

test: $(VENV)/.dev ## Run the tests that need only Python
	$(BIN)/pytest -n auto -m "not browser and not postgres"

test-all: $(VENV)/.dev ## Run every test; DATABASE_URL names a PostgreSQL server, Chromium is needed
	$(BIN)/pytest -n 2

lint: $(VENV)/.dev ## Check style, layers, types and templates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/djhtml --check wagtail_email_insights example_site

bench: $(VENV)/.dev ## Run the benchmarks
	$(BIN)/python -m benchmarks

resilience: $(VENV)/.dev ## Kill everything 40 times during a send to 10,000, on SQLite and on PostgreSQL with Redis
	$(BIN)/python -m tests.resilience.matrix
	$(BIN)/python -m tests.resilience.matrix --database postgres --broker redis

clean: ## Remove the virtual environment, caches and the demonstration's data
	rm -rf $(VENV) build dist example_site/var .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per extra: installed again only when pyproject.toml has changed.
$(VENV)/.%: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

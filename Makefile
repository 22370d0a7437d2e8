# make run: the whole application with demo data on http://127.0.0.1:8000
# make test: every test, and on both databases those in which these differ
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=
# A file's tests stay together: some share a costly fixture.
PYTEST = $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: run test test-sqlite test-postgresql test-faults test-attack lint fix bench check

run: .venv/run-installed env-keys
	@exec $(BIN)/python manage.py serve

test: test-sqlite test-postgresql

test-sqlite: .venv/dev-installed
	env -u DATABASE_URL $(PYTEST) --share sqlite

test-postgresql: .venv/dev-installed
	$(BIN)/python -m tests.servers $(PYTEST) --share postgresql

# Real workers, broker, mail server and databases, and some hundred faults on each engine: docs/faults.md.
test-faults: .venv/dev-installed
	$(BIN)/python -m tests.faults $(ARGS)

# Scanners and our own checks against the application, on the loopback: docs/attack.md.
test-attack: .venv/dev-installed
	$(BIN)/python -m tests.attack $(ARGS)

lint: .venv/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --quiet --lint templates
	$(PIP) check
	DEBUG=true $(BIN)/lint-imports
	DEBUG=true $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.servers $(BIN)/python -m tests.upgrade
	SECRET_KEY=lint-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOP \
	    FIELD_KEYS=bGludC1vbmx5LTAxMjM0NTY3ODktMDEyMzQ1Njc4OTA= ALLOWED_HOSTS=lint.example READ_DOT_ENV=false \
	    SITE_URL=https://lint.example \
	    AUDIT_KEYS=lint-only-audit-0123456789-abcdefghijklmnopqrstuvwxyz \
	    $(BIN)/python manage.py check --deploy --fail-level WARNING

check: lint test

fix: .venv/dev-installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev-installed
	$(BIN)/python -m tests.servers $(BIN)/python -m tests.bench $(ARGS)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run-installed: requirements.txt | .venv/bin/python
	$(PIP) install -r requirements.txt
	@touch $@

.venv/dev-installed: requirements.txt requirements-dev.txt | .venv/bin/python
	$(PIP) install -r requirements-dev.txt
	@touch $@ .venv/run-installed

# Keys of this machine's own; everything else as the example says.
RANDOM_KEY = $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))'
RANDOM_FIELD_KEY = $(BIN)/python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'
.env: | .venv/bin/python
	@sed "s/^SECRET_KEY=.*/SECRET_KEY=$$($(RANDOM_KEY))/; s/^AUDIT_KEYS=.*/AUDIT_KEYS=$$($(RANDOM_KEY))/; \
	    s/^FIELD_KEYS=.*/FIELD_KEYS=$$($(RANDOM_FIELD_KEY))/" .env.example > $@
	@chmod 600 $@

# An .env of an earlier release lacks the keys that came later.
.PHONY: env-keys
env-keys: .env
	@grep -q '^AUDIT_KEYS=' .env || echo "AUDIT_KEYS=$$($(RANDOM_KEY))" >> .env
	@grep -q '^FIELD_KEYS=' .env || echo "FIELD_KEYS=$$($(RANDOM_FIELD_KEY))" >> .env

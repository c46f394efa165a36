# Two commands are enough: `make plan` and `make test`. Each makes .venv by itself.
STACK ?= dev
PYTHON ?= python3
PY := .venv/bin/python
# Tests that start servers, engines and browsers of their own: one after the other.
ALONE := tests/engine tests/real tests/repo tests/site
# The fast tests write bytecode whatever the environment says (reading the test files anew takes four seconds of each
# worker), and a worker takes neighbours, which read the same plans (--dist worksteal).

.PHONY: plan test test-real lint bench lock docs site clean

plan: .venv/.runtime ## what `pulumi up` would build for STACK, and what is wrong with it
	@.venv/bin/jhub plan $(STACK)

test: .venv/.dev ## fast tests and linters
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n auto --dist worksteal -m "not real" tests
	@$(MAKE) --no-print-directory lint

test-real: .venv/.dev .venv/.site ## what needs servers or minutes, and the real engine where a `pulumi` is on PATH
	@scripts/real_tools.sh
	@PATH="$$PATH:$(CURDIR)/.venv/tools" $(PY) -m pytest -n auto -m real $(ALONE:%=--ignore=%) tests
	@PATH="$$PATH:$(CURDIR)/.venv/tools" $(PY) -m pytest -m real $(ALONE)

lint: .venv/.dev
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

bench: .venv/.dev ## times of `jhub plan`, compared in one run
	@$(PY) -m benchmarks

docs: .venv/.runtime ## the JSON schema and the reference pages, from the models; the schema of the Pulumi package, from the components; the pictures
	@.venv/bin/jhub schema
	@.venv/bin/jhub docs
	@$(PY) -m scripts.site.picture
	@.venv/bin/pulumi-resource-jupyterhub-aws --schema > provider/schema.json
	@$(PY) -m scripts.diagrams
	@$(PY) -m scripts.comparison

site: .venv/.site ## the documentation as a site, in site/: open site/index.html, or put the folder on a server
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict
	@echo "site/index.html"

lock: ## resolve requirements/*.in again
	@PYTHON=$(PYTHON) scripts/lock.sh

clean:
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.venv/.runtime: requirements/setup.txt requirements/runtime.txt pyproject.toml scripts/environment.sh
	@PYTHON=$(PYTHON) scripts/environment.sh runtime

.venv/.dev: .venv/.runtime requirements/dev.txt
	@PYTHON=$(PYTHON) scripts/environment.sh dev

.venv/.site: .venv/.dev requirements/site.txt
	@PYTHON=$(PYTHON) scripts/environment.sh site

# One command per wish. Nothing here needs root, an activated environment or a Python on PATH that works.
#
#   make demo        a simulated home of each brand, a real broker, minutes (ARGS="--json")
#   make test        every distribution's tests on one Python, but the slow (ARGS="-k bus")
#   make test-all    tox: every installed Python, types, lint, imports, docs, wheels
#   make bench       latency against a floor, memory, start-up times       (ARGS="--json")
#   make soak        an hour of simulated homes, every driver and scenario  (ARGS="--minutes 5")
#   make lint        ruff, mypy, import rules; prints the code's size
#   make coverage    make test, counted against the floor
#   make audit       known vulnerabilities in constraints.txt (asks a public service)
#   make constraints resolve every dependency anew into constraints.txt
#   make clean       remove what the others made
#
# SAMSPEL_PYTHON=/path/to/python picks the interpreter by hand.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-all bench soak lint coverage audit constraints clean

# What an activated environment or a personal setting would otherwise bring in.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
unexport UV_PYTHON UV_SYSTEM_PYTHON UV_PROJECT UV_PROJECT_ENVIRONMENT UV_FROZEN UV_NO_BUILD
unexport PYTEST_PLUGINS PYTEST_DISABLE_PLUGIN_AUTOLOAD TOXENV TOX_SKIP_ENV
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Workspace sources would satisfy any version range between our own distributions; this makes ranges count.
export UV_NO_SOURCES := 1
# Relative, since uv splits this variable at spaces and a checkout may sit in a folder whose name has one.
export UV_CONSTRAINT := constraints.txt

PYTHON := .venv/bin/python
UV_INSTALL := $(PYTHON) -m uv pip install --quiet --python $(PYTHON)
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
INPUTS := tools/find-python constraints.txt pyproject.toml core/pyproject.toml sim/pyproject.toml \
	contract_tests/pyproject.toml prequal/pyproject.toml $(PLUGINS:%=%/pyproject.toml)

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/stamp-run
	@.venv/bin/samspel demo $(ARGS)

test: .venv/stamp-dev
	$(PYTHON) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile -m "not slow and not soak" $(ARGS)

test-all: .venv/stamp-dev
	PATH="$$(sh tools/find-python --path)$$PATH" $(PYTHON) -m tox run-parallel --parallel 2 $(ARGS)

bench: .venv/stamp-dev
	$(PYTHON) -m benchmarks $(ARGS)

soak: .venv/stamp-dev
	$(PYTHON) -m pytest -m soak
	$(PYTHON) -m tests.soak.outbox
	$(PYTHON) -m samspel_contract.simulation.soak $(ARGS)

lint: .venv/stamp-dev
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PYTHON) tools/code_size.py

coverage audit: .venv/stamp-dev
	$(PYTHON) -m tox run -e $@

constraints: .venv/stamp-run
	env -u UV_NO_SOURCES -u UV_CONSTRAINT $(PYTHON) -m uv lock --quiet --upgrade
	env -u UV_NO_SOURCES -u UV_CONSTRAINT $(PYTHON) -m uv export --quiet --frozen --all-packages --all-groups --all-extras \
		--no-hashes --no-emit-workspace --no-annotate --no-header --output-file constraints.txt >/dev/null

clean:
	rm -rf .venv .tox dist build htmlcov .coverage .coverage.* uv.lock
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written last, so an environment without its stamp is half made and is made again from nothing.
# The development packages go into the same environment; while they do, the first stamp is away.
.venv/stamp-run: $(INPUTS)
	@python="$$(sh tools/find-python $(SAMSPEL_PYTHON))" && \
		echo "Building .venv with $$python" && \
		"$$python" -I -m venv --clear .venv
	@$(PYTHON) -m pip install --quiet --constraint constraints.txt uv
	@$(UV_INSTALL) --editable core --editable sim $(PLUGINS:%=--editable '%[twin]')
	@touch $@

.venv/stamp-dev: .venv/stamp-run
	@rm $<
	@$(UV_INSTALL) --editable core --editable sim $(PLUGINS:%=--editable %) --editable contract_tests \
		--editable 'prequal[parquet]' --group dev
	@$(PYTHON) -m uv pip check --quiet --python $(PYTHON)
	@touch $< $@

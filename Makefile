# Without a uv on the path that knows dependency groups (0.4.27), one is installed into .uv/. Not into .venv/, which uv
# itself makes anew.
UV := $(if $(shell uv run --help 2>/dev/null | grep -e --only-group),uv,.uv/bin/uv)
OWN_UV := $(filter .uv/%,$(UV))
# Without assertions tests prove nothing.
unexport PYTHONOPTIMIZE

# Variables that are meant for another project, or would leave out what the targets need.
unexport VIRTUAL_ENV UV_PROJECT UV_WORKING_DIR UV_WORKING_DIRECTORY
unexport UV_NO_DEFAULT_GROUPS UV_NO_DEV UV_NO_EDITABLE UV_NO_GROUP UV_NO_PROJECT UV_NO_SYNC
unexport PIP_PREFIX PIP_PYTHON PIP_ROOT PIP_TARGET

# A container's user has no home to write to: uv's cache is in .uv/ then.
export HOME := $(if $(shell test -w "$$HOME" && echo yes),$(HOME),$(CURDIR)/.uv)

# The one part of the service that is Python without being baked. Ruff's other configuration there isn't TOML yet.
FOUNDATION := '{{cookiecutter.project_slug}}/src/{{cookiecutter.project_slug}}/foundation'
RUFF_OPTIONS := --config pyproject.toml . $(FOUNDATION)

# Several processes; what wants to be alone on the machine comes last.
TOGETHER := -n auto --no-loadscope-reorder --durations 10

.PHONY: help demo test test-quick test-browser test-pgbouncer test-systemd test-ha bench pictures check

help:  ## print this
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

demo: $(OWN_UV)  ## bake the defaults into build/ and serve them, on embedded PostgreSQL
	$(UV) run --only-group bake python -m cookiecutter . --no-input --default-config --overwrite-if-exists --output-dir build
	$(MAKE) -C build/name_service run UV=$(if $(OWN_UV),../../)$(UV)

test: $(OWN_UV)  ## run the tests, those of the projects it bakes included (a quarter of an hour on two cores)
	$(UV) run python -m pytest $(TOGETHER)

test-quick: $(OWN_UV)  ## bake and check without running what was baked (a minute)
	$(UV) run python -m pytest --quick $(TOGETHER)

test-browser: $(OWN_UV)  ## run the tests that need Chromium, which is not on PyPI
	$(UV) run python -m pytest -m browser

test-pgbouncer: $(OWN_UV)  ## run the tests that need PgBouncer, which is not on PyPI
	$(UV) run python -m pytest -m pgbouncer

test-systemd: $(OWN_UV)  ## run the tests that need systemd-analyze, which only Linux has
	$(UV) run python -m pytest -m systemd

test-ha: $(OWN_UV)  ## run the service on a cluster of Patroni's that fails (on Linux; four minutes)
	$(UV) run python -m pytest -m ha

bench: $(OWN_UV)  ## measure the service beside its peers (needs wrk and PgBouncer; half an hour, or see BENCH="--help")
	$(UV) run --group bench python -m benchmarks $(BENCH)

pictures: $(OWN_UV)  ## make the pictures of the documentation (needs Chromium and Graphviz)
	$(UV) run python -m harness.pictures

check: $(OWN_UV)  ## check format, lint and types of the template's own code, the service's foundation included
	$(UV) run ruff format --check $(RUFF_OPTIONS)
	$(UV) run ruff check $(RUFF_OPTIONS)
	$(UV) run python -m mypy
	$(UV) run python -m harness.unbaked

.uv/bin/uv:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv is missing: install it (on Debian: apt-get install python3-venv), or uv."; exit 1; }
	python3 -m venv .uv
	.uv/bin/python -m pip install --no-user --quiet --disable-pip-version-check uv

# Where there is no uv, one is put into .uv/, apart from the environment that it makes in .venv/.
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)

.PHONY: help demo test test-quick test-browser test-pgbouncer test-systemd bench check

help:  ## print this
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' Makefile

demo: $(UV)  ## bake the defaults into build/ and serve them, on embedded PostgreSQL
	$(UV) run cookiecutter . --no-input --overwrite-if-exists --output-dir build
	$(MAKE) -C build/name_service run UV=$(if $(filter .uv/%,$(UV)),../../)$(UV)

# Several processes; what wants to be alone on the machine comes last, in one.
TOGETHER := -n auto --dist loadgroup --no-loadscope-reorder --durations 10

test: $(UV)  ## run the tests, those of the projects it bakes included (a quarter of an hour)
	$(UV) run pytest $(TOGETHER)

test-quick: $(UV)  ## bake and check without running what was baked (a minute)
	$(UV) run pytest --quick $(TOGETHER)

test-browser: $(UV)  ## run the tests that want Chromium, which is not on PyPI
	$(UV) run pytest -m browser

test-pgbouncer: $(UV)  ## run the tests that want PgBouncer, which is not on PyPI
	$(UV) run pytest -m pgbouncer

test-systemd: $(UV)  ## run the tests that want systemd-analyze, which only Linux has
	$(UV) run pytest -m systemd

bench: $(UV)  ## measure the service beside its peers (wants wrk; ten minutes, or see BENCH="--help")
	$(UV) run --group bench python -m benchmarks $(BENCH)

check: $(UV)  ## check format, lint and types of the template's own code
	$(UV) run ruff format --check
	$(UV) run ruff check
	$(UV) run mypy

.uv/bin/uv:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "Python's venv is missing: install it (on Debian: apt-get install python3-venv), or uv."; exit 1; }
	python3 -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

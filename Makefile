# Every command there is; `make` alone lists them. Each is thin: the work is in Python.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test check fix bench bench-peers bench-scale chaos screenshots front messages lock clean

VENV := .venv
BIN := $(VENV)/bin
PREGON := $(BIN)/python -m pregon
VENDOR := pregon/panel/static/vendor/icons.svg
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
# The first Python that is new enough; name another with `make PYTHON=...` before the first start.
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11 python3.14,$(shell \
  $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
SEED ?= 1

# Nothing is written outside of this folder (and PREGON_HOME): the caches stay here as well.
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export npm_config_cache ?= $(CURDIR)/.cache/npm
export PLAYWRIGHT_BROWSERS_PATH ?= $(CURDIR)/.cache/playwright
# Where the system has no Node, npm comes from the environment.
export PATH := $(PATH):$(CURDIR)/$(BIN)

help: ## esta lista
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# exec: a signal to make then reaches the supervisor itself, and nothing stays behind.
run: $(VENV)/base.stamp $(VENDOR) $(CATALOGUES) ## todo en este equipo: panel, avisos, envíos y práctica (PORT=8000 PREGON_HOME=var ARGS=--no-demo)
	@exec $(PREGON) run $(ARGS)

demo: $(VENV)/base.stamp ## crea o repara el negocio de ejemplo
	@exec $(PREGON) manage seed_demo

test: $(VENV)/dev.stamp $(VENDOR) $(CATALOGUES) ## todas las pruebas, con PostgreSQL y Chromium de verdad (ARGS="tests/lib -x")
	@sh scripts/chromium.sh $(BIN)/python
	@exec $(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.stamp $(VENDOR) ## estilo, tipos, capas, migraciones, traducciones y plantillas
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PREGON) manage makemigrations --check --dry-run
	$(BIN)/python scripts/messages.py check
	$(BIN)/djlint pregon --lint --quiet --extend-exclude pregon/simulator
	$(BIN)/djlint pregon/simulator --lint --quiet --profile jinja --ignore H006,H015,H021,H030,H031,T002,J004,J018

fix: $(VENV)/dev.stamp ## lo que ruff corrige solo
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp $(VENDOR) ## las medidas, en una tabla y en var/bench/latest.json (ONLY=send,page)
	@exec $(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

bench-peers: $(VENV)/dev.stamp $(VENDOR) .cache/peers/.stamp ## lo mismo con pywa, Celery y procrastinate; pide redis-server (ARGS="--latency 150 --only pregón,pywa")
	@exec $(BIN)/python -m bench.peers $(ARGS)

bench-scale: $(VENV)/dev.stamp $(VENDOR) ## varios equipos con un PostgreSQL del sistema; pide el paquete postgresql (ONLY=takeover,rates)
	@exec $(BIN)/python -m bench.scale $(if $(ONLY),--only $(ONLY))

chaos: $(VENV)/dev.stamp $(VENDOR) ## mata, congela y desconecta a mitad de un envío, y cuenta (ONLY=worker_kills KILLS=200 MESSAGES=10000 SEED=1)
	@exec $(BIN)/python -m tests.chaos --seed $(SEED) $(if $(ONLY),--only $(ONLY)) $(if $(KILLS),--kills $(KILLS)) $(if $(MESSAGES),--messages $(MESSAGES))

screenshots: $(VENV)/dev.stamp $(VENDOR) $(CATALOGUES) ## las capturas del README
	@sh scripts/chromium.sh $(BIN)/python
	@exec $(BIN)/python -m scripts.screenshots $(ARGS)

front: $(VENDOR) ## estilos, programas, letra e iconos del panel, de npm

messages: $(CATALOGUES) ## compila las traducciones

lock: $(VENV)/base.stamp ## fija requirements/*.txt según pyproject.toml (UPGRADE=1 toma versiones nuevas)
	$(PIP) uv
	sh scripts/lock.sh $(BIN)/uv $(if $(UPGRADE),--upgrade)

clean: ## quita lo que hacen estas órdenes, menos var/
	rm -rf $(VENV) .cache node_modules pregon/panel/static/vendor $(CATALOGUES)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Pregón necesita Python 3.11 o posterior. Instálalo y repite la orden."; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "A $(PYTHON) le falta venv. En Debian y Ubuntu: apt-get install python3-venv. Luego repite la orden."; exit 2; }
	@echo "Se prepara el entorno de Python en $(VENV)."
	@$(PYTHON) -m venv $(VENV)

# --no-build-isolation: what builds this folder's own package is locked with the rest.
$(VENV)/base.stamp: requirements/base.txt pyproject.toml | $(BIN)/python
	@echo "Se instalan las dependencias de Python."
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/base.txt pyproject.toml | $(BIN)/python
	@echo "Se instalan las dependencias de Python y las de las pruebas."
	@$(PIP) --require-hashes -r $<
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(VENV)/base.stamp $@

.cache/peers/.stamp: requirements/peers.txt | $(BIN)/python
	@echo "Se instala aquello con lo que se compara."
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

node_modules/.stamp: package-lock.json package.json .npmrc | $(BIN)/python
	@command -v npm >/dev/null || $(PIP) --require-hashes -r requirements/node.txt
	@echo "Se instalan las dependencias del panel."
	@npm ci --no-update-notifier --no-progress --loglevel=error
	@touch $@

# The sprite holds the icons that the sources name, so it follows them.
$(VENDOR): node_modules/.stamp scripts/build_front.mjs $(shell find pregon -name vendor -prune -o -name '*.html' -print -o -name '*.js' -print -o -name '*.py' -print)
	@npm run --silent build
	@touch $@

%.mo: %.po | $(VENV)/base.stamp
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

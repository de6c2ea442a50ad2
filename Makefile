# tfrec: `make` lists the targets. `make train` and `make test` work as the first command in a fresh clone.
PYTHON ?= python3
VENV   ?= .venv
CONFIG ?= configs/demo.yaml
SET    ?=
Q      ?= red leather sofa
K      ?= 10
PORT   ?= 8500
PAGE   ?= 8080
WORKERS ?= 2
BENCHMARKS ?= prepare_scale training_speed retrieval_scale serving serving_swap serving_soak serving_fuzz synthesis_speed

BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TFREC  := $(BIN)/tfrec
ARGS   := --config $(CONFIG) $(foreach s,$(SET),--set $(s))

.DEFAULT_GOAL := help
.PHONY: help setup train evaluate export serve query demo tune test test-all test-beam lint docs bench dist clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/' | expand -t 14

$(STAMP): setup.py constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v <= (3, 13) else "tfrec needs Python 3.10 to 3.13, but $(PYTHON) is %d.%d: run make with PYTHON=python3.11" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(STAMP) ## make the virtual environment (.venv) with the tested versions

train: $(STAMP) ## prepare, train, evaluate and export (CONFIG=configs/demo.yaml SET="training.max_minutes=3")
	$(TFREC) train $(ARGS)

evaluate: $(STAMP) ## measure the trained model beside BM25 and the zero-shot encoder
	$(TFREC) evaluate $(ARGS)

export: $(STAMP) ## write the next version of the SavedModel
	$(TFREC) export $(ARGS)

serve: $(STAMP) ## start the embedded server on the newest export (PORT=8500)
	$(TFREC) serve --config $(CONFIG) --port $(PORT)

query: $(STAMP) ## ask the running server (Q="red leather sofa" K=10)
	@$(TFREC) query "$(Q)" --config $(CONFIG) --k $(K) --target 127.0.0.1:$(PORT)

demo: $(STAMP) ## open a search page on the newest export (PAGE=8080)
	$(TFREC) demo --config $(CONFIG) --port $(PAGE)

tune: $(STAMP) ## search learning rates and regularisation with KerasTuner (SET="tune.minutes=40 tune.space=wide")
	$(TFREC) tune $(ARGS)

test: $(STAMP) ## run the tests, in two processes (WORKERS=2); those marked slow are left out
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

test-all: $(STAMP) ## run all tests, the slow ones too (histories of commands, random kills, real data)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile -m '' --hypothesis-profile=full

test-beam: ## make Apache Beam's own environment, build/beam, run its tests there, compare 10^6 purchases prepared both ways
	$(PYTHON) -m venv build/beam
	build/beam/bin/python -m pip install --quiet --editable '.[beam,testing]'
	build/beam/bin/python -m pytest -m '' tests/data/test_beam_purchases.py tests/export/test_beam.py
	build/beam/bin/python benchmarks/beam_purchases.py

lint: $(STAMP) docs ## ruff, mypy, the order of the layers, and the docs without a warning
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

docs: $(STAMP) ## build the documentation into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build

bench: $(STAMP) ## install the [bench] extra and run every benchmark that needs no data of yours (an hour)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,bench]'
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

dist: $(STAMP) ## build wheel and sdist, install the wheel in an empty environment elsewhere, and use it there
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	benchmarks/smoke_wheel.sh dist constraints.txt $(PYTHON)

clean: ## remove runs, caches and the virtual environment
	rm -rf $(VENV) runs build dist downloads benchmarks/results *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

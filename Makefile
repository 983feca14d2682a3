# Needs Python 3.11 or later and make; everything else goes into .venv.

PYTHON ?= $(shell for name in python3.11 python3 python; do \
    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    2>/dev/null && { echo $$name; break; }; done)
RUNS ?= runs
WORKERS ?= 2
# What is reported: RUNS/SET/NAME/classifier.keras of each run, and its flow.
SET ?= digits

BIN := .venv/bin
INSTALLED := .venv/installed
SPHINX := .venv/installed-docs
DIGITS = $(RUNS)/digits
FLOW = $(DIGITS)/flow/flow.keras
MADE = $(RUNS)/$(SET)
REPORT = $(MADE)/report
EMPTY :=
COMMA := ,
FOUND = $(patsubst %/classifier.keras,%,$(wildcard $(MADE)/*/classifier.keras))
LISTED = $(subst $(EMPTY) ,$(COMMA),$(strip \
    $(filter %/standard,$(FOUND)) $(filter-out %/standard,$(FOUND))))
TRAIN = $(BIN)/python train/main.py --flagfile=train/configs/digits

export KERAS_BACKEND := tensorflow
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help quickstart report calibration study diagnosis results smoke-methods test test-all \
    lint docs wheel clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' \
	    $(MAKEFILE_LIST)

quickstart: $(INSTALLED)  ## train and attack three classifiers of digits
	$(TRAIN)_flow.cfg --workdir=$(DIGITS)/flow
	$(TRAIN)_standard.cfg --workdir=$(DIGITS)/standard
	$(TRAIN)_at.cfg --workdir=$(DIGITS)/at
	$(TRAIN)_ijsat.cfg --workdir=$(DIGITS)/ijsat --flow=$(FLOW)
	$(BIN)/python eval/main.py --flagfile=eval/configs/digits.cfg \
	    --runs=$(DIGITS)/standard,$(DIGITS)/at,$(DIGITS)/ijsat \
	    --flow=$(FLOW) --picture=$(DIGITS)/jsa.png --compare=pgd20
	@echo
	@echo "The flow, the classifiers and the picture are in $(DIGITS). Next:"
	@echo "  make report    # checks and figures of these runs on one page"
	@echo "  $(BIN)/python eval/main.py --dataset=digits --epsilon=0.15" \
	    "--attacks=autoattack --runs=$(DIGITS)/standard,$(DIGITS)/ijsat"

report: $(INSTALLED)  ## tables, figures and a page of RUNS/SET, SET=digits
	@test -n "$(LISTED)" || { echo "There is no classifier in" \
	    "$(MADE)/*/classifier.keras: train first, by make quickstart for" \
	    "the digits." >&2; exit 1; }
	$(BIN)/python eval/main.py --flagfile=eval/configs/$(SET)_report.cfg \
	    --runs=$(LISTED) --flow=$(MADE)/flow/flow.keras $(FLAGS)
	$(BIN)/python eval/figures.py \
	    --flagfile=eval/configs/$(SET)_figures.cfg --runs=$(LISTED) \
	    --flow=$(MADE)/flow/flow.keras --output=$(REPORT) $(FLAGS)
	for format in markdown csv latex; do \
	    $(BIN)/python eval/report.py --table=1 --runs=$(MADE) \
	        --format=$$format --output=$(REPORT)/table1.$$format || exit; \
	done
	$(BIN)/python eval/report.py --html=$(REPORT)/index.html \
	    --runs=$(MADE) --figures=$(REPORT)

calibration: $(INSTALLED)  ## choose the study's latent radius (CIFAR-10)
	$(BIN)/python reproduction/calibration.py --root=$(RUNS)/study $(FLAGS)

study: $(INSTALLED)  ## run what the study lacks: days (CIFAR-10)
	$(BIN)/python reproduction/study.py --root=$(RUNS)/study $(FLAGS)

diagnosis: $(INSTALLED)  ## why IJSAT may fall short of AT: hours (CIFAR-10)
	$(BIN)/python reproduction/diagnosis.py --root=$(RUNS)/study $(FLAGS)

results: $(INSTALLED)  ## the study's tables, verdicts and curves
	$(BIN)/python reproduction/pages.py $(FLAGS)

smoke-methods: $(INSTALLED)  ## train each method a little (CIFAR-10)
	rm -rf $(RUNS)/smoke
	$(BIN)/python tests/endurance/smoke_methods.py $(RUNS)/smoke

TEST = $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations=20

test: lint  ## lint, then the tests (WORKERS=2 processes)
	$(TEST) -m "not variant"

test-all: lint  ## lint, then every test: all rows of the catalogue, all pages
	$(TEST)

lint: $(INSTALLED)  ## check format and style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

docs: $(SPHINX)  ## run the code of the pages, build them and the reference
	rm -rf .build/docs
	mkdir -p .build/docs
	cp -r docs .build/docs/source
	$(BIN)/python -m sphinx -q -W --keep-going \
	    .build/docs/source .build/docs/html
	@echo "Pages: .build/docs/html/index.html"

wheel: $(INSTALLED)  ## build dist/*.whl
	rm -rf .build dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
	    --wheel-dir dist .
	@ls dist/*.whl

clean:  ## remove builds and caches, but neither .venv nor runs
	rm -rf .build dist ./*.egg-info .pytest_cache .ruff_cache
	find ijsat_tf train eval reproduction tests -name __pycache__ -prune \
	    -exec rm -rf {} +

# With compat, a script in the folder above the clone imports the library, and
# not the clone's own folder, which has the same name.
$(INSTALLED): requirements.txt setup.py
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later was found;" \
	    "name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@echo "Installing requirements.txt into .venv; this takes minutes."
	$(BIN)/python -m pip install --quiet -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation \
	    --config-settings editable_mode=compat --editable .
	touch $@

$(SPHINX): docs/requirements.txt $(INSTALLED)
	@echo "Installing docs/requirements.txt into .venv."
	$(BIN)/python -m pip install --quiet -r docs/requirements.txt
	touch $@

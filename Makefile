# Thin on purpose: each target is one or two commands that can be typed without make.
.DEFAULT_GOAL := help
.PHONY: help install book serve test lint bench labs labs-check labs-grade lock clean FORCE

PY := .venv/bin/python
STAMP := .venv/.installed
PORT ?= 8000
SETTINGS := BUDGET SEEDS DEVICE FRESH WORKERS EXECUTOR SUBMISSIONS PYTHON PORT ARGS

# Make itself takes any name for a setting: a misspelt one would be ignored without a word.
given := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
unknown := $(filter-out $(SETTINGS) SHELL MAKEFLAGS GNUMAKEFLAGS -%,$(given))
ifneq ($(strip $(unknown)),)
$(error unknown setting: $(unknown); allowed: $(SETTINGS). See `make help`)
endif

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-zA-Z%-]*:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "Settings of make chapter-NAME; one that is left out or empty takes a sensible default:"
	@echo "  BUDGET=quick|paper (psmnist: reduced too)  SEEDS=0,1,2  DEVICE=auto|cpu|cuda  FRESH=1 (compute all anew)"
	@echo "  WORKERS=2 (jobs at a time; left out: one per core, as memory allows)"
	@echo "  EXECUTOR=processes|threads|dask:ADDRESS|submitit (where they run; see book/cluster.md)"
	@echo "Settings of make labs-grade: SUBMISSIONS=FOLDER  WORKERS=2  FRESH=1 (grade all anew)  ARGS='--lab lab1-cell'"
	@echo "Others: PORT=8000 (serve)  ARGS='-k name' (pytest, benchmarks, labs)  PYTHON=python3.12 (install)"
	@echo "RNNKIT_DATA=FOLDER in the environment: where FOLDER/mnist holds the four MNIST files."

install: $(STAMP) ## Set up .venv with the locked environment; the targets below do it when they have to

book: $(STAMP) ## Build the book from its committed records into build/site
	$(PY) -m rnnkit build

chapter-%: $(STAMP) FORCE ## Compute a chapter's missing records, execute its notebooks, rebuild its pages
	$(PY) -m rnnkit render $* $${BUDGET:+--budget "$$BUDGET"} $${SEEDS:+--seeds "$$SEEDS"} \
	  $${DEVICE:+--device "$$DEVICE"} $${WORKERS:+--workers "$$WORKERS"} \
	  $${EXECUTOR:+--executor "$$EXECUTOR"} $(if $(filter-out 0 no false,$(FRESH)),--fresh)

serve: $(STAMP) ## Serve the built book on this machine
	@test -e build/site/index.html || { echo "There is no book yet in build/site; run: make book" >&2; exit 1; }
	@echo "The book is at http://127.0.0.1:$(PORT)/ (Ctrl-C ends it)"
	@$(PY) -m http.server --bind 127.0.0.1 --directory build/site $(PORT)

test: $(STAMP) ## Run the tests
	$(PY) -m pytest $(ARGS)

lint: $(STAMP) ## Check style, types, who imports whom, and that notebooks hold no outputs
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m pytest -q tests/unit/test_import_rules.py tests/unit/test_notebook_sources.py

bench: $(STAMP) ## Time this library against what a user would pick instead
	$(PY) -m benchmarks $(ARGS)

labs: $(STAMP) ## Write the labs' student versions into build/labs
	$(PY) -m rnnkit labs release $(ARGS)

labs-check: $(STAMP) ## Run the labs' solutions and wrong submissions to the marks that they deserve
	$(PY) -m rnnkit labs check $${WORKERS:+--workers "$$WORKERS"} $(ARGS)

labs-grade: $(STAMP) ## Grade a class: make labs-grade SUBMISSIONS=FOLDER
	@test -n "$${SUBMISSIONS:-}" || { echo "Say where the submissions are: make labs-grade SUBMISSIONS=FOLDER" >&2; exit 2; }
	$(PY) -m rnnkit labs grade "$$SUBMISSIONS" $${WORKERS:+--workers "$$WORKERS"} \
	  $(if $(filter-out 0 no false,$(FRESH)),--fresh) $(ARGS)

lock: $(STAMP) ## Compile requirements.txt anew from pyproject.toml; versions stay unless ARGS=--upgrade
	CUSTOM_COMPILE_COMMAND="make lock" $(PY) -m piptools compile --quiet --extra cluster --extra dev --extra labs --strip-extras \
	  --annotation-style line --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --allow-unsafe --output-file requirements.txt $(ARGS) pyproject.toml
	@# The lock serves every platform: no local build of torch, none of the CUDA packages of Linux.
	@sed -e 's/^\(torch==[^+ ]*\)+[a-z0-9.]*/\1/' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton/d' \
	  requirements.txt > .requirements.tmp && mv .requirements.tmp requirements.txt

clean: ## Remove build/; your own records and checkpoints in .rnnkit stay
	rm -rf build

$(STAMP): requirements.txt pyproject.toml
	@new_enough='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'; \
	if ! $(PY) -c "$$new_enough; import pip" 2>/dev/null; then \
	  for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3 python) none; do \
	    if "$$python" -c "$$new_enough" >/dev/null 2>&1; then break; fi; \
	  done; \
	  if [ "$$python" = none ]; then \
	    echo "No Python 3.11 or newer with its venv module was found$(if $(PYTHON), as $(PYTHON))." >&2; \
	    echo "On Debian and Ubuntu: apt-get install python3-venv. Elsewhere: https://www.python.org/downloads" >&2; \
	    echo "If it is installed under another name: make install PYTHON=/path/to/python3" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making .venv with $$("$$python" --version)"; \
	  "$$python" -m venv --clear .venv; \
	fi
	@$(PY) -m pip install --disable-pip-version-check -r requirements.txt && \
	  $(PY) -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e . || { \
	  echo "The installation stopped; it needs the network once. Run the same command again to go on." >&2; \
	  exit 1; }
	@touch $@

FORCE:

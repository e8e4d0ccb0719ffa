# Every verb sets up what it needs, inside this folder, from Python >= 3.11, pip and make alone.
# `make` lists the verbs; `make check` and `make test` are what CI runs.

SHELL := /bin/sh
.DEFAULT_GOAL := verbs
LOCAL_DIR ?= .local
CAMPUS ?= 1
export SAM_CLI_TELEMETRY = 0

# Lambda runs Python 3.13: the first 3.13 found, else the newest Python at hand (3.11 at least).
PYTHON313 := $(shell for p in $$(command -v python3.13) "$$(pyenv root 2>/dev/null)"/versions/3.13*/bin/python3.13; do \
	"$$p" -c 'import ensurepip' 2>/dev/null && echo "$$p" && break; done)
PYTHON ?= $(or $(PYTHON313),python3)

BIN := .venv/bin
PY := $(BIN)/python

.PHONY: verbs
verbs: ## list the verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- environments -------------------------------------------------------------------------------------------

.tools/.ready: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -m venv --clear .tools
	@.tools/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.ready: .tools/.ready requirements/dev.txt pyproject.toml
	@test -x $(PY) || .tools/bin/uv venv --quiet --python $(PYTHON) .venv
	@.tools/bin/uv pip sync --quiet --python $(PY) --require-hashes requirements/dev.txt
	@.tools/bin/uv pip install --quiet --python $(PY) --no-deps --editable .
	@touch $@

.sam/.ready: .tools/.ready requirements/sam.txt
	@test -x .sam/bin/python || .tools/bin/uv venv --quiet --python $(PYTHON) .sam
	@.tools/bin/uv pip sync --quiet --python .sam/bin/python --require-hashes requirements/sam.txt
	@touch $@

lock: .tools/.ready ## write the lock files anew
	@requirements/lock.sh

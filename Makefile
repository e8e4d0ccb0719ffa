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

.PHONY: verbs lock
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

# An LTI platform that others wrote, for the tests alone.
.platform/.ready: .tools/.ready requirements/platform.txt
	@test -x .platform/bin/python || .tools/bin/uv venv --quiet --python $(PYTHON) .platform
	@.tools/bin/uv pip sync --quiet --python .platform/bin/python --require-hashes requirements/platform.txt
	@touch $@

.guard/.ready: .tools/.ready requirements/guard.txt requirements/guard/package-lock.json
	@test -x .guard/bin/python || .tools/bin/uv venv --quiet --python $(PYTHON) .guard
	@.tools/bin/uv pip sync --quiet --python .guard/bin/python --require-hashes requirements/guard.txt
	@cp requirements/guard/*.json .guard/
	@! command -v npm >/dev/null || (cd .guard && npm ci --silent --ignore-scripts --legacy-peer-deps && \
		find node_modules -name cfn-guard -type f -exec chmod +x {} +)
	@touch $@

# AWS, emulated: what `make e2e` deploys to.
.emulator/.ready: .tools/.ready requirements/emulator.txt
	@test -x .emulator/bin/python || .tools/bin/uv venv --quiet --python $(PYTHON) .emulator
	@.tools/bin/uv pip sync --quiet --python .emulator/bin/python --require-hashes requirements/emulator.txt
	@touch $@

.bench/.ready: .tools/.ready requirements/bench.txt
	@test -x .bench/bin/python || .tools/bin/uv venv --quiet --python $(PYTHON) .bench
	@.tools/bin/uv pip sync --quiet --python .bench/bin/python --require-hashes requirements/bench.txt
	@touch $@

lock: .tools/.ready ## write the lock files anew
	@requirements/lock.sh

# --- running ------------------------------------------------------------------------------------------------

.PHONY: run invoke event
run: .venv/.ready ## start the tool and Campus, the LMS simulator, on this machine (TOOL_PORT, CAMPUS_PORT, CAMPUS=0)
	@CAMPUS=$(CAMPUS) LOCAL_DIR=$(LOCAL_DIR) exec $(PY) -m local.run

invoke: .venv/.ready ## run one handler on a sample event: make invoke FUNCTION=launch EVENT=events/launch.json
	@exec $(PY) -m local.invoke $(FUNCTION) $(EVENT)

event: .venv/.ready ## print that event filled in, to pipe into `sam local invoke -e -`
	@exec $(PY) -m local.invoke --print $(FUNCTION) $(EVENT)

# --- checking -----------------------------------------------------------------------------------------------

.PHONY: test unit check format validate
test: .venv/.ready .platform/.ready ## run every test
	@$(PY) -m pytest -n 2 --dist loadfile

unit: .venv/.ready ## run the tests that need no running stack: a few seconds
	@$(PY) -m pytest -q tests/domain tests/use_cases tests/adapters tests/functions tests/conformance

check: .venv/.ready validate guard ## style, types, import layers, template: what CI runs beside the tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

validate: .venv/.ready .sam/.ready
	@$(BIN)/cfn-lint --append-rules cfn_lint_serverless.rules -- template.yaml
	@.sam/bin/sam validate --lint
	@.sam/bin/sam validate --region us-east-1

# The binaries that the package brings: bin/ubuntu and bin/macos, x86_64 and aarch64.
CFN_GUARD = .guard/node_modules/@cdklabs/cdk-validator-cfnguard/bin/$(if $(filter Darwin,$(shell uname -s)),macos,ubuntu)/$(subst arm64,aarch64,$(shell uname -m))/cfn-guard

.PHONY: guard
guard: .guard/.ready ## hold template.yaml to checkov's rules and the house rules of template.guard (npm brings cfn-guard)
	@BC_SKIP_MAPPING=TRUE .guard/bin/checkov --config-file .checkov.yaml --file template.yaml
	@test -x $(CFN_GUARD) || { echo "cfn-guard comes by npm, which is not here: template.guard was NOT checked" >&2; test -z "$$CI"; exit; }; \
	$(CFN_GUARD) validate --data template.yaml --rules template.guard --show-summary fail

.PHONY: openapi
openapi: .venv/.ready ## write docs/openapi.json, the vendor's API, anew
	@PYTHONPATH=layers/shared $(PY) -m functions.vendor.openapi > docs/openapi.json

.PHONY: bench
bench: .bench/.ready ## measure the budgets of docs/budgets.md; `make build` first, for the artefact
	@PYTHONPATH=layers/shared exec .bench/bin/python -m bench

.PHONY: chaos
chaos: .venv/.ready ## 10,000 scores for three platforms that misbehave, ten dying senders: what became of each (SCORES=n)
	@PYTHONPATH=layers/shared exec $(PY) -m bench.chaos $(SCORES)

format: .venv/.ready ## format the Python code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# --- building -----------------------------------------------------------------------------------------------

.PHONY: e2e
e2e: .venv/.ready .sam/.ready .emulator/.ready ## deploy the stack to an AWS emulator, do the main job there, remove it
	@PATH="$(CURDIR)/.tools/bin:$(dir $(PYTHON313)):$$PATH" PLATFORM=$$(uname -m | sed s/arm64/aarch64/)-manylinux_2_28 \
		.sam/bin/sam build --no-cached --build-dir .aws-sam/emulated > /dev/null
	@BUILT=.aws-sam/emulated $(PY) -m pytest -q -s tests/emulator

.PHONY: sbom
sbom: .guard/.ready ## list what the artefact is made of: .aws-sam/sbom.json (CycloneDX) and .aws-sam/licences.md
	@mkdir -p .aws-sam
	@.tools/bin/uv venv --quiet --clear --python $(PYTHON) .aws-sam/sbom
	@.tools/bin/uv pip sync --quiet --python .aws-sam/sbom/bin/python --require-hashes layers/shared/requirements.txt
	@.guard/bin/cyclonedx-py environment .aws-sam/sbom --output-reproducible --outfile .aws-sam/sbom.json
	@.guard/bin/pip-licenses --python .aws-sam/sbom/bin/python --format markdown --with-urls --output-file .aws-sam/licences.md > /dev/null
	@cat .aws-sam/licences.md

# --- deploying ----------------------------------------------------------------------------------------------

.PHONY: deploy deploy-all destroy environment
deploy: environment .venv/.ready validate build ## deploy and try out: make deploy ENV=dub-prod, as samconfig.toml names it
	@.sam/bin/sam deploy --config-env $(ENV)
	@$(BIN)/lti smoke --env $(ENV)

environment:
	@grep -q '^\[$(ENV)\.global\.' samconfig.toml || { \
		echo "say which, ENV=iad-dev for one: samconfig.toml has" $$(sed -n 's/^\[\(.*\)\.global\..*/\1/p' samconfig.toml) >&2; exit 2; }

deploy-all: .venv/.ready ## deploy a whole stage, the primary region first: make deploy-all STAGE=prod
	@grep -q '^\[[a-z]*-$(STAGE)\.global\.' samconfig.toml || { echo "say which: make deploy-all STAGE=dev or STAGE=prod" >&2; exit 2; }
	@for env in $$(sed -n 's/^\[\([a-z]*-$(STAGE)\)\.global.*/\1/p' samconfig.toml); do $(MAKE) deploy ENV=$$env || exit; done

destroy: environment .venv/.ready .sam/.ready ## remove a stack; tables and keys stay, unless MEMORY=erase
	@$(PY) -m operate.destroy --env $(ENV) $(if $(filter erase,$(MEMORY)),--erase-memory)

.PHONY: build clean
build: .sam/.ready ## make the artefact that is deployed, in .aws-sam/build
	@test -n "$(PYTHON313)" || { echo "No Python 3.13 with pip was found, and the artefact is made for 3.13: nothing was built." >&2; \
		echo "Put a python3.13 on PATH, or name it: make build PYTHON313=/path/to/python3.13" >&2; exit 1; }
	@PATH="$(CURDIR)/.tools/bin:$(dir $(PYTHON313)):$$PATH" .sam/bin/sam build
	@$(PYTHON313) -m compileall -q --invalidation-mode unchecked-hash .aws-sam/build/*Function
	@$(MAKE) --no-print-directory mark BUILT=.aws-sam/build/template.yaml

# A parameter that changed shall make new versions of the functions: SAM makes them for what it reads in the template.
.PHONY: mark
mark:
	@sed "s/^\( *SAMCONFIG:\).*/\1 '$$(cksum < samconfig.toml | tr ' ' -)'/" $(BUILT) > $(BUILT).marked && mv $(BUILT).marked $(BUILT)

clean: ## remove what the verbs made
	@rm -rf .venv .tools .sam .platform .bench .emulator .guard .aws-sam .local .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

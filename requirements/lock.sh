#!/bin/sh
# Writes the lock files anew from their .in files and pyproject.toml: `make lock`.
set -eu
cd "$(dirname "$0")/.."
lock() { .tools/bin/uv pip compile --quiet --generate-hashes --no-header --no-annotate "$@"; }
lock pyproject.toml --python-version 3.13 --python-platform aarch64-manylinux_2_28 --output-file layers/shared/requirements.txt
lock pyproject.toml requirements/dev.in --universal --python-version 3.11 \
  --constraint layers/shared/requirements.txt --output-file requirements/dev.txt
lock requirements/sam.in --universal --python-version 3.11 --output-file requirements/sam.txt
lock requirements/emulator.in --universal --python-version 3.11 --output-file requirements/emulator.txt
lock requirements/guard.in --universal --python-version 3.11 --output-file requirements/guard.txt
lock requirements/uv.in --universal --python-version 3.11 --output-file requirements/uv.txt
lock requirements/platform.in --universal --python-version 3.11 --output-file requirements/platform.txt
lock pyproject.toml requirements/bench.in --universal --python-version 3.11 \
  --constraint layers/shared/requirements.txt --output-file requirements/bench.txt

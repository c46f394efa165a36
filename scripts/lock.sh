#!/bin/sh
# lock.sh: resolve requirements/*.in into hash-pinned files for every Python from 3.11 on. No index address is recorded.
set -eu
cd "$(dirname "$0")/.."
[ -x .venv/bin/uv ] || "${PYTHON:-python3}" -m pip --python .venv install --require-hashes -r requirements/setup.txt
for what in setup runtime dev site; do
  .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
    "requirements/$what.in" --output-file "requirements/$what.txt"
done

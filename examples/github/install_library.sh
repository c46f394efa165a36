#!/usr/bin/env bash
# The environment of the project that this script is in: .venv, with what requirements.txt names. In a clone of jupyterhub-aws itself: with what that locks.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -f requirements/runtime.txt ]; then
  make .venv/.runtime
else
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
fi

#!/bin/sh
# environment.sh runtime|dev|site: bring .venv to exactly what requirements/*.txt lock, by hash.
# uv where it is (seconds); else it is brought into .venv first. Bytecode is compiled at once: the SDKs take seconds to
# compile, and an interrupted or read-only first run would do it every time. pip stays: the Pulumi engine asks it.
set -eu
cd "$(dirname "$0")/.."
what=$1
python=.venv/bin/python

if ! "$python" -c '' 2>/dev/null; then
  "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3" >&2; exit 1; }
  echo "setting up .venv (once) …" >&2
  "${PYTHON:-python3}" -m venv .venv
fi
if command -v uv >/dev/null 2>&1; then uv=uv; else
  [ -x .venv/bin/uv ] || "$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.txt
  uv=.venv/bin/uv
fi
"$uv" pip install --quiet --python "$python" --require-hashes --compile-bytecode -r "requirements/$what.txt"
if [ "$what" = runtime ]; then
  "$uv" pip install --quiet --python "$python" --no-deps --no-build-isolation --editable .
  # Our own modules too, for users whose environment keeps Python from writing bytecode by itself.
  "$python" -m compileall -q jupyterhub_aws || true
fi
if [ "$what" = dev ]; then
  # The types of the SDKs take a minute to read, once: mypy keeps them, and `make lint` takes a second from then on.
  "$python" -m mypy >/dev/null 2>&1 || true
fi
touch ".venv/.$what"

#!/usr/bin/env bash
# What `make test-real` uses besides Python: skopeo, a registry, containerd, slapd, helm, linters of workflows, shells that complete, and the proxy of JupyterHub. Installs what is missing where it can (Debian as root; Go; npm);
# where it cannot, the tests say in one line what was not run.
set -uo pipefail
cd "$(dirname "$0")/.."

if command -v apt-get > /dev/null && [ "$(id -u)" = 0 ]; then
  missing=()
  command -v skopeo > /dev/null || missing+=(skopeo)
  command -v docker-registry > /dev/null || missing+=(docker-registry)
  command -v ip > /dev/null || missing+=(iproute2)
  command -v ctr > /dev/null || missing+=(containerd)
  [ -x /usr/sbin/slapd ] || missing+=(slapd)
  command -v shellcheck > /dev/null || missing+=(shellcheck)
  command -v zsh > /dev/null || missing+=(zsh)
  command -v fish > /dev/null || missing+=(fish)
  if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}" >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"; } > /dev/null 2>&1 || echo "not installed: ${missing[*]}" >&2
  fi
fi

if ! command -v helm > /dev/null && [ ! -x .venv/tools/helm ] && command -v go > /dev/null; then
  echo "building helm (some minutes, once)" >&2
  GOBIN="$PWD/.venv/tools" go install helm.sh/helm/v3/cmd/helm@v3.20.2 > /dev/null 2>&1 || echo "not built: helm" >&2
fi
if ! command -v actionlint > /dev/null && [ ! -x .venv/tools/actionlint ] && command -v go > /dev/null; then
  GOBIN="$PWD/.venv/tools" go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 > /dev/null 2>&1 || echo "not built: actionlint" >&2
fi
if ! command -v configurable-http-proxy > /dev/null && [ ! -e .venv/tools/configurable-http-proxy ] && command -v npm > /dev/null; then
  echo "installing configurable-http-proxy" >&2
  mkdir -p .venv/tools/proxy
  if npm install --silent --no-fund --no-audit --prefix .venv/tools/proxy configurable-http-proxy@5.2.0 > /dev/null 2>&1; then
    ln -s proxy/node_modules/.bin/configurable-http-proxy .venv/tools/configurable-http-proxy
  else
    echo "not installed: configurable-http-proxy" >&2
  fi
fi
exit 0

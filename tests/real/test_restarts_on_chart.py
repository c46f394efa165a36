"""Which pods a changed value replaces, on the real chart: what config/data/z2jh/restarts-*.json
says of it, value by value.
"""

from __future__ import annotations

import json
import random

import pytest
import yaml

from jupyterhub_aws.changes.effects.table import restarted
from tests.support.chart import missing_for_the_chart, pod_templates, rendered
from tests.support.stack_files import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(bool(missing_for_the_chart()), reason=missing_for_the_chart()),
]
BASES = sorted((ROOT / "tests" / "fixtures" / "values").glob("*.yaml"))
#: Values that every stack may change, each with another one.
CHANGED = {
    ("cull", "timeout"): 1234,
    ("hub", "config", "JupyterHub", "admin_access"): True,
    ("hub", "allowNamedServers"): True,
    ("hub", "networkPolicy", "egress"): [],
    ("hub", "resources", "limits", "memory"): "3Gi",
    ("proxy", "chp", "resources", "limits", "memory"): "1Gi",
    ("proxy", "chp", "nodeSelector"): {"a": "b"},
    ("proxy", "chp", "networkPolicy", "egress"): [],
    ("proxy", "https", "secret"): {"name": "another", "key": "tls.key", "crt": "tls.crt"},
    ("proxy", "service", "annotations"): {"a": "b"},
    ("scheduling", "corePods", "tolerations"): [{"key": "a", "operator": "Exists"}],
    ("singleuser", "memory", "limit"): "9G",
    ("singleuser", "startTimeout"): 999,
    ("singleuser", "storage", "homeMountPath"): "/home/another",
}


def pods(values):
    return {
        name.partition("/")[2]: json.dumps(template, sort_keys=True)
        for name, template in pod_templates(rendered(values, release="hub-main"))
    }


@pytest.mark.parametrize("keys", CHANGED, ids=[".".join(keys) for keys in CHANGED])
def test_what_restarts_is_what_was_recorded(keys):
    base = random.Random(".".join(keys)).choice(BASES)
    old = yaml.safe_load(base.read_text(encoding="utf-8"))
    new = json.loads(json.dumps(old))
    here = new
    for key in keys[:-1]:
        here = here.setdefault(key, {})
    here[keys[-1]] = CHANGED[keys]
    before, after = pods(old), pods(new)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    # The table is a union over several sets of values: where a proxy does not encrypt, its
    # certificate is none of its pod's.
    assert "hub" in changed and changed <= restarted(keys), f"on {base.name}"
    assert "proxy" in changed or "proxy" not in restarted(keys) or keys[:2] == ("proxy", "https"), (
        f"on {base.name}"
    )

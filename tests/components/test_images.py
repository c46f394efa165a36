"""Under which names images are pulled: their makers', or those of a registry of yours, by digest
where a lock has one.
"""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_aws.components.charts import chart
from jupyterhub_aws.config.bundle import (
    FORMAT,
    Lock,
    Locked,
    destination,
    normalized,
    parse_lock,
    read_lock,
)
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.images import images_in, renamed
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.registry import EcrRegistry, OnNodes, PrivateRegistry, UpstreamRegistry
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.images import Images, images_of
from jupyterhub_aws.config.stack_file import read
from tests.support.stack_files import ROOT

DIGEST = f"sha256:{'ab' * 32}"
REGISTRY = "registry.corp.example:5000/team"
LOCK = Lock(
    stack="x", items={"image": {"quay.io/jupyterhub/k8s-hub:4.4.0": Locked(digest=DIGEST, size=1)}}
)


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("quay.io/jupyterhub/k8s-hub:4.4.0", "quay.io/jupyterhub/k8s-hub"),
        ("traefik:v3.6.12", "docker.io/library/traefik"),
        ("jupyter/scipy-notebook:x", "docker.io/jupyter/scipy-notebook"),
        (f"quay.io/a/b@{DIGEST}", "quay.io/a/b"),
        (f"quay.io/a/b:1@{DIGEST}", "quay.io/a/b"),
        ("localhost:5000/a/b:1", "localhost-5000/a/b"),
    ],
)
def test_an_image_keeps_its_makers_path_so_that_two_makers_never_collide(reference, name):
    assert destination(REGISTRY, reference) == f"{REGISTRY}/{name}"


def test_an_image_is_named_by_digest_where_the_lock_has_one_and_by_tag_otherwise():
    locked, unlocked = Images(registry=REGISTRY, lock=LOCK), Images(registry=REGISTRY)
    assert (
        locked.named("quay.io/jupyterhub/k8s-hub:4.4.0")
        == f"{REGISTRY}/quay.io/jupyterhub/k8s-hub@{DIGEST}"
    )
    assert locked.named("quay.io/other/x:1") == f"{REGISTRY}/quay.io/other/x:1"
    assert (
        unlocked.named("quay.io/jupyterhub/k8s-hub:4.4.0")
        == f"{REGISTRY}/quay.io/jupyterhub/k8s-hub:4.4.0"
    )
    assert unlocked.named(f"quay.io/a/b@{DIGEST}") == f"{REGISTRY}/quay.io/a/b@{DIGEST}"
    once = locked.named("quay.io/jupyterhub/k8s-hub:4.4.0")
    assert locked.named(once) == once, "what is inside stays as it is"


def test_values_keep_their_form_whatever_it_is():
    values = {
        "image": {
            "repository": "quay.io/jupyterhub/k8s-hub",
            "tag": "4.4.0",
            "pullPolicy": "Always",
        },
        "deep": [{"kubespawner_override": {"image": "quay.io/jupyterhub/k8s-hub:4.4.0", "cpu": 1}}],
        "hub": {"image": {"name": "quay.io/jupyterhub/k8s-hub", "tag": "4.4.0"}},
        "prePuller": {"extraImages": {"r": {"name": "quay.io/a/r", "tag": "1"}}},
        "imagePullSecrets": ["x"],
    }
    found = Images(registry=REGISTRY, lock=LOCK).values(values)
    name, hexadecimal = f"{REGISTRY}/quay.io/jupyterhub/k8s-hub@sha256", "ab" * 32
    assert found["image"] == {"repository": name, "tag": hexadecimal, "pullPolicy": "Always"}
    assert found["hub"]["image"] == {"name": name, "tag": hexadecimal}
    assert found["deep"][0]["kubespawner_override"] == {"image": f"{name}:{hexadecimal}", "cpu": 1}
    assert found["prePuller"]["extraImages"]["r"] == {"name": f"{REGISTRY}/quay.io/a/r", "tag": "1"}
    assert found["imagePullSecrets"] == ["x"]


_NAMES = st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,3}", fullmatch=True)
_REFERENCES = st.builds(
    lambda host, name, tag: f"{host}{name}:{tag}",
    st.sampled_from(["", "quay.io/", "r.example.org:5000/"]),
    _NAMES,
    st.from_regex(r"[a-z0-9.]{1,9}", fullmatch=True),
)


@pytest.mark.real
@given(_REFERENCES)
def test_any_reference_becomes_one_in_the_registry_and_keeps_its_tag(reference):
    found = Images(registry=REGISTRY).named(reference)
    assert (
        found.startswith(f"{REGISTRY}/")
        and found.rpartition(":")[2] == reference.rpartition(":")[2]
    )
    assert normalized(normalized(reference)) == normalized(reference)


@given(
    st.recursive(
        st.one_of(st.text(max_size=5), st.integers(), st.none()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_values_without_images_stay_the_same(values):
    if not list(images_in(values)):
        assert renamed(values, lambda reference: f"x/{reference}") == values


def test_a_lock_is_read_as_it_was_written():
    lock = Lock(
        stack="x",
        items={
            "image": {"a:1": Locked(digest=DIGEST, size=7, details={"platforms": ["linux/amd64"]})},
            "wheels": {"w": Locked(digest=DIGEST, size=1, files={"a.whl": (DIGEST, 1)})},
        },
    )
    assert parse_lock(lock.as_text()).as_text() == lock.as_text()
    assert parse_lock(lock.as_text()).digest("image", "a:1") == DIGEST


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        json.dumps({"format": "other"}),
        json.dumps({"format": FORMAT, "items": []}),
        json.dumps({"format": FORMAT, "items": {"strange": {}}}),
        json.dumps({"format": FORMAT, "items": {"image": {"a": {"digest": "md5:1", "size": 1}}}}),
        json.dumps({"format": FORMAT, "items": {"image": {"a": {"digest": DIGEST, "size": -1}}}}),
        json.dumps(
            {
                "format": FORMAT,
                "items": {
                    "chart": {
                        "a": {
                            "digest": DIGEST,
                            "size": 1,
                            "files": {"../x": {"digest": DIGEST, "size": 1}},
                        }
                    }
                },
            }
        ),
    ],
)
def test_a_lock_that_is_none_is_refused_in_words(text, tmp_path):
    path = tmp_path / "x.lock.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not the lock of a bundle"):
        read_lock(path)


_ECR = EcrRegistry(kind="ecr", account="123456789012")
_PRIVATE = PrivateRegistry(kind="private", host="registry.corp.example", prefix="team")
_HUB_IMAGE = "quay.io/jupyterhub/k8s-hub:4.4.0"
_MAKERS = {
    "chart": "jupyterhub",
    "repository_opts": {"repo": "https://hub.jupyter.org/helm-chart/"},
}


@pytest.mark.parametrize(
    ("section", "registry", "source"),
    [
        (UpstreamRegistry(kind="upstream"), None, _MAKERS),
        (
            _ECR,
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/x",
            {"chart": "oci://123456789012.dkr.ecr.us-east-1.amazonaws.com/x/charts/jupyterhub"},
        ),
        (
            _PRIVATE,
            "registry.corp.example/team",
            {"chart": "oci://registry.corp.example/team/charts/jupyterhub"},
        ),
        (
            _PRIVATE.model_copy(update={"charts": "bundle/charts/"}),
            "registry.corp.example/team",
            {"chart": "bundle/charts/jupyterhub-4.4.0.tgz"},
        ),
        (OnNodes(kind="on_nodes", charts="charts"), None, {"chart": "charts/jupyterhub-4.4.0.tgz"}),
    ],
    ids=["upstream", "ecr", "private", "private, charts in a folder", "on nodes"],
)
def test_each_kind_of_registry_names_images_and_charts(section, registry, source):
    images = images_of(section, region="us-east-1", name="x")
    assert images.registry == registry and images.pull_policy == (
        "Never" if isinstance(section, OnNodes) else None
    )
    made = chart("jupyterhub", images, kubernetes="1.35")
    assert {key: made[key] for key in ("chart", "repository_opts") if key in made} == source
    assert made["version"] == "4.4.0" and made["skip_await"] is True


def test_a_lock_is_in_the_projects_folder_from_any_folder_below(tmp_path, monkeypatch):
    section = _ECR.model_copy(update={"lock": "x.lock.json"})
    (tmp_path / "Pulumi.yaml").write_text("name: mine\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    with pytest.raises(ConfigError, match=r"x\.lock\.json: cannot be read"):
        images_of(section, region="us-east-1", name="x")
    (tmp_path / "x.lock.json").write_text(LOCK.as_text())
    assert (
        images_of(section, region="us-east-1", name="x").lock.digest("image", _HUB_IMAGE) == DIGEST
    )
    assert images_of(section, region="us-east-1", name="x", folder=tmp_path).lock.keys("image") == (
        _HUB_IMAGE,
    )
    (tmp_path / "x.lock.json").write_text("{}")
    os.utime(tmp_path / "x.lock.json", ns=(1, 1))
    with pytest.raises(ConfigError, match="is not the lock of a bundle"):
        images_of(section, region="us-east-1", name="x")


def test_a_stack_is_resolved_once():
    first, second = (
        load(read(ROOT / "Pulumi.dev.yaml", (f"name=jhub-{name}",)).values, source="x")
        for name in "ab"
    )
    assert (
        resolve(first) is resolve(first) is not resolve(second) and resolve(second).stack is second
    )
    for index in range(20):
        resolve(first.model_copy(update={"name": f"jhub-{index}"}))
    assert resolve(first).stack is first

"""Under which names images are pulled: their makers', or those of a registry of yours, by digest where a lock has one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_aws.components.images import Images
from jupyterhub_aws.config.bundle import FORMAT, Lock, Locked, destination, normalized, parse_lock, read_lock
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.images import images_in, renamed

DIGEST = f"sha256:{'ab' * 32}"
REGISTRY = "registry.corp.example:5000/team"
LOCK = Lock(stack="x", items={"image": {"quay.io/jupyterhub/k8s-hub:4.4.0": Locked(digest=DIGEST, size=1)}})


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
    assert locked.named("quay.io/jupyterhub/k8s-hub:4.4.0") == f"{REGISTRY}/quay.io/jupyterhub/k8s-hub@{DIGEST}"
    assert locked.named("quay.io/other/x:1") == f"{REGISTRY}/quay.io/other/x:1"
    assert unlocked.named("quay.io/jupyterhub/k8s-hub:4.4.0") == f"{REGISTRY}/quay.io/jupyterhub/k8s-hub:4.4.0"
    assert unlocked.named(f"quay.io/a/b@{DIGEST}") == f"{REGISTRY}/quay.io/a/b@{DIGEST}"
    once = locked.named("quay.io/jupyterhub/k8s-hub:4.4.0")
    assert locked.named(once) == once, "what is inside stays as it is"


def test_values_keep_their_form_whatever_it_is():
    values = {
        "image": {"repository": "quay.io/jupyterhub/k8s-hub", "tag": "4.4.0", "pullPolicy": "Always"},
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


@given(_REFERENCES)
def test_any_reference_becomes_one_in_the_registry_and_keeps_its_tag(reference):
    found = Images(registry=REGISTRY).named(reference)
    assert found.startswith(f"{REGISTRY}/") and found.rpartition(":")[2] == reference.rpartition(":")[2]
    assert normalized(normalized(reference)) == normalized(reference)


@given(
    st.recursive(
        st.one_of(st.text(max_size=5), st.integers(), st.none()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
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
        json.dumps({"format": FORMAT, "items": {"chart": {"a": {"digest": DIGEST, "size": 1, "files": {"../x": {"digest": DIGEST, "size": 1}}}}}}),
    ],
)
def test_a_lock_that_is_none_is_refused_in_words(text, tmp_path):
    path = tmp_path / "x.lock.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not the lock of a bundle"):
        read_lock(path)

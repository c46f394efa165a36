"""The versions table: complete for every Kubernetes minor, dated, sourced, and exact."""

from __future__ import annotations

import datetime
import re
import tomllib

import pytest

from config.versions import TABLE, kubernetes_versions, pin

TODAY = datetime.datetime.now(tz=datetime.UTC).date()
ROWS = tomllib.loads(TABLE.read_text(encoding="utf-8"))
KINDS = ("addon", "ami", "chart", "image", "plugin")
PINS = [(kind, row) for kind in KINDS for row in ROWS[kind]]
MINORS = sorted(ROWS["kubernetes"])
NEEDED = {
    "addon": (
        "vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver", "aws-efs-csi-driver", "eks-node-monitoring-agent",
    ),
    "ami": ("al2023-x86_64-standard", "al2023-x86_64-nvidia", "al2023-arm64-standard"),
    "chart": ("cluster-autoscaler", "aws-node-termination-handler", "nvidia-device-plugin"),
    "image": ("cluster-autoscaler", "aws-node-termination-handler", "nvidia-device-plugin"),
}  # fmt: skip
FORMS = {
    "addon": r"v\d+\.\d+\.\d+-eksbuild\.\d+",
    "ami": r"1\.\d{2}\.\d+-20\d{6}",
    "chart": r"\d+\.\d+\.\d+",
    "image": r"v\d+\.\d+\.\d+",
    "plugin": r"\d+\.\d+\.\d+",
}
_IDS = [f"{kind}-{row['name']}-{row.get('kubernetes', 'any')}" for kind, row in PINS]


def test_table_has_these_parts_and_no_other():
    assert set(ROWS) == {"kubernetes", *KINDS}
    assert len(MINORS) >= 2
    assert all(re.fullmatch(r"1\.\d{2}", minor) for minor in MINORS)


@pytest.mark.parametrize(("kind", "row"), PINS, ids=_IDS)
def test_pin_is_exact_dated_and_sourced(kind, row):
    assert set(row) - {"kubernetes", "repository"} == {"name", "version", "source", "date", "verified"}
    assert re.fullmatch(FORMS[kind], row["version"], re.ASCII)
    assert row["source"].strip() and isinstance(row["verified"], bool)
    assert type(row["date"]) is datetime.date and datetime.date(2026, 1, 1) <= row["date"] <= max(TODAY, datetime.date(2026, 12, 31))
    assert row.get("kubernetes") in {None, *MINORS}
    assert ("repository" in row) == (kind in ("chart", "image"))
    if kind == "chart":
        assert re.match(r"(https|oci)://\S+$", row["repository"])
    if kind == "image":
        assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+/[a-z0-9/-]+", row["repository"])  # a registry, and no tag


def test_nothing_says_latest():
    values = [str(value) for _, row in PINS for value in row.values()] + [str(value) for row in ROWS["kubernetes"].values() for value in row.values()]
    assert len(values) > 100
    assert not [value for value in values if "latest" in value.lower()]


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_has_one_row_for_a_minor(kind):
    rows = [(row["name"], row.get("kubernetes")) for row in ROWS[kind]]
    assert len(rows) == len(set(rows))
    for_all = {name for name, minor in rows if minor is None}
    assert not for_all & {name for name, minor in rows if minor is not None}, "a row for every minor hides or is hidden by one for a single minor"


@pytest.mark.parametrize(("minor", "kind", "name"), [(minor, kind, name) for minor in MINORS for kind, names in NEEDED.items() for name in names])
def test_every_minor_has_what_the_components_need(minor, kind, name):
    found = pin(kind, name, minor)
    assert (found.kind, found.name) == (kind, name)
    assert found.kubernetes in (None, minor)


@pytest.mark.parametrize("minor", MINORS)
def test_what_follows_the_minor_has_its_number(minor):
    assert pin("image", "cluster-autoscaler", minor).version.startswith(f"v{minor}.")
    assert pin("addon", "kube-proxy", minor).version.startswith(f"v{minor}.")
    for name in NEEDED["ami"]:
        assert pin("ami", name, minor).version.startswith(f"{minor}.")
    assert len({pin("ami", name, minor).version for name in NEEDED["ami"]}) == 1, "all nodes of a cluster run one release"


@pytest.mark.parametrize("name", ["aws-node-termination-handler", "nvidia-device-plugin"])
def test_reference_is_repository_and_tag(name):
    found = pin("image", name, MINORS[0])
    assert found.reference == f"{found.repository}:{found.version}"


@pytest.mark.parametrize("minor", MINORS)
def test_support_dates(minor):
    version = kubernetes_versions()[minor]
    assert version.minor == minor and version.source
    assert type(version.standard_support_until) is datetime.date
    assert version.standard_support_until < version.extended_support_until
    assert type(ROWS["kubernetes"][minor]["date"]) is datetime.date


def test_newer_minors_are_supported_longer():
    ends = [kubernetes_versions()[minor].standard_support_until for minor in MINORS]
    assert ends == sorted(ends) and len(set(ends)) == len(ends)


@pytest.mark.parametrize(("kind", "name", "minor"), [("addon", "vpc-cni", "1.99"), ("addon", "nothing", MINORS[0]), ("ami", "cluster-autoscaler", MINORS[0])])
def test_a_missing_row_is_a_key_error_that_names_it(kind, name, minor):
    with pytest.raises(KeyError, match=f"{kind} {name} for Kubernetes {minor}"):
        pin(kind, name, minor)

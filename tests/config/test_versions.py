"""The versions table: complete for every Kubernetes minor, dated, sourced, and exact."""

from __future__ import annotations

import copy
import datetime
import re
import tomllib

import pytest

from jupyterhub_aws.config.versions import (
    TABLE,
    admits,
    inconsistencies,
    kubernetes_versions,
    newest,
    numbers,
    pin,
    releases,
)

TODAY = datetime.datetime.now(tz=datetime.UTC).date()
ROWS = tomllib.loads(TABLE.read_text(encoding="utf-8"))
KINDS = ("addon", "ami", "chart", "image", "plugin")
PINS = [(kind, row) for kind in KINDS for row in ROWS[kind]]
MINORS = sorted(ROWS["kubernetes"])
NEEDED = {
    "addon": (
        "vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver", "aws-efs-csi-driver", "eks-node-monitoring-agent",
    ),
    "ami": ("al2023-x86_64-standard", "al2023-x86_64-nvidia", "al2023-arm64-standard", "al2023-arm64-nvidia"),
    "chart": ("cluster-autoscaler", "aws-node-termination-handler", "nvidia-device-plugin"),
    "image": ("cluster-autoscaler", "aws-node-termination-handler", "nvidia-device-plugin"),
}  # fmt: skip
FORMS = {
    "addon": r"v\d+\.\d+\.\d+-eksbuild\.\d+",
    "ami": r"1\.\d{2}\.\d+-20\d{6}",
    "chart": r"\d+\.\d+\.\d+",
    "image": r"v?\d+\.\d+\.\d+",
    "plugin": r"\d+\.\d+\.\d+",
}
_IDS = [f"{kind}-{row['name']}-{row.get('kubernetes', 'any')}" for kind, row in PINS]


def test_table_has_these_parts_and_no_other():
    assert set(ROWS) == {"kubernetes", "calendar", "release", "security", *KINDS}
    assert len(MINORS) >= 2
    assert all(re.fullmatch(r"1\.\d{2}", minor) for minor in MINORS)


@pytest.mark.parametrize(("kind", "row"), PINS, ids=_IDS)
def test_pin_is_exact_dated_and_sourced(kind, row):
    assert set(row) - {"kubernetes", "repository"} == {
        "name",
        "version",
        "source",
        "date",
        "verified",
    }
    assert re.fullmatch(FORMS[kind], row["version"], re.ASCII)
    assert row["source"].strip() and isinstance(row["verified"], bool)
    assert type(row["date"]) is datetime.date and datetime.date(2026, 1, 1) <= row["date"] <= max(
        TODAY, datetime.date(2026, 12, 31)
    )
    assert row.get("kubernetes") in {None, *MINORS}
    assert ("repository" in row) == (kind in ("chart", "image"))
    if kind == "chart":
        assert re.match(r"(https|oci)://\S+$", row["repository"])
    if kind == "image":
        assert re.fullmatch(
            r"[a-z0-9.-]+\.[a-z]+/[a-z0-9/-]+", row["repository"]
        )  # a registry, and no tag


def test_nothing_says_latest():
    values = [str(value) for _, row in PINS for value in row.values()] + [
        str(value) for row in ROWS["kubernetes"].values() for value in row.values()
    ]
    assert len(values) > 100
    assert not [value for value in values if "latest" in value.lower()]


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_has_one_row_for_a_minor(kind):
    rows = [(row["name"], row.get("kubernetes")) for row in ROWS[kind]]
    assert len(rows) == len(set(rows))
    for_all = {name for name, minor in rows if minor is None}
    assert not for_all & {name for name, minor in rows if minor is not None}, (
        "a row for every minor hides or is hidden by one for a single minor"
    )


@pytest.mark.parametrize(
    ("minor", "kind", "name"),
    [(minor, kind, name) for minor in MINORS for kind, names in NEEDED.items() for name in names],
)
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
    assert len({pin("ami", name, minor).version for name in NEEDED["ami"]}) == 1, (
        "all nodes of a cluster run one release"
    )


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


@pytest.mark.parametrize(
    ("kind", "name", "minor"),
    [
        ("addon", "vpc-cni", "1.99"),
        ("addon", "nothing", MINORS[0]),
        ("ami", "cluster-autoscaler", MINORS[0]),
    ],
)
def test_a_missing_row_is_a_key_error_that_names_it(kind, name, minor):
    with pytest.raises(KeyError, match=f"{kind} {name} for Kubernetes {minor}"):
        pin(kind, name, minor)


def test_the_table_does_not_contradict_itself():
    assert list(inconsistencies(ROWS)) == []


def row_of(rows, kind, name, minor=None):
    return next(row for row in rows[kind] if row["name"] == name and row.get("kubernetes") == minor)


def breaks(kind, name, minor, **values):
    return lambda rows: row_of(rows, kind, name, minor).update(values)


def released(version, **values):
    return lambda rows: next(row for row in rows["release"] if row["version"] == version).update(
        values
    )


_LATER = datetime.date(2026, 1, 1)
CONTRADICTIONS = {
    "kube-proxy of another minor": (
        breaks("addon", "kube-proxy", "1.36", version="v1.35.3-eksbuild.29"),
        "kube-proxy v1.35.3-eksbuild.29 is not of",
    ),
    "autoscaler of another minor": (
        breaks("image", "cluster-autoscaler", "1.36", version="v1.35.2"),
        "cluster-autoscaler v1.35.2 is not of",
    ),
    "a node image of another minor": (
        breaks("ami", "al2023-arm64-standard", "1.36", version="1.35.8-20260930"),
        "is not of Kubernetes 1.36",
    ),
    "nodes of two releases": (
        breaks("ami", "al2023-arm64-standard", "1.36", version="1.36.4-20261007"),
        "would run several releases: 1.36.4-2026",
    ),
    "a chart that does not take the minor": (
        released("4.4.0", kubernetes=">=1.36.0-0"),
        "chart jupyterhub 4.4.0 does not take Kubernetes 1.35",
    ),
    "a chart of another minor that claims to be verified": (
        breaks("chart", "cluster-autoscaler", "1.36", verified=True),
        "is not tested with",
    ),
    "a chart of which nobody knows what is in it": (
        breaks("chart", "jupyterhub", None, version="4.9.9"),
        "has no [[release]] row",
    ),
    "dates in the wrong order": (
        lambda rows: rows["kubernetes"]["1.36"].update(extended_support_until=_LATER),
        "1.36: extended support ends before",
    ),
    "a minor that is built and is not": (
        lambda rows: rows["calendar"].update({"1.36": rows["kubernetes"]["1.36"]}),
        "among those that are built and",
    ),
}


@pytest.mark.parametrize(("spoil", "says"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_each_contradiction_is_found(spoil, says):
    rows = copy.deepcopy(ROWS)
    spoil(rows)
    assert any(says in fault for fault in inconsistencies(rows))


@pytest.mark.parametrize(
    "row",
    ROWS["release"] + ROWS["security"],
    ids=lambda row: f"{row['name']}-{row.get('id', row.get('version'))}",
)
def test_releases_are_dated_and_sourced(row):
    wanted = {"kind", "name", "source", "date", "verified"} | (
        {"id", "what", "fixed_in", "concerns"} if "id" in row else {"version", "released"}
    )
    assert set(row) - {"app", "kubernetes"} == wanted
    assert (
        row["kind"] in ("chart", "software")
        and row["source"].strip()
        and isinstance(row["verified"], bool)
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+", row.get("fixed_in") or row["version"])
    if "id" in row:
        assert re.fullmatch(r"(CVE-\d{4}-\d{4,7}|GHSA(-[0-9a-z]{4}){3})", row["id"])
        assert any(
            numbers(item.version) >= numbers(row["fixed_in"])
            for item in releases(row["kind"], row["name"])
        ), "no release that we know has it"


@pytest.mark.parametrize("minor", sorted(ROWS["calendar"]))
def test_minors_that_are_not_built_have_dates(minor):
    assert set(ROWS["calendar"][minor]) == {
        "standard_support_until",
        "extended_support_until",
        "source",
        "date",
    }


@pytest.mark.parametrize(
    ("constraint", "minor", "fits"),
    [
        (">=1.28.0-0", "1.27", False),
        (">=1.28.0-0", "1.28", True),
        (">=1.32", "1.36", True),
        (">=1.100.0-0", "1.99", False),
    ],
)
def test_what_a_chart_admits(constraint, minor, fits):
    assert admits(constraint, minor) is fits


def test_an_unknown_form_of_kube_version_is_an_error():
    with pytest.raises(ValueError, match="is not of the form"):
        admits(">=1.28.0-0 <1.40", "1.36")


def test_the_newest_is_by_number_and_not_by_text():
    assert numbers("v1.36.0-eksbuild.25") > numbers("v1.36.0-eksbuild.9")
    assert (
        newest("software", "JupyterHub", None) == "5.5.2"
        and newest("addon", "nothing", "1.36") is None
    )

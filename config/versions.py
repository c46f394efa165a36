"""The versions table: Kubernetes minors, their support dates, and the add-ons, images and charts
pinned for each.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

TABLE = Path(__file__).parent / "data" / "versions.toml"

Kind = Literal["addon", "ami", "chart", "image", "plugin"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One pinned version. `kubernetes` is None where it fits every minor; the table's head
    explains `verified`.
    """

    kind: Kind
    name: str
    version: str
    repository: str | None
    kubernetes: str | None
    source: str
    date: datetime.date
    verified: bool

    @property
    def reference(self) -> str:
        """An image as a pod names it: repository:tag."""
        return f"{self.repository}:{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class KubernetesVersion:
    """The dates until which AWS supports a minor: at the standard price, and at six times that
    price.
    """

    minor: str
    standard_support_until: datetime.date
    extended_support_until: datetime.date
    source: str

    @classmethod
    def of(cls, minor: str, row: Mapping[str, Any]) -> KubernetesVersion:
        """A row of the table."""
        return cls(
            minor=minor,
            **{
                key: row[key]
                for key in ("standard_support_until", "extended_support_until", "source")
            },
        )


@cache
def table() -> dict[str, Any]:
    """The table as it is written. What each part means: here for pins, in config/versions.py for
    the rest.
    """
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def kubernetes_versions() -> Mapping[str, KubernetesVersion]:
    """Return the Kubernetes minors that this program can build, by minor."""
    return {minor: KubernetesVersion.of(minor, row) for minor, row in table()["kubernetes"].items()}


@cache
def pins() -> tuple[Pin, ...]:
    """Every row of the table, in its order."""
    return tuple(
        Pin(
            kind=kind,
            name=row["name"],
            version=row["version"],
            repository=row.get("repository"),
            kubernetes=row.get("kubernetes"),
            source=row["source"],
            date=row["date"],
            verified=row["verified"],
        )
        for kind in get_args(Kind)
        for row in table()[kind]
    )


@cache
def pin(kind: Kind, name: str, minor: str) -> Pin:
    """Return the version pinned for a minor. Raises KeyError where the table has no row."""
    for found in pins():
        if (found.kind, found.name) == (kind, name) and found.kubernetes in (None, minor):
            return found
    raise KeyError(f"{kind} {name} for Kubernetes {minor}")


# --- What else is known of versions: the calendar of all Kubernetes minors, what was released, and
# which security releases there were.


ReleaseKind = Literal["chart", "software"]
#: Helm's form of "this minor or a newer one" (Chart.yaml, kubeVersion), the only one that the
#: pinned charts use.
_AT_LEAST = re.compile(r">=\s*(\d+)\.(\d+)(?:\.\d+)?(?:-0)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A release of a chart or of software. `app` is what the chart installs, `kubernetes` which
    minors it takes (None: not read).
    """

    kind: ReleaseKind
    name: str
    version: str
    app: str | None
    kubernetes: str | None
    released: datetime.date
    source: str
    verified: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Advisory:
    """A security release. `concerns` are words of Helm values: only hubs whose values contain
    one are affected; empty: all hubs are.
    """

    kind: ReleaseKind
    name: str
    id: str
    what: str
    fixed_in: str
    concerns: tuple[str, ...]
    source: str


def numbers(version: str) -> tuple[int, ...]:
    """A version as a value that can be compared: `v1.36.0-eksbuild.25` is (1, 36, 0, 25)."""
    return tuple(map(int, re.findall(r"\d+", version)))


@cache
def calendar() -> Mapping[str, KubernetesVersion]:
    """Every minor whose support dates are known, those that this program builds among them; the
    oldest first.
    """
    others = {minor: KubernetesVersion.of(minor, row) for minor, row in table()["calendar"].items()}
    return dict(
        sorted({**others, **kubernetes_versions()}.items(), key=lambda item: numbers(item[0]))
    )


@cache
def releases(kind: ReleaseKind, name: str) -> tuple[Release, ...]:
    """What was released under a name, the oldest first; empty for a name that has no row."""
    rows = [row for row in table()["release"] if (row["kind"], row["name"]) == (kind, name)]
    keys = ("kind", "name", "version", "released", "source", "verified")
    found = (
        Release(
            **{key: row[key] for key in keys}, app=row.get("app"), kubernetes=row.get("kubernetes")
        )
        for row in rows
    )
    return tuple(sorted(found, key=lambda item: numbers(item.version)))


@cache
def advisories() -> tuple[Advisory, ...]:
    """Every known security release."""
    keys = ("kind", "name", "id", "what", "fixed_in", "source")
    return tuple(
        Advisory(**{key: row[key] for key in keys}, concerns=tuple(row["concerns"]))
        for row in table()["security"]
    )


def open_in(kind: ReleaseKind, name: str, version: str) -> tuple[Advisory, ...]:
    """The security releases that a version lacks."""
    return tuple(
        item
        for item in advisories()
        if (item.kind, item.name) == (kind, name) and numbers(version) < numbers(item.fixed_in)
    )


def admits(constraint: str, minor: str) -> bool:
    """Whether a chart's kubeVersion takes a minor. Raises ValueError for a form that this
    program does not know.
    """
    match = _AT_LEAST.fullmatch(constraint.strip())
    if match is None:
        raise ValueError(f"kubeVersion {constraint!r} is not of the form >=MAJOR.MINOR.PATCH-0")
    return numbers(minor) >= (int(match[1]), int(match[2]))


def inconsistencies(rows: Mapping[str, Any]) -> Iterator[str]:
    """The contradictions in a versions table, as sentences: a table that has any is refused by
    its tests and by `jhub versions refresh`.
    """
    for minor, row in {**rows["kubernetes"], **rows["calendar"]}.items():
        if row["standard_support_until"] >= row["extended_support_until"]:
            yield f"{minor}: extended support ends before standard support does"
        if minor in rows["kubernetes"] and minor in rows["calendar"]:
            yield f"{minor} is among those that are built and among those that are not"
    yield from _minors_agree(rows)
    yield from _charts_fit(rows)


def _minors_agree(rows: Mapping[str, Any]) -> Iterator[str]:
    """What runs beside a control plane has its minor (Kubernetes, "Version Skew Policy":
    kube-proxy, kubelet; kubernetes/autoscaler README).
    """
    for minor in rows["kubernetes"]:
        for kind, name, lead in (
            ("addon", "kube-proxy", "v"),
            ("image", "cluster-autoscaler", "v"),
        ):
            for row in _rows(rows, kind, name, minor):
                if not row["version"].startswith(f"{lead}{minor}."):
                    yield f"{kind} {name} {row['version']} is not of Kubernetes {minor}"
        images = {row["name"]: row["version"] for row in rows["ami"] if row["kubernetes"] == minor}
        yield from (
            f"image {name} {version} is not of Kubernetes {minor}"
            for name, version in images.items()
            if not version.startswith(f"{minor}.")
        )
        if len(set(images.values())) > 1:
            yield (
                f"nodes of Kubernetes {minor} would run several releases:"
                f" {', '.join(sorted(set(images.values())))}"
            )


def _charts_fit(rows: Mapping[str, Any]) -> Iterator[str]:
    known = {
        (row["name"], row["version"]): row for row in rows["release"] if row["kind"] == "chart"
    }
    for row in rows["chart"]:
        release = known.get((row["name"], row["version"]))
        minors = [row["kubernetes"]] if "kubernetes" in row else list(rows["kubernetes"])
        if release is None:
            continue
        if "kubernetes" in release:
            refused = [minor for minor in minors if not admits(release["kubernetes"], minor)]
            yield from (
                f"chart {row['name']} {row['version']} does not take Kubernetes {minor}"
                for minor in refused
            )
        if (
            row["name"] == "cluster-autoscaler"
            and row["verified"]
            and not release["app"].startswith(f"{minors[0]}.")
        ):
            yield (
                f"chart cluster-autoscaler {row['version']} is of {release['app']}, and is not"
                f" tested with Kubernetes {minors[0]}: set verified = false"
            )
    pinned = next(row["version"] for row in rows["chart"] if row["name"] == "jupyterhub")
    if ("jupyterhub", pinned) not in known:
        yield (
            f"the pinned chart jupyterhub {pinned} has no [[release]] row: which JupyterHub is"
            " in it?"
        )


def _rows(rows: Mapping[str, Any], kind: str, name: str, minor: str) -> Iterator[Mapping[str, Any]]:
    yield from (
        row for row in rows[kind] if row["name"] == name and row.get("kubernetes") in (None, minor)
    )


def newest(kind: str, name: str, minor: str | None) -> str | None:
    """The newest version of a name in the table: of releases where it has some, else
    of pins for a minor (or for all).
    """
    released = (
        releases("software" if kind == "software" else "chart", name)
        if kind in ("chart", "software")
        else ()
    )
    known = [item.version for item in released] or [
        item.version
        for item in pins()
        if (item.kind, item.name) == (kind, name) and item.kubernetes in (None, minor)
    ]
    return max(known, key=numbers, default=None)

"""`jhub versions refresh`: rows of the table as AWS has them today. Comments and everything else
in the file stay.
"""

from __future__ import annotations

import datetime
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.errors import ConfigError, Problem, refused
from jupyterhub_aws.config.versions import inconsistencies
from jupyterhub_aws.operate.live.account import Account, connect, translate_aws_errors

_ARCHITECTURES = {"x86_64": "x86_64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a row should say: which one it is (the lines that name it, with its head), and its
    values as TOML writes them.
    """

    head: str
    names: Mapping[str, str]
    values: Mapping[str, str]

    @property
    def label(self) -> str:
        """How a message names it."""
        return " ".join(
            [self.head.strip("[]"), *(value.strip('"') for value in self.names.values())]
        )


def refreshed(command: str, table: Path, region: str, *, write: bool) -> list[str]:
    """Ask AWS and rewrite the table. Returns what changed, a line for each row. Raises
    ConfigError, with nothing written, where AWS's answers do not fit.
    """
    text = table.read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    account = connect(command, region, expected=None, changes=False)
    with translate_aws_errors(command):
        wanted = [*_dates(account, rows), *_addons(account, rows), *_images(account, rows)]
    changes, today = [], datetime.datetime.now(tz=datetime.UTC).date()
    for row in wanted:
        text, change = _put(text, row, today)
        if change:
            changes.append(change)
    faults = list(inconsistencies(tomllib.loads(text)))
    if faults:
        fix = "AWS publishes the parts of a release some days apart: try again tomorrow"
        problems = [
            Problem(
                id="versions.contradiction",
                path=table.name,
                what=f"would contradict itself ({fault})",
                fix=fix,
            )
            for fault in faults
        ]
        raise ConfigError(command, problems)
    if write and changes:
        table.write_text(text, encoding="utf-8")
    return changes


def _dates(account: Account, rows: Mapping[str, Any]) -> Iterator[Wanted]:
    """Support dates (EKS API reference, DescribeClusterVersions)."""
    listed = account.all("eks", "describe_cluster_versions", "clusterVersions", includeAll=True)
    known = {item["clusterVersion"]: item for item in listed}
    for part in ("kubernetes", "calendar"):
        for minor in rows[part]:
            found = known.get(minor)
            if found is not None:  # a minor after its last day is no longer listed
                keys = {
                    "standard_support_until": "endOfStandardSupportDate",
                    "extended_support_until": "endOfExtendedSupportDate",
                }
                values = {
                    ours: found[theirs].date().isoformat()
                    for ours, theirs in keys.items()
                    if theirs in found
                }
                values["source"] = '"DescribeClusterVersions"'
                yield Wanted(head=f'[{part}."{minor}"]', names={}, values=values)


def _addons(account: Account, rows: Mapping[str, Any]) -> Iterator[Wanted]:
    """The default version of each add-on for its minor (EKS API reference,
    DescribeAddonVersions, compatibilities[].defaultVersion).
    """
    for row in rows["addon"]:
        name, minor = row["name"], row["kubernetes"]
        listed = account.all(
            "eks", "describe_addon_versions", "addons", addonName=name, kubernetesVersion=minor
        )
        versions = [
            version
            for addon in listed
            if addon["addonName"] == name
            for version in addon.get("addonVersions", [])
        ]
        default = [
            version["addonVersion"]
            for version in versions
            if any(_default(item, minor) for item in version.get("compatibilities", []))
        ]
        if len(default) != 1:
            what = f"AWS names {len(default)} default versions of {name} for Kubernetes {minor}"
            of = f"--addon-name {name} --kubernetes-version {minor}"
            fix = f"look: aws eks describe-addon-versions {of}"
            raise refused("jhub versions refresh", "versions.several-defaults", "addon", what, fix)
        values = {
            "version": f'"{default[0]}"',
            "source": f'"DescribeAddonVersions for {minor}, defaultVersion"',
        }
        names = {"name": f'"{name}"', "kubernetes": f'"{minor}"'}
        yield Wanted(head="[[addon]]", names=names, values=values)


def _default(compatibility: Mapping[str, Any], minor: str) -> bool:
    of_minor = compatibility.get("clusterVersion") == minor
    return of_minor and bool(compatibility.get("defaultVersion"))


def _images(account: Account, rows: Mapping[str, Any]) -> Iterator[Wanted]:
    """The release that AWS recommends (EKS user guide, "Retrieve recommended Amazon Linux AMI
    IDs": release_version beside image_id). Pinned, not followed.
    """
    for row in rows["ami"]:
        name, minor = row["name"], row["kubernetes"]
        _, architecture, variant = name.split("-")
        path = f"/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/{_ARCHITECTURES[architecture]}/{variant}/recommended/release_version"
        version = str(account.client("ssm").get_parameter(Name=path)["Parameter"]["Value"])
        if not re.fullmatch(rf"{re.escape(minor)}\.\d+-\d{{8}}", version):
            what = f"is not a release of Kubernetes {minor} (got {version!r})"
            fix = "look at it in the console; nothing was written"
            raise refused("jhub versions refresh", "versions.image", path, what, fix)
        values = {
            "version": f'"{version}"',
            "source": f'"SSM, {minor} {architecture} {variant}, recommended/release_version"',
        }
        names = {"name": f'"{name}"', "kubernetes": f'"{minor}"'}
        yield Wanted(head="[[ami]]", names=names, values=values)


def _put(text: str, row: Wanted, today: datetime.date) -> tuple[str, str]:
    """The text with a row's values in place, and what changed in a line (empty: nothing). `date`
    and `verified` follow what AWS just said.
    """
    lines = text.split("\n")
    start, end = _block(lines, row)
    pairs = [line.partition(" = ") for line in lines[start:end]]
    old = {key: value for key, _, value in pairs if value}
    told = row.values.items()
    loud = {key: value for key, value in told if key != "source" and old.get(key) != value}
    if not loud and old.get("verified", "true") == "true":
        return text, ""
    values = {**row.values, "date": today.isoformat()}
    if "verified" in old:
        values["verified"] = "true"
    for index in range(start, end):
        key = lines[index].partition(" = ")[0]
        if key in values:
            lines[index] = f"{key} = {values[key]}"
    said = ", ".join(f"{old[key]} → {value}" for key, value in loud.items()).replace('"', "")
    return "\n".join(lines), f"{row.label}: {said or 'seen: verified'}"


def _block(lines: list[str], row: Wanted) -> tuple[int, int]:
    """Where a row's own lines begin and end."""
    heads = [index for index, line in enumerate(lines) if line.startswith("[")] + [len(lines)]
    for start, end in itertools.pairwise(heads):
        if lines[start] == row.head and all(
            f"{key} = {value}" in lines[start:end] for key, value in row.names.items()
        ):
            return start + 1, end
    raise KeyError(row.label)

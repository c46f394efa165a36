"""A stack file for a cluster that was scanned: one that takes it over, or one that uses it in
place. What only the operator knows is marked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.adopt.draft_sections import existing_pools, hubs_of, network_of, own_pools
from jupyterhub_aws.adopt.queries import Live, tags_of
from jupyterhub_aws.config.stack_text import Noted, fill, text_of
from jupyterhub_aws.config.versions import kubernetes_versions

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 24
_TAG = re.compile(r"[\w .:/=+@-]{1,256}")
#: EKS API reference, LogSetup: the kinds of control-plane logs.
_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@dataclass(kw_only=True)
class StackDraft:
    """Sections of a stack file with a comment above each. `kind` is what becomes of the cluster."""

    kind: str
    sections: dict[str, Any]
    comments: dict[str, str] = field(default_factory=dict)
    head: str = ""

    def text(self, imports: Mapping[str, str]) -> str:
        """The file, with the import map in it."""
        sections = {**self.sections, **({"imports": dict(imports)} if imports else {})}
        note = (
            "What exists already: TYPE::NAME (the end of the resource's URN) to its id. Protected"
            " while it is listed here.\nRemove it when `jhub adopt check` finds no change any more."
        )
        return text_of(self.head, sections, {**self.comments, "imports": note})


def reasons_against_owning(live: Live) -> list[str]:
    """Why the control plane cannot become the program's resource, as far as its description
    says; more may follow from a comparison.
    """
    cluster, found = live.cluster, []
    mode = cluster.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
    if mode == "CONFIG_MAP":
        found.append(
            "its authentication mode is CONFIG_MAP (aws-auth): EKS does not go to API, which the"
            " program needs, in one step"
        )
    if cluster.get("computeConfig", {}).get("enabled"):
        found.append("EKS Auto Mode runs its nodes: the program has groups of its own")
    if cluster.get("kubernetesNetworkConfig", {}).get("ipFamily", "ipv4") != "ipv4":
        found.append("its pods have IPv6 addresses")
    if cluster.get("outpostConfig"):
        found.append("its control plane is on an Outpost")
    if cluster.get("connectorConfig"):
        found.append("it is a cluster elsewhere that is only registered with EKS")
    if len(live.name) > _LONGEST_NAME or not _NAME.fullmatch(live.name):
        found.append(
            f"the program's names begin with the cluster's, in at most {_LONGEST_NAME} lower-case"
            f" letters, digits and dashes: {live.name} is none"
        )
    if str(cluster.get("version")) not in kubernetes_versions():
        found.append(
            f"Kubernetes {cluster.get('version')} is not in the table of versions"
            f" ({', '.join(sorted(kubernetes_versions()))})"
        )
    return found


def owning(live: Live) -> StackDraft:
    """The cluster becomes the program's resource, and so does its network where the program
    would have divided it in the same way.
    """
    network, why = network_of(live)
    pools, pools_note = own_pools(live)
    hubs = hubs_of(live)
    sections = {
        **_place(live),
        "name": live.name,
        "tags": _tags(live),
        "network": network,
        "cluster": _cluster(live),
        "pools": pools,
        "homes": _homes(live),
        "hubs": hubs,
    }
    comments = {
        "name": "The cluster's name, and the beginning of every other.",
        "network": why,
        "pools": pools_note,
        "homes": _homes_note(live),
    }
    head = _head(live, "takes it over", hubs=True)
    return StackDraft(kind="eks", sections=sections, comments=comments, head=head)


def by_reference(live: Live, reasons: list[str]) -> StackDraft:
    """The cluster is used in place: nothing of it, of its network or of its nodes is the
    program's.
    """
    pools, pools_note = existing_pools(live)
    good = _NAME.fullmatch(live.name) and len(live.name) <= _LONGEST_NAME
    sections = {
        **_place(live),
        "name": live.name if good else _short(live.name),
        "tags": _tags(live),
        "network": _ranges(live),
        "cluster": _existing_cluster(live),
        "pools": pools,
        "homes": _existing_homes(live),
    }
    why = "Used in place, because\n" + "\n".join(f"- {reason}" for reason in reasons)
    comments = {
        "cluster": why,
        "pools": pools_note,
        "network": "Its network belongs to its owner; only what pods must know is listed here.",
        "homes": _existing_homes_note(live),
    }
    head = _head(live, "uses it in place", hubs=False)
    return StackDraft(kind="existing", sections=sections, comments=comments, head=head)


def _head(live: Live, what: str, *, hubs: bool) -> str:
    text = (
        f"The EKS cluster {live.name} in {live.account}, {live.region}: written by `jhub adopt"
        f" scan`, which changed nothing. This file {what}.\nLines with FILL IN are yours. Step by"
        " step: docs/adopting.md; every option: docs/reference.md."
    )
    if hubs:
        return text
    return (
        f"{text}\nHubs are not in AWS's API: write them under `hubs`, or take them from the chart's"
        " values with `jhub adopt config FILE`."
    )


def _place(live: Live) -> dict[str, Any]:
    return {"region": live.region, "accounts": [live.account]}


def _tags(live: Live) -> dict[str, Any]:
    found = {key.lower(): value for key, value in tags_of(live.cluster).items()}
    tags: dict[str, Any] = {}
    for option, names, note in (
        ("owner", ("owner", "team"), "who answers for it"),
        ("environment", ("environment", "env", "stage"), "dev, staging or production"),
    ):
        value = next((found[name] for name in names if _TAG.fullmatch(found.get(name, ""))), None)
        tags[option] = fill("unknown", note) if value is None else value
    cost = found.get("cost-center") or found.get("costcenter")
    return {**tags, **({"cost_center": cost} if cost and _TAG.fullmatch(cost) else {})}


def _cluster(live: Live) -> dict[str, Any]:
    cluster, network = live.cluster, live.cluster.get("resourcesVpcConfig", {})
    is_public = network.get("endpointPublicAccess")
    cidrs = list(network.get("publicAccessCidrs", ())) if is_public else []
    api: dict[str, Any] = {"public_access_cidrs": cidrs}
    if "0.0.0.0/0" in cidrs:
        api["public"] = Noted(value=True, note="as it is now: better your own networks")
    administrators = [
        arn
        for arn in (str(item["value"]) for item in live.of("administrators"))
        if re.search(r":iam::\d{12}:(role|user)/", arn) and "/aws-service-role/" not in arn
    ]
    groups = live.of("log_groups")
    own = [group for group in groups if str(group["logGroupName"]).startswith("/aws/eks/")]
    retention = own[0].get("retentionInDays") if own else None
    service = cluster.get("kubernetesNetworkConfig", {}).get("serviceIpv4Cidr", "172.20.0.0/16")
    return {
        "kind": "eks",
        "version": str(cluster.get("version")),
        **({"administrators": administrators} if administrators else {}),
        "api": api,
        "service_cidr": service,
        "logs": [kind for kind in _LOGS if kind in live.log_types],
        **({"log_retention_days": retention} if retention else {}),
        "protected": True,
    }


def _existing_cluster(live: Live) -> dict[str, Any]:
    known = sorted(kubernetes_versions())
    version: Any = str(live.cluster.get("version"))
    if version not in known:
        note = f"it is {version}, which is not in the table of versions: upgrade it first"
        version = fill(known[0], note)
    service = live.cluster.get("kubernetesNetworkConfig", {}).get("serviceIpv4Cidr")
    return {
        "kind": "existing",
        "version": version,
        "context": Noted(
            value=str(live.cluster.get("arn", live.name)),
            note=f"aws eks update-kubeconfig --region {live.region} --name {live.name}",
        ),
        **({"service_cidr": service} if service else {}),
        "protected": True,
    }


def _ranges(live: Live) -> dict[str, Any]:
    vpc = live.vpc or {}
    ranges = [
        item["CidrBlock"]
        for item in vpc.get("CidrBlockAssociationSet", ())
        if item.get("CidrBlockState", {}).get("State", "associated") == "associated"
    ]
    ranges = ranges or ([vpc["CidrBlock"]] if vpc.get("CidrBlock") else [])
    subnets = live.cluster.get("resourcesVpcConfig", {}).get("subnetIds", ())
    leads_out = any(live.way_out(item) != "none" for item in subnets)
    unknown = live.is_unreadable("route_tables") or not live.of("route_tables")
    egress: Any = {"kind": "internet" if leads_out or unknown else "none"}
    if unknown:
        egress = {"kind": fill("internet", "routes could not be seen: internet, proxy or none")}
    return {
        "mode": "unmanaged",
        "ranges": ranges or fill(["10.0.0.0/16"], "ranges of nodes and pods"),
        "egress": egress,
    }


def _homes(live: Live) -> dict[str, Any]:
    found = live.file_system
    if found is None:
        return {"kind": "efs"}
    own = [
        item
        for item in live.of("access_points")
        if item["FileSystemId"] == found["FileSystemId"] and _path(item).startswith("/hubs/")
    ]
    if own:
        return {"kind": "efs"}
    path = (
        "directory on the file system that holds the homes (the path of the old volume with its"
        " subPath, before the name)"
    )
    owner = "root (hubs of 2021: CHOWN_HOME, uid 0) or users (1000:100 already)"
    return {"kind": "efs", "adopted": {"path": fill("/home", path), "owner": fill("root", owner)}}


def _path(point: Mapping[str, Any]) -> str:
    return str(point.get("RootDirectory", {}).get("Path", "/"))


def _homes_note(live: Live) -> str:
    if live.file_system is not None:
        return f"File system {live.file_system_id}."
    here = sorted({str(item["FileSystemId"]) for item in live.of("mount_targets")})
    if here:
        return (
            f"Several file systems are mounted in this VPC ({', '.join(here)}): run the scan again"
            " with --file-system, or a new one is made."
        )
    return (
        "No file system of EFS is mounted in this VPC: one would be made, and homes elsewhere would"
        " stay where they are."
    )


def _existing_homes(live: Live) -> dict[str, Any]:
    found = live.file_system
    if found is None:
        kinds = "efs_access_point, nfs or ebs (docs/reference.md); ephemeral keeps nothing"
        return {"kind": fill("ephemeral", f"where homes are: {kinds}")}
    points = [
        item for item in live.of("access_points") if item["FileSystemId"] == found["FileSystemId"]
    ]
    users = [(item.get("PosixUser") or {}) for item in points]
    fitting = [  # for what servers run as
        item
        for item, user in zip(points, users, strict=True)
        if (user.get("Uid"), user.get("Gid")) == (1000, 100)
    ]
    if len(fitting) == 1:
        note = f"root directory {_path(fitting[0])}"
        point: Any = Noted(value=fitting[0]["AccessPointId"], note=note)
    else:
        command = (
            f"aws efs create-access-point --file-system-id {found['FileSystemId']} --posix-user"
            " Uid=1000,Gid=100 --root-directory Path=/home"
        )
        point = fill(
            "fsap-00000000000000000",
            "one for 1000:100 and the directory of homes;"
            f" {'there are several' if fitting else f'there is none: {command}'}",
        )
    return {"kind": "efs_access_point", "file_system": found["FileSystemId"], "access_point": point}


def _existing_homes_note(live: Live) -> str:
    if live.file_system is None:
        return (
            "The scan does not know where homes are: no single EFS file system is mounted in this"
            " VPC (--file-system names one)."
        )
    return "Homes stay where they are. The cluster needs the add-on aws-efs-csi-driver."


def _short(name: str) -> Any:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "jhub"
    plain = plain if plain[0].isalpha() else f"x{plain}"
    return Noted(
        value=plain[:_LONGEST_NAME].rstrip("-"),
        note="the beginning of names; the cluster keeps its own",
    )

"""From answers to a stack: its sections with their comments. Nothing is in it that the user did
not choose, except what the options need to be whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterhub_aws.config.entry import HOSTNAME
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.formats import FORMAT
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.node_size import server_room
from jupyterhub_aws.config.stack_text import Noted, text_of, to_fill_in
from jupyterhub_aws.init import defaults
from jupyterhub_aws.init.question import Answers
from jupyterhub_aws.init.questions import SERVERS

_CORE = ("m7i.large", "m6i.large", "m5.large")
#: For servers with 4 GB and with 8 GB for each CPU: twins of one shape, so that spot finds more of
#: them (config/data/ec2_types.json; a test compares).
_NODES = {
    4: ("m6i.2xlarge", "m5.2xlarge", "m6a.2xlarge", "m5a.2xlarge"),
    8: ("r6i.2xlarge", "r5.2xlarge", "r6a.2xlarge", "r5a.2xlarge"),
}
_GPU_NODE = "g4dn.xlarge"
_GUARANTEE, _MOST_PODS = 0.5, 40
_CORE_DISK, _GPU_DISK = 50, 200
_IMAGE = "quay.io/jupyter/scipy-notebook:2026-08-03"
_GPU_IMAGE = "quay.io/jupyter/pytorch-notebook:cuda12-2026-08-03"
#: A placeholder for a certificate until there is one; it signed nothing.
_NO_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ2xhdWRl\n-----END CERTIFICATE-----\n"
)

_SIGN_IN, _ENTRY, _PEER = "hubs.main.sign_in", "hubs.main.entry", "network.peer_networks.corporate"
_API = "cluster.api.public_access_cidrs"


@dataclass(frozen=True, kw_only=True)
class ProjectDraft:
    """Sections of a stack by their names, a comment above each, and what the file begins with."""

    sections: Mapping[str, Any]
    comments: Mapping[str, str]
    head: str

    def text(self, project: str) -> str:
        """The stack file of a project."""
        return text_of(self.head, self.sections, self.comments, project)

    @property
    def to_fill_in(self) -> list[tuple[str, str]]:
        """Paths and notes of values that stand in for what only the user knows."""
        return list(to_fill_in(self.sections))


def drafted(variant: str, answers: Answers, stack: str) -> ProjectDraft:
    """The stack that a variant becomes by these answers. Raises ConfigError for one that is no
    number or no file.
    """
    section = {"open": _open, "airgap": _airgap, "existing": _existing}[variant]
    sections = {"format": FORMAT, **section(answers)}
    comments = {name: _COMMENTS[name] for name in sections if name in _COMMENTS}
    comments |= _OF_VARIANT.get(variant, {})
    head = _HEADS[variant].format(stack=stack)
    return ProjectDraft(sections=sections, comments=comments, head=head)


def inner_text(project: str, stack: str) -> str:
    """The file of the second stack of an isolated network: it takes its configuration from the
    first one's.
    """
    head = (
        f"The inside of the stack {stack}: everything that the Kubernetes API makes. It reads"
        f" Pulumi.{stack}.yaml; only its secrets are here."
    )
    return text_of(head, {"format": FORMAT, "cloud_stack": stack}, {}, project)


_HEADS = {
    "open": (
        "The stack {stack}: a JupyterHub on AWS. Nothing here is secret. Every option:"
        " docs/reference.md of jupyterhub-aws, or `jhub docs`.\n`jhub plan {stack}` shows what it"
        " becomes, `pulumi up -s {stack}` builds it."
    ),
    "airgap": (
        "The stack {stack}: a JupyterHub in an isolated network. Nothing here is secret. Every"
        " option: docs/reference.md of jupyterhub-aws, or\n`jhub docs`. This file is the part that"
        " AWS's API makes; the inside of the cluster is the stack {stack}-hub, which reads this"
        " file too.\n`jhub plan {stack}-hub` plans both and proves that nothing in them reaches the"
        " internet. How to build it: docs/airgap.md of jupyterhub-aws."
    ),
    "existing": (
        "The stack {stack}: a JupyterHub in a cluster that exists. Nothing here is secret. Every"
        " option: docs/reference.md of jupyterhub-aws, or\n`jhub docs`. `jhub plan {stack}` shows"
        " what it becomes, `pulumi up -s {stack}` builds it."
    ),
}
_COMMENTS = {
    "name": "Name of the cluster and prefix of everything in AWS. Another name is another cluster.",
    "tags": "On every resource.",
    "network": "Private nodes in their own VPC.",
    "cluster": "The control plane. Its nodes are below, in `pools`.",
    "pools": (
        "Nodes. `core` is always on: hub, proxy, autoscaler. The others come when users start"
        " servers and go when they stop."
    ),
    "homes": (
        "Users' home directories. They are backed up daily and weekly (docs/backups.md of"
        " jupyterhub-aws)."
    ),
    "registry": "Images and charts come from here; `jhub bundle` fills it.",
    "runner": (
        "A machine without an open port, in the network, on which `pulumi up` of the inner stack"
        " runs."
    ),
    "hubs": "The hub. Others may follow under other names: they share nodes and nothing else.",
}
_OF_VARIANT = {
    "airgap": {
        "network": (
            "No internet gateway, no NAT, no public address: private endpoints for the AWS APIs"
            " that something here calls."
        )
    },
    "existing": {
        "cluster": "Reached by KUBECONFIG or ~/.kube/config; `kubeconfig` names another file.",
        "name": "Prefix of what the stack makes. Another name is another stack.",
        "network": "What pods have to know of the cluster's network.",
        "pools": (
            "Nodes that exist, labelled hub.jupyter.org/node-purpose: user and jupyterhub-aws/pool:"
            " users."
        ),
        "homes": "Users' home directories.",
        "registry": "Images are imported on every node.",
    },
}


def _open(answers: Answers) -> dict[str, Any]:
    networks = answers.listed(_API)
    api = {"public_access_cidrs": answers.marked(_API, networks)}
    if "0.0.0.0/0" in networks:
        note = "every address may connect; only your AWS identities are let in"
        api["public"] = Noted(value=True, note=note)
    return {
        **_in_aws(answers),
        "network": {
            "mode": "open",
            "zones": answers.listed("network.zones"),
            "nat": answers["network.nat"],
        },
        "cluster": {**_cluster(answers), "api": api, **_unprotected(answers)},
        "pools": _pools(answers),
        "homes": {"kind": answers["homes.kind"]},
        "hubs": {"main": _hub(answers)},
    }


def _airgap(answers: Answers) -> dict[str, Any]:
    mirror = answers["hubs.main.package_mirrors.pip"]
    mirrors = {"package_mirrors": {"pip": mirror}} if mirror else {}
    gateway, cidrs = f"{_PEER}.via.id", f"{_PEER}.cidrs"
    return {
        **_in_aws(answers),
        "parts": "cloud",
        "network": {
            "mode": "airgap",
            "cidr": "10.64.0.0/16",
            "zones": answers.listed("network.zones"),
            "endpoint_zones": answers["network.endpoint_zones"],
            "egress": {"kind": "none"},
            **_internal_hosts(answers),
            "peer_networks": {
                "corporate": {
                    "cidrs": answers.marked(cidrs, answers.listed(cidrs)),
                    "ports": Noted(value=[636, 443], note="LDAPS, and HTTPS of package mirrors"),
                    "servers": Noted(value=True, note="users' servers reach these ports too"),
                    "via": {
                        "kind": "transit_gateway",
                        "id": answers.marked(gateway, answers[gateway]),
                    },
                }
            },
        },
        "cluster": {**_cluster(answers), **_unprotected(answers)},
        "registry": {
            "kind": "ecr",
            "account": answers.marked("accounts", answers["accounts"]),
            "charts": Noted(value="/opt/bundle/charts", note="a folder on the runner"),
        },
        "runner": {
            "instance_type": "t3.medium",
            "policies": Noted(
                value=[], note="the policy of your state's bucket and key (examples/backend)"
            ),
        },
        "pools": _pools(answers),
        "homes": {"kind": answers["homes.kind"]},
        "hubs": {"main": _hub(answers, internal=True) | mirrors},
    }


def _existing(answers: Answers) -> dict[str, Any]:
    closed = answers["network.egress.kind"] == "none"
    context = {"context": answers["cluster.context"]} if answers["cluster.context"] else {}
    homes = {"kind": answers["homes.kind"]} | _answered(
        answers, "homes", ("server", "path", "file_system", "access_point")
    )
    path = "hubs.main.database.storage_class"
    storage_class = answers.marked(path, answers[path])
    database = {"kind": "sqlite_on_class", "storage_class": storage_class}
    registry = {"kind": "on_nodes", "charts": answers["registry.charts"]} if closed else None
    pool = {key: answers.number(f"pools.users.{key}") for key in ("cores", "memory_gib", "nodes")}
    return {
        "name": answers["name"],
        "tags": _tags(answers),
        "network": {
            "mode": "unmanaged",
            "ranges": answers.listed("network.ranges"),
            "egress": {"kind": answers["network.egress.kind"]},
            **(_internal_hosts(answers) if closed else {}),
        },
        "cluster": {
            "kind": "existing",
            "version": answers["cluster.version"],
            **context,
            **_unprotected(answers),
        },
        **({"registry": registry} if registry else {}),
        "pools": {"users": {"capacity": "existing", **pool}},
        "homes": homes,
        "hubs": {"main": {**_hub(answers), "database": database}},
    }


def _internal_hosts(answers: Answers) -> dict[str, Any]:
    path = "network.internal_hosts"
    return {"internal_hosts": answers.marked(path, answers.listed(path))}


def _in_aws(answers: Answers) -> dict[str, Any]:
    account = answers["accounts"]
    return {
        "region": answers["region"],
        **({"accounts": answers.marked("accounts", [account])} if account else {}),
        "name": answers["name"],
        "tags": _tags(answers),
    }


def _tags(answers: Answers) -> dict[str, str]:
    return {"owner": answers["tags.owner"], "environment": answers["purpose"]}


def _cluster(answers: Answers) -> dict[str, Any]:
    administrators = answers.listed("cluster.administrators")
    return {
        "kind": "eks",
        "version": defaults.kubernetes(),
        **({"administrators": administrators} if administrators else {}),
    }


def _unprotected(answers: Answers) -> dict[str, Any]:
    if answers["purpose"] != "trial":
        return {}
    return {"protected": Noted(value=False, note="`pulumi destroy` deletes it: for a trial")}


def _pools(answers: Answers) -> dict[str, Any]:
    cpu, memory = SERVERS[answers["server"]]
    kinds = _NODES[memory // cpu]
    each, gpus = servers_per_node(cpu, memory), answers.number("gpu")
    # A volume is in one zone, so there is a group of nodes for each zone, and a size is each
    # group's.
    zones = len(answers.listed("network.zones")) if answers["homes.kind"] == "ebs" else 1
    nodes = math.ceil(answers.number("users") / each / zones)
    note = f"{each} servers on each{', in each zone' if zones > 1 else ''}"
    spot_first = "spot nodes, and on-demand nodes where there are none"
    pools: dict[str, Any] = {
        "core": {
            "instance_types": list(_CORE),
            "size": 1 if answers["purpose"] == "trial" else 2,
            "disk": {"size_gib": _CORE_DISK},
        },
        "users": {
            "capacity": Noted(value="spot_first", note=spot_first),
            "instance_types": list(kinds),
            "size": {"min": 0, "max": Noted(value=nodes, note=note)},
        },
    }
    if gpus:
        pools["gpu"] = {
            "capacity": "spot_first",
            "instance_types": [_GPU_NODE],
            "size": {"min": 0, "max": gpus},
            "disk": Noted(value={"size_gib": _GPU_DISK}, note="images with CUDA are large"),
        }
    return pools


def servers_per_node(cpu: int, memory: int) -> int:
    """How many servers of a size, by what is guaranteed to each, fit on a node of their pool.
    The plan counts them again.
    """
    room = server_room([instance_type(name) for name in _NODES[memory // cpu]], _MOST_PODS)
    return min(
        int(room.cpu_millicores / (1000 * cpu * _GUARANTEE)),
        int(room.memory_mib / (1024 * memory * _GUARANTEE)),
    )


def _hub(answers: Answers, *, internal: bool = False) -> dict[str, Any]:
    cpu, memory = SERVERS[answers["server"]]
    profiles: dict[str, Any] = {
        "standard": {
            "display_name": f"{cpu} CPU{'s' if cpu > 1 else ''}, {memory} GB",
            "pool": "users",
            "cpu": cpu,
            "memory": f"{memory}G",
            "default": True,
        }
    }
    if answers.get("gpu", "0") != "0":
        profiles["gpu"] = {
            "display_name": "One GPU",
            "pool": "gpu",
            "cpu": 3,
            "memory": "12G",
            "gpus": Noted(value=1, note=_gpu_note(answers[f"{_SIGN_IN}.kind"])),
            "image": _GPU_IMAGE,
        }
    return {
        "sign_in": _sign_in(answers),
        "entry": _entry(answers, internal=internal),
        "image": Noted(value=_IMAGE, note="any image with JupyterHub 5, pinned by a tag or digest"),
        "profiles": profiles,
    }


def _gpu_note(kind: str) -> str:
    """Who may start a GPU node."""
    note = "every user may start one"
    knows_groups = kind not in ("shared_password", "native")
    return f"{note}; for members of a group alone: groups: [NAME]" if knows_groups else note


def _sign_in(answers: Answers) -> dict[str, Any]:
    kind = answers[f"{_SIGN_IN}.kind"]
    options = (
        *("client_id", "authorize_url", "token_url", "userinfo_url", "domain", "server"),
        *("tenant_id", "issuer", "jwks_url"),
    )
    found: dict[str, Any] = {"kind": kind, **_answered(answers, _SIGN_IN, options)}
    if kind == "ldap":
        path = f"{_SIGN_IN}.bind_dn_templates"
        found["bind_dn_templates"] = answers.marked(path, [answers[path]])
        path = f"{_SIGN_IN}.ca_certificate"
        found["ca_certificate"] = _pem(answers, path, lambda _: _NO_CERTIFICATE)
    if kind == "oidc":
        found["groups_claim"] = "groups"
    if kind == "cilogon":
        path = f"{_SIGN_IN}.identity_provider"
        provider = {"entity_id": answers.marked(path, answers[path]), "all_users": True}
        found["identity_providers"] = {"home": provider}
    lists = ("allowed_organizations", "allowed_domains", "client_ids", "allowed_groups")
    for name in (*lists, "administrators"):
        path = f"{_SIGN_IN}.{name}"
        if values := answers.listed(path):
            found[name] = answers.marked(path, values)
    return found


def _entry(answers: Answers, *, internal: bool) -> dict[str, Any]:
    kind = "load_balancer" if internal else answers.get(f"{_ENTRY}.kind", "load_balancer")
    if kind == "port_forward":
        return {"kind": kind}
    found: dict[str, Any] = {
        "kind": kind,
        **({"internal": True} if internal else {}),
        **_answered(answers, _ENTRY, ("hostname", "route53_zone")),
    }
    if kind == "node_port":
        certificate = _pem(answers, f"{_ENTRY}.tls.certificate", _own_certificate)
        return {**found, "tls": {"kind": "certificate", "certificate": certificate}}
    networks, arn = answers.listed(f"{_ENTRY}.allowed_cidrs"), f"{_ENTRY}.tls.certificate_arn"
    found["allowed_cidrs"] = answers.marked(f"{_ENTRY}.allowed_cidrs", networks)
    if "0.0.0.0/0" in networks:
        found["public"] = Noted(value=True, note="the whole internet reaches the sign-in page")
    if arn in answers:
        found["tls"] = {"kind": "acm", "certificate_arn": answers.marked(arn, answers[arn])}
    return found


def _answered(answers: Answers, section: str, names: tuple[str, ...]) -> dict[str, Any]:
    """Those options of a section that were asked for and answered."""
    return {
        name: answers.marked(path, answers[path])
        for name in names
        if answers.get(path := f"{section}.{name}")
    }


def _own_certificate(answers: Answers) -> str:
    from jupyterhub_aws.operate.certificate import stand_in

    name = answers[f"{_ENTRY}.hostname"]
    # The models refuse a name that is none.
    return stand_in(name) if HOSTNAME.fullmatch(name) else _NO_CERTIFICATE


def _pem(answers: Answers, path: str, stand_in: Callable[[Answers], str]) -> Any:
    """The certificate in the file that was named, or a placeholder for it. Raises
    ConfigError for a file that is none.
    """
    name = answers[path]
    if not name:
        return answers.marked(path, stand_in(answers))
    try:
        return Path(name).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        what = f"cannot be read from {name} ({reason})"
        fix = "name a file in PEM form, or leave it empty"
        raise refused("jhub init", "file.unreadable", path, what, fix) from None

"""What a stack may say about its cluster: an EKS control plane that it makes, or an existing
cluster.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option, tag
from jupyterhub_aws.config.values import (
    Cidr,
    KmsKeyArn,
    KubernetesMinor,
    PrincipalArn,
    world_only_by_name,
)

_MOST_CIDRS = (
    40  # EKS, "publicAccessCidrs": service quota "Public endpoint access CIDR ranges per cluster"
)


def _quoted(value: object) -> object:
    if isinstance(value, bool):
        fix = 'write major and minor in quotes, such as "1.35"'
        raise refuse("version.unquoted", f"must be a quoted string (got {shown(value)})", fix)
    if isinstance(value, (int, float)):
        # 1.3 arrives where the user wrote 1.30, so two decimals restore what was meant.
        meant = (
            f"{value:.2f}" if isinstance(value, float) and 1 < value < 2 else "1.35"
        )  # Kubernetes 1.x
        what = (
            f"must be a quoted string (got the number {shown(value)}): as a number 1.30 turns"
            " into 1.3"
        )
        raise refuse("version.number", what, f'write it in quotes, such as "{meant}"')
    return value


class ApiAccess(Model):
    """Which networks can reach the Kubernetes API. The private endpoint inside the VPC is always
    on.
    """

    public_access_cidrs: tuple[Cidr, ...] = option(
        (),
        help=(
            "Networks outside the VPC that may reach the API: your office, your VPN, your CI."
            " Empty: the API answers inside the VPC only."
        ),
        changing=(
            "In place, takes some minutes. Users' servers are not affected; from a removed range"
            " kubectl and pulumi no longer work."
        ),
        max_length=_MOST_CIDRS,
    )
    public: bool = option(
        False,
        help=(
            "Set to true to allow 0.0.0.0/0 among `public_access_cidrs`. Shown as a warning in"
            " every plan."
        ),
        changing="In place.",
    )

    @model_validator(mode="after")
    def _world_only_by_name(self) -> Self:
        world_only_by_name(
            "public_access_cidrs",
            self.public_access_cidrs,
            public=self.public,
            opens="opens the Kubernetes API to the whole internet",
        )
        return self


Version = Annotated[KubernetesMinor, BeforeValidator(_quoted)]


class EksCluster(Model):
    """An EKS control plane that the stack makes."""

    kind: Literal["eks"] = tag(
        "eks",
        help="`eks`: the stack makes it.",
        changing="Another cluster. Never on a stack in use.",
    )
    version: Version = option(
        help=(
            'Kubernetes minor version, quoted: "1.35". Add-ons, node images and the autoscaler'
            " follow from it."
        ),
        changing=(
            "In place, one minor version at a time, never a downgrade. The control plane moves"
            " first; new nodes start with the new version."
        ),
    )
    administrators: tuple[PrincipalArn, ...] = option(
        (),
        help=(
            "IAM roles and users that get cluster-admin through access entries. The principal that"
            " creates the cluster has it already: do not list it."
        ),
        changing="In place, at once.",
    )
    api: ApiAccess = option(
        ApiAccess(), help="Which networks can reach the Kubernetes API.", changing="In place."
    )
    service_cidr: Cidr = option(
        "172.20.0.0/16",
        help=(
            "Addresses of Kubernetes services. Must not overlap the VPC or networks that pods"
            " talk to."
        ),
        changing="Replaces the cluster.",
    )
    logs: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = (
        option(
            ("api", "audit", "authenticator"),
            help="Control-plane logs that are sent to CloudWatch.",
            changing="In place.",
        )
    )
    log_retention_days: Literal[
        1,
        3,
        7,
        14,
        30,
        60,
        90,
        120,
        150,
        180,
        365,
        400,
        545,
        731,
        1096,
        1827,
        2192,
        2557,
        2922,
        3288,
        3653,
    ] = option(
        30,
        help="Retention of control-plane logs.",
        unit="days",
        changing="In place: older records are deleted.",
    )
    volume_key: KmsKeyArn | None = option(
        None,
        help=(
            "A KMS key of yours for the nodes' root volumes. Without it they are encrypted with the"
            " account's aws/ebs key."
        ),
        changing="New nodes use it; running ones keep theirs.",
    )
    protected: bool = option(
        True,
        help=(
            "Refuse to delete the cluster. Set false for a trial that you will tear down; then run"
            " `pulumi up` before `pulumi destroy`."
        ),
        changing="In place, nothing restarts.",
    )

    @field_validator("administrators", "logs")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            fix = "remove one of them"
            raise refuse("administrators.twice", f"names {shown(twice[0])} twice", fix)
        # IAM user guide, "IAM and STS quotas": names are unique in an account, whatever the path
        # before them. One of the two does not exist.
        known: dict[tuple[str, str], str] = {}
        for value in values:
            before, _, name = value.rpartition("/")
            other = known.setdefault((before.partition("/")[0], name), value)
            if other != value:
                what = (
                    f"names {name} by two paths, of which an account has one ({shown(other)},"
                    f" {shown(value)})"
                )
                raise refuse("administrators.same-name", what, "keep the one that IAM shows")
        return values


def _path(value: str) -> str:
    if "BEGIN CERTIFICATE" in value or "apiVersion" in value:
        fix = "write the path of the file; it stays outside the stack file"
        raise refuse("kubeconfig.contents", "is a kubeconfig itself, which holds credentials", fix)
    if value.startswith("~"):
        what = f"begins with ~, which is not expanded there (got {shown(value)})"
        fix = "leave it out for ~/.kube/config, or write the whole path"
        raise refuse("kubeconfig.tilde", what, fix)
    return value


class ExistingCluster(Model):
    """An existing cluster: kubeadm, kops, or EKS that another team made. Its owner manages its
    nodes, network and add-ons.
    """

    kind: Literal["existing"] = tag(
        "existing",
        help="`existing`: reached by a kubeconfig.",
        changing="Another cluster. Never on a stack in use.",
    )
    version: Version = option(
        help='Kubernetes minor version, quoted: "1.35".', changing="Nothing by itself."
    )
    kubeconfig: Annotated[str, AfterValidator(_path)] | None = option(
        None,
        help=(
            "Path of the kubeconfig, from the folder in which `pulumi` runs. Without it KUBECONFIG"
            " or ~/.kube/config."
        ),
        changing="Nothing by itself.",
    )
    context: str | None = option(
        None,
        help="Its context, where it has several. Without it the current one.",
        changing="Another cluster.",
        min_length=1,
    )
    service_cidr: Cidr = option(
        "10.96.0.0/12",
        help="Addresses of Kubernetes services (kubeadm's default).",
        changing="Nothing by itself.",
    )
    protected: bool = option(
        True,
        help="Refuse to delete namespaces, claims and volumes.",
        changing="In place, nothing restarts.",
    )


AnyCluster = EksCluster | ExistingCluster
#: Discriminated by `kind`.
Cluster = Annotated[AnyCluster, Field(discriminator="kind")]

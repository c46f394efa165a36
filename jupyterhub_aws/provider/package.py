"""The Pulumi package: its components with their arguments and outputs, and the schema from which
SDKs of other languages are made.

Each component is the one of the Python interface, under its type token. What is here says which of
its outputs other languages see, and the few arguments that Python says otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from functools import cached_property
from operator import attrgetter
from typing import Any

import pulumi
from pulumi.provider.experimental.analyzer import ComponentDefinition
from pulumi.provider.experimental.schema import generate_schema
from pulumi.provider.experimental.util import camel_case

from jupyterhub_aws.components.airgap.existing import ExistingNetwork, ExistingNetworkArgs
from jupyterhub_aws.components.airgap.network import AirgapNetwork, AirgapNetworkArgs
from jupyterhub_aws.components.arguments import Arguments
from jupyterhub_aws.components.autoscaler import (
    AutoscalerPolicy,
    AutoscalerPolicyArgs,
    ClusterAutoscaler,
    ClusterAutoscalerArgs,
)
from jupyterhub_aws.components.backups import Backups, BackupsArgs
from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.buckets import Buckets, BucketsArgs
from jupyterhub_aws.components.cluster.cluster import Cluster, ClusterArgs
from jupyterhub_aws.components.homes.efs import EfsHomes, EfsHomesArgs
from jupyterhub_aws.components.hub.args import JupyterHubArgs
from jupyterhub_aws.components.hub.hub import JupyterHub
from jupyterhub_aws.components.image_repositories import ImageRepositories, ImageRepositoriesArgs
from jupyterhub_aws.components.monitoring.monitoring import Monitoring, MonitoringArgs
from jupyterhub_aws.components.network.network import Network, NetworkArgs
from jupyterhub_aws.components.node_agents import NodeAgents, NodeAgentsArgs
from jupyterhub_aws.components.platform import JupyterHubPlatform, JupyterHubPlatformArgs
from jupyterhub_aws.components.pools.pools import NodePools, NodePoolsArgs
from jupyterhub_aws.config.homes import Homes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.model import Model
from jupyterhub_aws.config.specs.alarms import MonitoredHub
from jupyterhub_aws.config.specs.images import Images
from jupyterhub_aws.provider.handles import Handle, Handles, handle_shape
from jupyterhub_aws.provider.shapes import (
    ANYTHING,
    FLAG,
    PACKAGE,
    TEXT,
    Property,
    Shape,
    Shapes,
    in_any_language,
    list_of,
    live,
    map_of,
    paragraphs,
)
from jupyterhub_aws.provider.values import handle
from jupyterhub_aws.version import __version__

#: A name of several words in backticks.
_NAME = re.compile(r"(?<=`)[a-z0-9]+(?:_[a-z0-9]+)+(?=`)")


@dataclass(frozen=True)
class Output:
    """An output of a component: its shape and meaning, and how it is got from the component that
    was made.
    """

    shape: Shape
    doc: str
    get: Callable[[Any], Any]
    _: KW_ONLY
    optional: bool = False


@dataclass(frozen=True, eq=False)
class Exported:
    """A component as other languages have it.

    `inputs` and `outputs` are by their names in Python. `added` are arguments that the Python
    interface has in another form: `prepare` turns them into arguments of `args`, or `finish` uses
    them on the component that was made. `in_cluster`: it makes objects in the cluster of its
    argument `cluster`.
    """

    kind: type[Component]
    args: type
    inputs: Mapping[str, Property]
    outputs: Mapping[str, Output]
    _: KW_ONLY
    added: Mapping[str, Property] = field(default_factory=dict)
    prepare: Callable[[Arguments, dict[str, Any], Mapping[str, Any]], None] | None = None
    finish: Callable[[Any, Mapping[str, Any]], None] | None = None
    in_cluster: bool = False

    @property
    def name(self) -> str:
        """Its class, and the end of its type token."""
        return self.kind.__name__

    @property
    def arguments(self) -> dict[str, Property]:
        """Every argument."""
        return {**self.inputs, **self.added}

    def definition(self) -> ComponentDefinition:
        """The component as the SDK writes it into a schema."""
        inputs, outputs = self.arguments, self.outputs
        return ComponentDefinition(
            name=self.name,
            inputs={
                camel_case(name): item.shape.definition(
                    item.doc, optional=item.optional, plain=True
                )
                for name, item in inputs.items()
            },
            outputs={
                camel_case(name): live(item.shape).definition(item.doc, optional=item.optional)
                for name, item in outputs.items()
            },
            inputs_mapping={camel_case(name): name for name in inputs},
            outputs_mapping={camel_case(name): name for name in outputs},
            module=None,
            description=paragraphs(self.kind.__doc__ or ""),
        )


def _texts(table: Mapping[str, tuple[str, str]], *, optional: bool = False) -> dict[str, Output]:
    """Outputs that are texts: each with the attribute of the component that has it, and its
    meaning.
    """
    return {
        name: Output(TEXT, doc, attrgetter(attribute), optional=optional)
        for name, (attribute, doc) in table.items()
    }


_OF_CLUSTER = _texts(
    {
        "cluster_name": ("outputs.name_output", "The cluster's name, once EKS has the cluster."),
        "endpoint": ("outputs.endpoint", "The address of the Kubernetes API."),
        "certificate_authority": (
            "outputs.certificate_authority",
            "The certificate authority of the API, in base64.",
        ),
        "security_group_id": (
            "outputs.control_plane_group_id",
            "The security group that EKS made for the cluster.",
        ),
        "node_security_group_id": ("outputs.node_group_id", "The security group of nodes."),
        "kubeconfig": (
            "outputs.kubeconfig_json",
            "A kubeconfig without credentials, which asks the `aws` CLI for a token:"
            " for Kubernetes providers of your own.",
        ),
    }
)
_OF_POOLS = _texts(
    {
        "core_group_name": ("outputs.core_group_name", "The Auto Scaling group of the core nodes."),
        "core_node_role": ("outputs.core_node_role", "The name of the core nodes' IAM role."),
        "user_node_role": ("outputs.user_node_role", "The name of the user nodes' IAM role."),
    },
    optional=True,
)
_OF_AUTOSCALER = {
    **_texts(
        {
            "role_arn": ("role_arn", "The role of the autoscaler's pod."),
            "policy_arn": ("policy_arn", "The policy of that role."),
        }
    ),
    **_texts({"release": ("release", "The name of the Helm release.")}, optional=True),
}
_OF_BACKUPS = _texts(
    {
        "vault_name": ("outputs.vault_name", "The vault of AWS Backup."),
        "policy_id": ("outputs.policy_id", "The policy of Data Lifecycle Manager."),
    },
    optional=True,
)


class Package:
    """The components with their object types."""

    def __init__(self) -> None:
        """Make every type once."""
        self.shapes = Shapes()
        self.handles = Handles(self.shapes)
        self.shapes.known |= {
            Images: _images(self.shapes),
            MonitoredHub: _monitored_hub(self.shapes),
        }
        exported = (
            *self._networks(),
            self._cluster(),
            self._pools(),
            *self._services(),
            self._homes(),
            self._backups(),
            self._buckets(),
            self._hub(),
            self._platform(),
        )
        #: By class name.
        self.components: dict[str, Exported] = {item.name: item for item in exported}

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The package's schema
        (https://www.pulumi.com/docs/iac/using-pulumi/extending-pulumi/schema/).
        """
        components = {name: item.definition() for name, item in sorted(self.components.items())}
        types = {name: item.definition() for name, item in sorted(self.shapes.objects.items())}
        made: dict[str, Any] = generate_schema(
            PACKAGE, __version__, None, components, types, []
        ).to_json()
        names = {
            name for item in self.components.values() for name in (*item.arguments, *item.outputs)
        }
        names |= {name for item in self.shapes.objects.values() for name in item.properties}
        return {
            **_worded(made, names - self.shapes.words),
            "displayName": "JupyterHub on AWS",
            "description": (
                "JupyterHub on Amazon EKS: a whole platform from a configuration, or its components"
                " by themselves."
            ),
            "license": "Apache-2.0",
            # Else it would be called @pulumi/jupyterhub-aws.
            "language": {
                **made["language"],
                "nodejs": {**made["language"]["nodejs"], "packageName": PACKAGE},
            },
            "keywords": [
                *("pulumi", "jupyterhub", "aws", "eks"),
                *("category/infrastructure", "kind/component"),
            ],
        }

    def _exported(
        self,
        kind: type[Component],
        args: type,
        outputs: Mapping[str, Output],
        docs: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Exported:
        """A component with every argument that the Python interface has, but `depends_on`, which is
        a resource option in every language. `docs` say what the docstring of `args` does not;
        `more` as in `Exported`: an added argument takes the place of one with its name.
        """
        without = ("depends_on", *more.get("added", ()))
        inputs = self.shapes.of_dataclass(args, without=without, docs=docs)
        return Exported(kind, args, inputs, outputs, **more)

    def _networks(self) -> Iterator[Exported]:
        private, public = (
            Output(
                list_of(TEXT),
                f"The {which} subnets, in the order of the zones.",
                attrgetter(f"outputs.{which}_subnet_ids"),
            )
            for which in ("private", "public")
        )
        shared = {
            **_texts({"vpc_id": ("outputs.vpc_id", "The VPC.")}),
            "private_subnet_ids": private,
            "handle": self._handle(
                self.handles.network, "clusters", lambda made: self.handles.of_network(made.outputs)
            ),
        }
        yield self._exported(Network, NetworkArgs, {**shared, "public_subnet_ids": public})
        yield self._exported(AirgapNetwork, AirgapNetworkArgs, shared)
        yield self._exported(ExistingNetwork, ExistingNetworkArgs, shared)

    def _cluster(self) -> Exported:
        handle = self._handle(
            self.handles.cluster,
            "node pools, homes, hubs and monitoring",
            lambda made: self.handles.of_cluster(made.outputs),
        )
        docs = {"log_retention_days": "For how many days these logs are kept. The default is 30."}
        return self._exported(Cluster, ClusterArgs, {**_OF_CLUSTER, "handle": handle}, docs)

    def _pools(self) -> Exported:
        docs = {
            "pools": "The pools of users' servers by names of your choice.",
            "core": (
                "The nodes of hubs and controllers, which every cluster needs once. Without it two"
                " of m7i.large."
            ),
        }
        no_core = "The core nodes exist already: none are made."
        outputs = {
            "group_names": Output(
                map_of(TEXT),
                "The Auto Scaling groups of user pools, by pool, market and zone.",
                lambda made: dict(made.outputs.group_names),
            ),
            **_OF_POOLS,
            "scheduling": Output(
                ANYTHING,
                "By pool, what a pod says to land there.",
                attrgetter("outputs.spec.scheduling"),
            ),
            "handle": self._handle(
                self.handles.pools, "autoscaler, hubs and monitoring", self._pools_handle
            ),
        }
        return self._exported(
            NodePools,
            NodePoolsArgs,
            outputs,
            docs,
            added={"no_core": Property(FLAG, no_core, optional=True)},
            prepare=_left_out("core"),
        )

    def _services(self) -> Iterator[Exported]:
        yield self._exported(NodeAgents, NodeAgentsArgs, {}, in_cluster=True)
        yield self._exported(
            ClusterAutoscaler, ClusterAutoscalerArgs, _OF_AUTOSCALER, in_cluster=True
        )
        policy = _texts({"arn": ("arn", "The policy's ARN.")})
        yield self._exported(AutoscalerPolicy, AutoscalerPolicyArgs, policy)
        of_images = {
            "addresses": Output(
                map_of(TEXT),
                "The address of each repository by its name, as image names begin with it.",
                lambda made: dict(made.addresses),
            ),
            "arns": Output(
                map_of(TEXT), "The ARN of each repository.", lambda made: dict(made.arns)
            ),
        }
        docs = {"repositories": "The repositories by name."}
        yield self._exported(ImageRepositories, ImageRepositoriesArgs, of_images, docs)
        topic = {"topic_arn": ("topic_arn", "The SNS topic of alarms, for further subscriptions.")}
        yield self._exported(Monitoring, MonitoringArgs, _texts(topic))

    def _homes(self) -> Exported:
        outputs = {
            **_texts({"file_system_id": ("outputs.file_system_id", "The file system.")}),
            "volume_handles": Output(
                map_of(TEXT),
                "What a volume of the CSI driver names, by hub.",
                lambda made: dict(made.outputs.volume_handles),
            ),
            "handle": self._handle(
                self.handles.homes,
                "hubs and monitoring",
                lambda made: self.handles.of_homes(made.outputs),
            ),
        }
        return self._exported(EfsHomes, EfsHomesArgs, outputs)

    def _backups(self) -> Exported:
        weekly = "When the backup of each week begins, in UTC, and for how many weeks it is kept."
        no_weekly = "No weekly backups besides the daily ones."
        handle = self._handle(
            self.handles.backups, "homes", lambda made: self.handles.of_backups(made.outputs)
        )
        return self._exported(
            Backups,
            BackupsArgs,
            {**_OF_BACKUPS, "handle": handle},
            {"weekly": weekly},
            added={"no_weekly": Property(FLAG, no_weekly, optional=True)},
            prepare=_left_out("weekly"),
        )

    def _buckets(self) -> Exported:
        outputs = {
            "bucket_names": Output(
                map_of(TEXT),
                "Their names in AWS, by the names that they were given.",
                lambda made: {name: spec.bucket_name for name, spec in made.outputs.specs.items()},
            ),
            "handle": self._handle(
                self.handles.buckets, "hubs", lambda made: self.handles.of_buckets(made.outputs)
            ),
        }
        return self._exported(Buckets, BucketsArgs, outputs)

    def _hub(self) -> Exported:
        options = {name: item.description or "" for name, item in Hub.model_fields.items()}
        docs = {
            **options,
            "cluster": "The handle of the cluster, or of one of your own.",
            "pools": "The handle of its node pools, or of nodes that exist already.",
            "secrets": (
                "What the options need: `client-secret` of an identity provider,"
                " `ldap-search-password`, `tls-key` of a certificate of your own."
            ),
            "protected": (
                "Namespaces, claims and volumes refuse to be deleted. The default is true."
            ),
            "tags": "Tags of every resource in AWS.",
            "images": "Where images and charts come from; the default: their makers.",
            "buckets": "The handle of buckets, which `aws_access` names.",
            "backups": (
                "The handle of backups: its tag selects the volumes and databases. Without"
                " it nothing of this program backs them up."
            ),
        }
        homes = Property(
            self.shapes.shape(Homes, "homes"),
            "Where homes are, if not in EFS by `efsHomes`.",
            optional=True,
        )
        efs = Property(
            self.handles.homes.shape,
            "The handle of homes in EFS that have an access point for this hub.",
            optional=True,
        )
        outputs = {
            **_texts({"url": ("url", "Where users reach the hub.")}),
            "namespace": Output(TEXT, "Its namespace in the cluster.", _export("namespace")),
            "release": Output(TEXT, "The name of its Helm release.", _export("release")),
            "monitored": Output(
                self.shapes.known[MonitoredHub],
                "The hub as Monitoring takes it among `hubs`.",
                self._monitored,
            ),
            "passwords": Output(
                map_of(TEXT),
                "Passwords that were generated for it, by their owner. Secret.",
                _passwords,
            ),
        }
        return self._exported(
            JupyterHub,
            JupyterHubArgs,
            outputs,
            docs,
            added={"homes": homes, "efs_homes": efs, **_for_servers()},
            prepare=_homes_of_a_hub,
            finish=_give_to_servers,
            in_cluster=True,
        )

    def _platform(self) -> Exported:
        shared = _for_servers()
        servers = self.shapes.object(
            "Servers",
            "What the servers of one hub get besides.",
            {name.removeprefix("server_"): item for name, item in shared.items()},
        )
        hub = {
            "url": Property(live(TEXT), "Where users reach the hub."),
            "namespace": Property(TEXT, "Its namespace in the cluster."),
            "release": Property(
                live(TEXT),
                "The name of its Helm release; absent where another stack makes it.",
                optional=True,
            ),
        }
        hubs = map_of(self.shapes.object("HubOutputs", "A hub of a platform.", hub))
        docs = {
            "configuration": (
                "The sections of a stack file by their names, `region` and `accounts` among them,"
                " in the words of docs/reference.md."
            ),
            "secrets": (
                "What the hubs of the configuration need, by key: `hub-main-client-secret`. They"
                " are handed on, never read."
            ),
            "source": "How messages call the configuration.",
        }
        words = (
            "What `jhub` reads of a stack: export each of them under its name. A secret, because"
            " passwords of hubs are in it."
        )
        exported = {
            "cluster_name": "The cluster's name in EKS.",
            "kubeconfig": "A kubeconfig without credentials: for Kubernetes providers of your own.",
            "vpc_id": "The VPC.",
            "alarms_topic": "The SNS topic of alarms.",
            "bundle_bucket": "The bucket of the bundle, in an isolated network.",
            "runner": "The instance that runs the inner stack, in an isolated network.",
        }
        outputs = {
            "hubs": Output(hubs, "The hubs by name.", _hubs),
            **{
                name: Output(TEXT, doc, _export(name), optional=True)
                for name, doc in exported.items()
            },
            "scheduling": Output(
                ANYTHING,
                "By pool, what a pod says to land there.",
                _export("scheduling"),
                optional=True,
            ),
            "image_repositories": Output(
                map_of(TEXT),
                "The addresses of the repositories for images of your own, by name.",
                _export("image_repositories"),
                optional=True,
            ),
            "exports": Output(ANYTHING, words, lambda made: dict(made.exports)),
        }
        of_servers = Property(
            map_of(servers), "By hub: what its servers get besides.", optional=True
        )
        return self._exported(
            JupyterHubPlatform,
            JupyterHubPlatformArgs,
            outputs,
            docs,
            added={"servers": of_servers},
            prepare=_servers_are_of_hubs,
            finish=_give_to_servers_of_hubs,
        )

    def _handle(self, kind: Handle, consumers: str, get: Callable[[Any], Any]) -> Output:
        return Output(kind.shape, f"What {consumers} need of it: hand it on as it is.", get)

    def _monitored(self, made: JupyterHub) -> pulumi.Output[Any]:
        hub = made.monitored
        return handle(
            {item.name: getattr(hub, item.name) for item in fields(hub)},
            self.shapes.known[MonitoredHub],
        )

    def _pools_handle(self, made: NodePools) -> pulumi.Output[Any]:
        args = made._args
        return self.handles.of_pools(
            made.outputs, args.cluster, per_zone=args.per_zone, paused=args.paused
        )


def schema_text(package: Package) -> str:
    """The text of provider/schema.json."""
    return json.dumps(package.schema, indent=2, ensure_ascii=False) + "\n"


def _worded(schema: Any, names: Collection[str], key: str = "") -> Any:
    """The same with descriptions in words of every language: names of arguments, and handles for
    what Python calls outputs.
    """
    if isinstance(schema, dict):
        return {name: _worded(item, names, name) for name, item in schema.items()}
    if isinstance(schema, str) and key == "description":
        return _NAME.sub(
            lambda found: camel_case(found[0]) if found[0] in names else found[0],
            in_any_language(schema),
        )
    return [_worded(item, names) for item in schema] if isinstance(schema, list) else schema


# --- types that the Python interface has in another form ---


def _images(shapes: Shapes) -> Shape:
    registry = "`HOST[/PREFIX]` of a registry of yours that holds every image and chart."
    lock = (
        "The lock of `jhub bundle lock`, from the project's folder: images are then named by"
        " digest."
    )
    charts = "A folder with the archives of charts, from the project's folder."
    on_nodes = "Images lie on every node, and nothing is pulled."
    properties = {
        "registry": Property(TEXT, registry, optional=True),
        "lock": Property(TEXT, lock, optional=True),
        "on_nodes": Property(FLAG, on_nodes, optional=True),
        "charts": Property(TEXT, charts, optional=True),
    }
    return shapes.object("Images", "The names of images and the source of charts.", properties)


def _monitored_hub(shapes: Shapes) -> Shape:
    found = shapes.of_dataclass(MonitoredHub)
    unknown = (item for item in found.items() if item[1].shape == ANYTHING)
    ids = {name: replace(item, shape=live(TEXT)) for name, item in unknown}
    doc = "A hub as alarms see it. Without an id there is no alarm of what it names."
    return handle_shape(shapes, "MonitoredHub", doc, {**found, **ids})


def _for_servers() -> dict[str, Property]:
    role = (
        "A role in AWS that every server uses, by EKS Pod Identity. Every user of the hub may do"
        " what it may."
    )
    environment = "Environment variables of every server, which are readable in the cluster."
    secrets = "Environment variables of every server, from a Secret."
    return {
        "server_environment": Property(map_of(live(TEXT)), environment, optional=True),
        "server_secrets": Property(map_of(live(TEXT)), secrets, optional=True),
        "server_role_arn": Property(live(TEXT), role, optional=True),
    }


# --- arguments and outputs that the Python interface has in another form ---


def _left_out(name: str) -> Callable[[Arguments, dict[str, Any], Mapping[str, Any]], None]:
    """`no_NAME: true` says what None says in Python, where leaving an argument out has another
    meaning.
    """

    def prepare(given: Arguments, values: dict[str, Any], added: Mapping[str, Any]) -> None:
        if added.get(f"no_{name}"):
            if name in values:
                given.say(
                    "argument.both",
                    f"no_{name}",
                    f"is true, and {name} is given",
                    "remove one of them",
                )
            values[name] = None

    return prepare


class _Homes(Model):
    homes: Homes


def _homes_of_a_hub(given: Arguments, values: dict[str, Any], added: Mapping[str, Any]) -> None:
    section, efs = added.get("homes"), added.get("efs_homes")
    if (section is None) == (efs is None):
        given.say(
            "argument.one-of",
            "homes",
            "must be given, or else efs_homes: one of them, not both",
            "give efsHomes the handle of EfsHomes, or homes a kind",
        )
    elif section is not None:
        found = given.section(_Homes, {"homes": section})
        values["homes"] = None if found is None else found.homes
    else:
        values["homes"] = efs


def _give_to_servers(made: JupyterHub, added: Mapping[str, Any]) -> None:
    if added.get("server_environment"):
        made.add_environment(added["server_environment"])
    if added.get("server_secrets"):
        made.add_secrets(added["server_secrets"])
    if added.get("server_role_arn") is not None:
        made.add_role(added["server_role_arn"])


def _servers_are_of_hubs(
    given: Arguments, values: dict[str, Any], added: Mapping[str, Any]
) -> None:
    configuration = values.get("configuration")
    hubs = configuration.get("hubs") if isinstance(configuration, dict) else None
    for name in added.get("servers") or {}:
        if isinstance(hubs, dict) and name not in hubs:
            given.say(
                "hub.unknown",
                f"servers.{name}",
                "is no hub of the configuration",
                f"choose from {', '.join(hubs)}",
            )


def _give_to_servers_of_hubs(made: JupyterHubPlatform, added: Mapping[str, Any]) -> None:
    for name, values in (added.get("servers") or {}).items():
        _give_to_servers(made.hubs[name], {f"server_{key}": value for key, value in values.items()})


def _passwords(made: JupyterHub) -> pulumi.Output[Any]:
    return pulumi.Output.secret(made.exports["passwords"])


def _hubs(made: JupyterHubPlatform) -> dict[str, Any]:
    return {
        name: {key: value for key, value in hub.exports.items() if key != "passwords"}
        for name, hub in made.hubs.items()
    }


def _export(name: str) -> Callable[[Any], Any]:
    return lambda made: made.exports.get(name)

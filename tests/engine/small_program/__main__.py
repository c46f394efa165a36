"""The least that needs all stand-in plugins: a VPC, pulumi_eks.Cluster as the project uses it,
objects and a release in it.
"""

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as kubernetes

config = pulumi.Config()
imports = config.require_object("imports")


def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Protect the cluster inside the component, and import what the configuration names."""
    options = {}
    if args.type_ == "aws:eks/cluster:Cluster":
        options["protect"] = True
    if f"{args.type_}::{args.name}" in imports:
        options["import_"] = imports[f"{args.type_}::{args.name}"]
    return (
        pulumi.ResourceTransformResult(
            args.props, pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(**options))
        )
        if options
        else None
    )


pulumi.runtime.register_resource_transform(transform)

outer = pulumi.ComponentResource("small:index:Outer", "outer")
child = pulumi.ResourceOptions(parent=outer)
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=child)
subnets = [
    aws.ec2.Subnet(
        f"subnet-{zone}",
        vpc_id=vpc.id,
        availability_zone=f"us-east-1{zone}",
        cidr_block=f"10.0.{index}.0/24",
        opts=child,
    )
    for index, zone in enumerate("ab")
]
role = aws.iam.Role("role", name="small-cluster", assume_role_policy="{}", opts=child)
log = aws.cloudwatch.LogGroup("log", name="/aws/eks/small/cluster", opts=child)
key = aws.kms.Key("key", opts=child)
cluster = eks.Cluster(
    "control-plane",
    name="small",
    version="1.35",
    vpc_id=vpc.id,
    private_subnet_ids=[subnet.id for subnet in subnets],
    service_role=role,
    encryption_config_key_arn=key.arn,
    authentication_mode=eks.AuthenticationMode.API,
    instance_roles=[role] if config.get_bool("instance_roles") else None,
    endpoint_private_access=True,
    endpoint_public_access=True,
    public_access_cidrs=["203.0.113.0/24"],
    kubernetes_service_ip_address_range="172.20.0.0/16",
    enabled_cluster_log_types=["api"],
    upgrade_policy={"support_type": "STANDARD"},
    skip_default_node_group=True,
    skip_default_security_groups=True,
    create_oidc_provider=False,
    bootstrap_self_managed_addons=False,
    use_default_vpc_cni=True,
    kube_proxy_addon_options={"enabled": False},
    coredns_addon_options={"enabled": False},
    cluster_tags={"Name": "small", "team": "a"},
    tags={"owner": "b"},
    opts=pulumi.ResourceOptions(parent=outer, depends_on=[log]),
)
provider = kubernetes.Provider(
    "inside", kubeconfig=cluster.kubeconfig_json, cluster_identifier="small"
)
inside = pulumi.ResourceOptions(provider=provider)
namespace = kubernetes.core.v1.Namespace("space", metadata={"name": "hub"}, opts=inside)
greeting = {"greeting": config.get("greeting") or "hello"}
settings = kubernetes.core.v1.ConfigMap(
    "settings", metadata={"namespace": namespace.metadata.name}, data=greeting, opts=inside
)
kubernetes.core.v1.Secret(
    "token",
    metadata={"name": "token", "namespace": namespace.metadata.name},
    string_data={"token": config.require_secret("token")},
    opts=inside,
)
release = kubernetes.helm.v3.Release(
    "release",
    chart="jupyterhub",
    name="hub",
    namespace=namespace.metadata.name,
    version="4.4.0",
    repository_opts={"repo": "https://hub.jupyter.org/helm-chart/"},
    values={
        "proxy": {"secretToken": config.require_secret("token")},
        "settings": settings.metadata.name,
    },
    opts=inside,
)
pulumi.export("cluster_name", cluster.eks_cluster.name)
pulumi.export("security_group", cluster.cluster_security_group_id)
pulumi.export("inner_group", cluster.eks_cluster.vpc_config.cluster_security_group_id)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("issuer", cluster.oidc_issuer)
pulumi.export("release", release.status.status)

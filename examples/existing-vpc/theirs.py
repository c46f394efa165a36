"""What exists without this library: a VPC with NAT, an EKS cluster, and the add-ons that its
nodes need. Plain `pulumi_aws`.
"""

import json

import pulumi
import pulumi_aws as aws

ZONES = ["us-east-1a", "us-east-1b"]
ANYWHERE = "0.0.0.0/0"


def trusts(service: str, *actions: str) -> str:
    """A trust policy for a service of AWS."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["sts:AssumeRole", *actions],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


vpc = aws.ec2.Vpc(
    "vpc", cidr_block="10.20.0.0/16", enable_dns_hostnames=True, tags={"Name": "research"}
)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id)
outside = aws.ec2.RouteTable(
    "public", vpc_id=vpc.id, routes=[{"cidr_block": ANYWHERE, "gateway_id": gateway.id}]
)
private, public = {}, {}
for index, zone in enumerate(ZONES):
    public[zone] = aws.ec2.Subnet(
        f"public-{zone}",
        vpc_id=vpc.id,
        availability_zone=zone,
        cidr_block=f"10.20.{240 + index}.0/24",
        tags={"kubernetes.io/role/elb": "1"},
    )
    aws.ec2.RouteTableAssociation(
        f"public-{zone}", route_table_id=outside.id, subnet_id=public[zone].id
    )
    private[zone] = aws.ec2.Subnet(
        f"private-{zone}",
        vpc_id=vpc.id,
        availability_zone=zone,
        cidr_block=f"10.20.{64 * index}.0/18",
        tags={"kubernetes.io/role/internal-elb": "1"},
    )
address = aws.ec2.Eip("nat", domain="vpc")
nat = aws.ec2.NatGateway(
    "nat",
    allocation_id=address.id,
    subnet_id=public[ZONES[0]].id,
    opts=pulumi.ResourceOptions(depends_on=[gateway]),
)
inside = aws.ec2.RouteTable(
    "private", vpc_id=vpc.id, routes=[{"cidr_block": ANYWHERE, "nat_gateway_id": nat.id}]
)
nat_routes = [
    aws.ec2.RouteTableAssociation(
        f"private-{zone}", route_table_id=inside.id, subnet_id=private[zone].id
    )
    for zone in ZONES
]

role = aws.iam.Role("cluster", assume_role_policy=trusts("eks.amazonaws.com", "sts:TagSession"))
attached = aws.iam.RolePolicyAttachment(
    "cluster", role=role.name, policy_arn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
)
cluster = aws.eks.Cluster(
    "research",
    name="research",
    version="1.35",
    role_arn=role.arn,
    vpc_config={
        "subnet_ids": [subnet.id for subnet in private.values()],
        "endpoint_private_access": True,
        "public_access_cidrs": ["203.0.113.0/24"],  # from where you work
    },
    access_config={
        "authentication_mode": "API",
        "bootstrap_cluster_creator_admin_permissions": True,
    },
    bootstrap_self_managed_addons=False,
    opts=pulumi.ResourceOptions(depends_on=[attached]),
)

# NodePools wants three things of a cluster: addresses in /28 prefixes and network policies
# (vpc-cni), services (kube-proxy), and EKS Pod Identity.
# The nodes' own role has no permission for the network: vpc-cni has a role of its own.
network_role = aws.iam.Role(
    "vpc-cni", assume_role_policy=trusts("pods.eks.amazonaws.com", "sts:TagSession")
)
network_policy = aws.iam.RolePolicyAttachment(
    "vpc-cni", role=network_role.name, policy_arn="arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
)
addons = [
    aws.eks.Addon(
        "eks-pod-identity-agent", cluster_name=cluster.name, addon_name="eks-pod-identity-agent"
    ),
    aws.eks.Addon("kube-proxy", cluster_name=cluster.name, addon_name="kube-proxy"),
    aws.eks.Addon(
        "vpc-cni",
        cluster_name=cluster.name,
        addon_name="vpc-cni",
        configuration_values=json.dumps(
            {
                "enableNetworkPolicy": "true",
                "env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
            }
        ),
        pod_identity_associations=[{"role_arn": network_role.arn, "service_account": "aws-node"}],
        opts=pulumi.ResourceOptions(depends_on=[network_policy]),
    ),
]

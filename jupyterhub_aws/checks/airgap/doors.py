"""No door from outside: the API, the balancers and the databases answer inside only."""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.checks.airgap.view import View, fault
from jupyterhub_aws.checks.finding import Finding


def doors(view: View) -> Iterator[Finding]:
    """API endpoint private only, balancers internal only, databases without a public address."""
    for cluster in view.resources.of("aws:eks/cluster:Cluster"):
        network = cluster.inputs.get("vpcConfig", {})
        if network.get("endpointPublicAccess") is not False:
            yield fault(
                "doors",
                cluster,
                "has an API endpoint in the internet",
                "set endpoint_public_access to false",
                "cluster.api",
            )
        if network.get("endpointPrivateAccess") is not True:
            yield fault(
                "doors",
                cluster,
                "has no API endpoint inside",
                "set endpoint_private_access to true",
            )
    for balancer in view.resources.of(
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:elb/loadBalancer:LoadBalancer",
        "aws:alb/loadBalancer:LoadBalancer",
    ):
        if balancer.inputs.get("internal") is not True:
            yield fault("doors", balancer, "faces the internet", "write entry.internal: true")
    for database in view.resources.of("aws:rds/instance:Instance"):
        if database.inputs.get("publiclyAccessible") is not False:
            yield fault(
                "doors", database, "may have a public address", "set publicly_accessible to false"
            )
    for service in view.resources.of("kubernetes:core/v1:Service"):
        spec = service.inputs.get("spec", {})
        annotations = service.inputs.get("metadata", {}).get("annotations", {})
        inside = (
            annotations.get("service.beta.kubernetes.io/aws-load-balancer-scheme") == "internal"
        )
        if spec.get("type") == "LoadBalancer" and not inside:
            yield fault(
                "doors",
                service,
                "makes AWS put a balancer into the internet",
                "use a hub's entry, whose balancer is internal",
            )

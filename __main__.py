"""The program: one stack file in, one JupyterHub's worth of infrastructure out.

`parts: all` builds both halves in one stack. In a closed network `cloud` and `cluster` are two stacks of this one program:
the first makes what AWS's own API makes, from anywhere; the second, from inside, what the Kubernetes API makes.
"""

from typing import Any

import pulumi

from jupyterhub_aws.components.facts import CloudFacts, exported, taken_over
from jupyterhub_aws.components.imports import Imports
from jupyterhub_aws.components.stack_config import load_stack
from jupyterhub_aws.config.cluster import EksCluster

stack = load_stack()
imports = Imports(stack.imports, protect_cluster=stack.cluster.protected)
outputs: dict[str, Any] = {}
parts: list[pulumi.Resource] = []

if stack.parts == "cluster":
    facts = taken_over(stack)
elif isinstance(stack.cluster, EksCluster):
    from jupyterhub_aws.components.cloud import Cloud

    cloud = Cloud(stack)
    facts = cloud.facts
    outputs |= cloud.outputs
    parts += cloud.parts
else:
    facts = CloudFacts(kubeconfig=None, hubs={})

if stack.parts == "cloud":
    outputs |= exported(stack, facts)
else:
    from jupyterhub_aws.components.in_cluster import InCluster

    inside = InCluster(stack, facts)
    outputs |= inside.outputs
    parts += inside.parts

outputs["imported"] = imports.confirmed(parts)
for key, value in outputs.items():
    pulumi.export(key, value)

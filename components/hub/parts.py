"""The two halves of a hub as a component takes them: what AWS's own API makes of it, and what
the Kubernetes API makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from jupyterhub_aws.components.facts import HubFacts
from jupyterhub_aws.components.hub.cloud import HubCloudArgs
from jupyterhub_aws.config.cluster import ExistingCluster
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.images import Images


@dataclass(frozen=True, kw_only=True, eq=False)
class InClusterInputs:
    """What the part of a hub inside the cluster needs: `images` names images, `chart` says where
    the z2jh chart comes from (components/charts.py).

    `secrets` are the encrypted values of the stack file by key, `depends_on` what its pods need.
    The cluster is reached by `kubeconfig` (its text; None: by the file that `access` names, or the
    caller's own) when pods have to be asked why they are not ready.
    """

    images: Images
    chart: Mapping[str, Any]
    secrets: Mapping[str, pulumi.Input[str]]
    depends_on: Sequence[pulumi.Resource] = ()
    kubeconfig: pulumi.Input[str] | None = None
    access: ExistingCluster | None = None
    cluster_name: pulumi.Input[str] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class HubParts:
    """One hub of a stack, and which of its halves this program makes.

    `cloud`: what AWS's own API makes, or None; then `facts` has what the stack exports that made
    it. `in_cluster`: what the Kubernetes API makes, or None. `homes_handle` names file system and
    access point of homes in EFS.
    """

    hub: HubSpec
    cloud: HubCloudArgs | None = None
    facts: HubFacts | None = None
    in_cluster: InClusterInputs | None = None
    homes_handle: pulumi.Input[str] | None = None

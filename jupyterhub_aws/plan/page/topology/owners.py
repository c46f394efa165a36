"""Which hub a resource belongs to: the one with which it shares the nearest component."""

from __future__ import annotations

from collections.abc import Iterator

from jupyterhub_aws.checks.hub_values.fault import at
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases


class Owners:
    """The hubs of a stack, and what is theirs."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self.releases = hub_releases(resources)

    def hub(self, resource: Resource) -> Resource | None:
        """The release that shares a component with a resource; None where several do, or none."""
        cloud = self._cloud(resource)
        if (
            cloud is not None
            # the AWS half of a hub, whose release hangs on a component of its own, perhaps in another
            # stack
        ):
            return next((release for release in self.releases if hub_of(release) == cloud), None)
        for ancestor in self._above(resource):
            found = [release for release in self.releases if ancestor in self._above(release)]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _cloud(self, resource: Resource) -> str | None:
        """The hub of whose AWS half a resource is a part."""
        for ancestor in self._above(resource):
            component = self._resources.by_urn[ancestor]
            if component.type == "jupyterhub-aws:hub:HubCloud":
                return component.name.removeprefix("hub-").removesuffix("-cloud")
        return None

    def _above(self, resource: Resource) -> Iterator[str]:
        urn = resource.parent
        while urn is not None and urn in self._resources.by_urn:
            yield urn
            urn = self._resources.by_urn[urn].parent

    def name(self, resource: Resource) -> str:
        """The name of the hub that a resource belongs to, or its own."""
        release = self.hub(resource)
        return self._cloud(resource) or resource.name if release is None else hub_of(release)


def host(release: Resource) -> str:
    """The address that people of a hub type, without scheme; empty where there is none."""
    url = at(release.inputs.get("values", {}), "hub", "config", "JupyterHub", "public_url")
    return str(url).partition("://")[2].strip("/") if url else ""

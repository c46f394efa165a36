"""Adopting and repairing: `imports:` of the stack file, applied by a stack transform.

The transform reaches the children of `pulumi_eks.Cluster` too, which no option of ours does.

A resource is protected as long as its entry exists: in the `up` that adopts, a mistake in the stack
file (another range, another name) would replace resources in use, and the engine refuses to replace
or delete protected ones. When a preview shows no change any more the entries are removed, and with
them this protection: from then on the program's own rules apply (data, keys and the cluster remain
protected), so that a pool can be removed and a trial torn down.
"""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from jupyterhub_aws.config.errors import closest


class Imports:
    """The import map of a stack, and which of its entries found their resource."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        """Register the transform; call before the first resource. Keys are `TYPE::NAME`, the end
        of a URN.
        """
        self._entries = dict(entries)
        self._seen: set[str] = set()
        self._used: set[str] = set()
        pulumi.runtime.register_resource_transform(self._transform)

    def _transform(
        self, args: pulumi.ResourceTransformArgs
    ) -> pulumi.ResourceTransformResult | None:
        key = f"{args.type_}::{args.name}"
        self._seen.add(key)
        imported = self._entries.get(key)
        if imported is None:
            return None
        self._used.add(key)
        options = pulumi.ResourceOptions(import_=imported, protect=True)
        return pulumi.ResourceTransformResult(
            props=args.props, opts=pulumi.ResourceOptions.merge(args.opts, options)
        )

    def confirmed(self, resources: list[pulumi.Resource]) -> pulumi.Output[list[str]]:
        """The entries that were used, once all resources under the given ones are registered.

        Raises pulumi.RunError for an entry that nothing uses: a typo there would silently make a
        second cluster.
        """
        urns = [resource.urn for resource in _family(resources)]
        return pulumi.Output.all(*urns).apply(lambda _: self._check())

    def _check(self) -> list[str]:
        unused = sorted(set(self._entries) - self._used)
        if unused:
            raise pulumi.RunError("\n".join(self._unused_line(key) for key in unused))
        return sorted(self._used)

    def _unused_line(self, key: str) -> str:
        guess = closest(key, self._seen)
        fix = (
            f"did you mean {guess}?"
            if guess
            else (
                "copy the last two parts of the URN from `pulumi stack --show-urns`, or remove the"
                " entry"
            )
        )
        return f"imports.{key}: no resource of this stack has this type and name; {fix}"


def _family(resources: list[pulumi.Resource]) -> list[pulumi.Resource]:
    """The resources with all their descendants."""
    found: list[pulumi.Resource] = []
    waiting = list(resources)
    while waiting:
        resource = waiting.pop()
        found.append(resource)
        waiting.extend(resource._childResources)
    return found

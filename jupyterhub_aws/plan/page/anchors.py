"""Where on the page a resource stands: an id for each URN, made of nothing but letters, digits
and dashes.
"""

from __future__ import annotations

import re
from collections import Counter

from jupyterhub_aws.checks.resources import Resources


class Anchors:
    """The ids of all resources. They stay the same as long as names and types do."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        seen: Counter[str] = Counter()
        self._ids: dict[str, str] = {}
        for resource in resources:
            base = f"r-{slug(resource.name)}-{slug(resource.type.rpartition(':')[2])}"
            seen[base] += 1
            self._ids[resource.urn] = base if seen[base] == 1 else f"{base}.{seen[base]}"

    def of(self, urn: str) -> str:
        """The id of a resource."""
        return self._ids[urn]

    def link(self, urn: str) -> dict[str, str]:
        """A link to a resource, and its name; without a target for one that the plan does not
        hold.
        """
        resource = self._resources.by_urn.get(urn)
        if resource is None:
            return {"name": urn.rpartition("::")[2], "kind": "", "anchor": ""}
        return {
            "name": resource.name,
            "kind": resource.type.rpartition(":")[2],
            "anchor": self.of(urn),
        }


def slug(text: str) -> str:
    """A text with every other character turned into a dash."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")

"""The tags that every AWS resource of a stack carries, as a type: owner, purpose, cost center."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from jupyterhub_aws.config.errors import refuse, shown
from jupyterhub_aws.config.model import Model, option

_KEEPS = (
    "In place on every resource; running nodes keep the old tags until they are replaced. No"
    " restart."
)
#: AWS allows 50 tags on a resource; the rest is for the program's own tags (names, discovery,
#: scale-from-zero templates).
_MOST_EXTRA = 10

#: Keys that the EBS driver reserves, besides the prefix kubernetes.io: a volume with such a tag is
#: never created (aws-ebs-csi-driver, pkg/driver/validation.go; docs/tagging.md).
_DRIVERS = (
    "CSIVolumeName",
    "CSIVolumeSnapshotName",
    "ebs.csi.aws.com/cluster",
    "ebs.csi.aws.com/cluster-name",
)


def _in_alphabet(value: str) -> str:
    bad = sorted({char for char in value if not (char.isalnum() or char in " _.:/=+-@")})
    if bad:
        what = f"has a character that AWS refuses in a tag ({' '.join(map(repr, bad[:5]))})"
        raise refuse("tags.character", what, "use letters, digits, spaces and _ . : / = + - @")
    return value


def _tag_key(value: str) -> str:
    if not 0 < len(value) <= 128:  # AWS's limit, docs.aws.amazon.com/tag-editor "Tag naming limits"
        fix = "shorten it" if value else "write one, or remove the line"
        raise refuse("tags.key-length", f"must have 1 to 128 characters (got {len(value)})", fix)
    if value.lower().startswith("aws:"):
        what = f"begins with a prefix that AWS reserves (got {shown(value)})"
        raise refuse("tags.prefix", what, "drop the aws: prefix")
    if value in {"Name", "owner", "environment", "cost-center", "managed-by", "stack"}:
        fix = "choose another key, or set the option of that name"
        raise refuse("tags.reserved", f"is set by the program (got {shown(value)})", fix)
    if value.startswith("kubernetes.io/") or value in _DRIVERS:
        what = (
            "belongs to Kubernetes' storage drivers, which refuse it as a tag of yours (got"
            f" {shown(value)})"
        )
        raise refuse("tags.kubernetes", what, "choose another key")
    return _in_alphabet(value)


def _tag_value(value: str) -> str:
    if not 0 < len(value) <= 256:  # AWS's limit, same page
        fix = "shorten it" if value else "write at least one"
        raise refuse("tags.value-length", f"must have 1 to 256 characters (got {len(value)})", fix)
    return _in_alphabet(value)


TagKey = Annotated[str, AfterValidator(_tag_key), Field(json_schema_extra={"maxLength": 128})]
TagValue = Annotated[
    str, AfterValidator(_tag_value), Field(json_schema_extra={"minLength": 1, "maxLength": 256})
]


class Tags(Model):
    """Tags of every taggable resource, Auto Scaling group and launched instance."""

    owner: TagValue = option(
        help="Team or person that is responsible for this stack.", changing=_KEEPS
    )
    environment: TagValue = option(
        help="What the stack is for, such as dev, staging or production.", changing=_KEEPS
    )
    cost_center: TagValue | None = option(
        None, help="Cost center, by which your bill is split.", changing=_KEEPS
    )
    extra: dict[TagKey, TagValue] = option(
        {}, help=f"Further tags, at most {_MOST_EXTRA}.", changing=_KEEPS, max_length=_MOST_EXTRA
    )

    def as_aws(self, stack: str) -> dict[str, str]:
        """Return the tags as AWS gets them, without a Name; `stack` is the stack's `name`."""
        tags = {
            "owner": self.owner,
            "environment": self.environment,
            "managed-by": "jupyterhub-aws",
            "stack": stack,
        }
        if self.cost_center is not None:
            tags["cost-center"] = self.cost_center
        return {**tags, **self.extra}

"""A plan as IAM will see it: ARNs in the place of placeholders, tags, and the policies of each
resource and role.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from jupyterhub_aws.checks.identities.conditions import ACCOUNT
from jupyterhub_aws.checks.identities.documents import (
    CURRENT,
    PolicyDocument,
    PolicyError,
    parse_policy,
)
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.managed_policies import (
    managed_path,
    managed_policy,
    managed_policy_exists,
    same_name,
)
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.values import partition_of

ROLE, POLICY, ATTACHMENT, INLINE = (
    "aws:iam/role:Role",
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/rolePolicy:RolePolicy",
)
VOLUME, FILE_SYSTEM, ACCESS_POINT = (
    "aws:ebs/volume:Volume",
    "aws:efs/fileSystem:FileSystem",
    "aws:efs/accessPoint:AccessPoint",
)
KEY, BUCKET, TOPIC, LOG_GROUP = (
    "aws:kms/key:Key",
    "aws:s3/bucket:Bucket",
    "aws:sns/topic:Topic",
    "aws:cloudwatch/logGroup:LogGroup",
)
VAULT, DATABASE, GROUP, CLUSTER = (
    "aws:backup/vault:Vault",
    "aws:rds/instance:Instance",
    "aws:autoscaling/group:Group",
    "aws:eks/cluster:Cluster",
)
REPOSITORY, RULE, ENDPOINT = (
    "aws:ecr/repository:Repository",
    "aws:cloudwatch/eventRule:EventRule",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
)

#: What a resource's ARN looks like once it exists (Service Authorization Reference, "Resource types
#: defined by …"), and which input is its id;
#: None: AWS makes the id. {p}artition, {r}egion, {a}ccount, {id}.
_ARNS: Mapping[str, tuple[str, str | None]] = {
    ROLE: ("arn:{p}:iam::{a}:role/{id}", "name"),
    POLICY: ("arn:{p}:iam::{a}:policy/{id}", "name"),
    VOLUME: ("arn:{p}:ec2:{r}:{a}:volume/{id}", None),
    FILE_SYSTEM: ("arn:{p}:elasticfilesystem:{r}:{a}:file-system/{id}", None),
    ACCESS_POINT: ("arn:{p}:elasticfilesystem:{r}:{a}:access-point/{id}", None),
    KEY: ("arn:{p}:kms:{r}:{a}:key/{id}", None),
    BUCKET: ("arn:{p}:s3:::{id}", "bucket"),
    TOPIC: ("arn:{p}:sns:{r}:{a}:{id}", "name"),
    LOG_GROUP: ("arn:{p}:logs:{r}:{a}:log-group:{id}", "name"),
    VAULT: ("arn:{p}:backup:{r}:{a}:backup-vault:{id}", "name"),
    DATABASE: ("arn:{p}:rds:{r}:{a}:db:{id}", "identifier"),
    GROUP: (
        "arn:{p}:autoscaling:{r}:{a}:autoScalingGroup:0a1b2c3d:autoScalingGroupName/{id}",
        "name",
    ),
    CLUSTER: ("arn:{p}:eks:{r}:{a}:cluster/{id}", "name"),
    REPOSITORY: ("arn:{p}:ecr:{r}:{a}:repository/{id}", "name"),
    RULE: ("arn:{p}:events:{r}:{a}:rule/{id}", "name"),
}
#: Types with policies that are resources of their own: their type, and which input names the
#: resource.
_POLICIES: Mapping[str, tuple[str, str]] = {
    BUCKET: ("aws:s3/bucketPolicy:BucketPolicy", "bucket"),
    FILE_SYSTEM: ("aws:efs/fileSystemPolicy:FileSystemPolicy", "fileSystemId"),
    TOPIC: ("aws:sns/topicPolicy:TopicPolicy", "arn"),
    VAULT: ("aws:backup/vaultPolicy:VaultPolicy", "backupVaultName"),
    REPOSITORY: ("aws:ecr/repositoryPolicy:RepositoryPolicy", "repository"),
}
#: How ids begin that AWS makes.
_PREFIX = {VOLUME: "vol-", FILE_SYSTEM: "fs-", ACCESS_POINT: "fsap-"}
_NOT_KNOWN = re.compile(r"\$\{[^}]*\}|\[(unknown|secret)\]")
_PLACEHOLDER = re.compile(r"\$\{([^.}:]+)\.(arn|id|name|bucket)\}")


@dataclass(frozen=True, kw_only=True)
class DocumentFault:
    """A document of the plan that is no policy, or a policy that does not exist: where, what,
    and what to do.
    """

    resource: Resource
    what: str
    fix: str


class PlanWorld:
    """What the plan registers, with the documents that decide over it. Documents that cannot be
    read are collected in `faults`.
    """

    def __init__(self, stack: StackConfig, resources: Resources) -> None:
        self.stack, self.resources = stack, resources
        self.region = stack.region
        self.faults: dict[tuple[str, str], DocumentFault] = {}
        self._parsed: dict[tuple[str, str], PolicyDocument | None] = {}

    @property
    def partition(self) -> str:
        """aws, aws-cn or aws-us-gov (AWS general reference, "Amazon Resource Names")."""
        return partition_of(self.region)

    def arn(self, resource: Resource) -> str:
        """A resource's ARN. Raises KeyError for a type without one here."""
        form, _ = _ARNS[resource.type]
        region = str(resource.inputs.get("region") or self.region)
        return form.format(p=self.partition, r=region, a=ACCOUNT, id=self.identifier(resource))

    def identifier(self, resource: Resource) -> str:
        """Its name, or a placeholder of the id that AWS will assign."""
        given = _ARNS[resource.type][1]
        if given is None:
            return f"{_PREFIX.get(resource.type, '')}{resource.name}"
        return str(resource.inputs.get(given, resource.name))

    def real(self, text: str) -> str:
        """A text with ARNs and ids in the place of placeholders of resources that have one here;
        others stay.
        """
        if "${" in text:
            return _PLACEHOLDER.sub(
                lambda match: self._outputs.get((match[1], match[2]), match[0]), text
            )
        return text

    @cached_property
    def _outputs(self) -> Mapping[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}
        for resource in self.resources.of(*_ARNS):
            identifier = self.identifier(resource)
            found.setdefault((resource.name, "arn"), self.arn(resource))
            for output in ("id", "name", "bucket"):
                found.setdefault((resource.name, output), identifier)
        return found

    def tags(self, resource: Resource) -> dict[str, str]:
        """A resource's tags, also of an Auto Scaling group, which lists them."""
        tags = resource.inputs.get("tags") or {}
        if isinstance(tags, list):
            return {str(tag["key"]): str(tag["value"]) for tag in tags}
        return {str(key): str(value) for key, value in tags.items()}

    def document(
        self, resource: Resource, key: str, name: str | None = None
    ) -> PolicyDocument | None:
        """The policy in an input; None where there is none, where a plan does not know it, or it
        cannot be read (then it is among the faults).
        """
        where = (resource.urn, key)
        if where not in self._parsed:
            text = resource.inputs.get(key)
            self._parsed[where] = (
                None if text is None else self._read(resource, name or resource.name, text)
            )
        return self._parsed[where]

    def _read(self, resource: Resource, name: str, text: object) -> PolicyDocument | None:
        if isinstance(text, str) and _NOT_KNOWN.fullmatch(text):
            return None  # it is made of what only AWS answers
        written = text if isinstance(text, str) else json.dumps(text)
        try:
            return parse_policy(name, self.real(written))
        except PolicyError as error:
            fix = (
                "write a policy document as the IAM user guide has it (Grammar of the IAM JSON"
                " policy language)"
            )
            self.faults[(resource.urn, str(error))] = DocumentFault(
                resource=resource, what=f"holds a policy that AWS refuses: it {error}", fix=fix
            )
            return None

    def attached_to(self, kind: str, key: str, resource: Resource) -> list[Resource]:
        """The resources of a type with an input that names a resource, by name or by output."""
        names = {self.identifier(resource)}
        return [
            item
            for item in self.resources.of(kind)
            if (value := str(item.inputs.get(key))) in names
            or (
                value.startswith("${") and resource in self.resources.referred(value, resource.type)
            )
        ]

    def identity_policies(
        self, role: Resource
    ) -> tuple[tuple[PolicyDocument, ...], tuple[str, ...]]:
        """What a role may do by its own policies, and the names of those with documents that are
        not known here.
        """
        found: list[PolicyDocument] = []
        unknown: list[str] = []
        for inline in self.attached_to(INLINE, "role", role):
            document = self.document(inline, "policy", str(inline.inputs.get("name", inline.name)))
            found += [document] if document is not None else []
            unknown += [inline.name] if document is None else []
        arns = [
            (item, str(item.inputs.get("policyArn")))
            for item in self.attached_to(ATTACHMENT, "role", role)
        ]
        arns += [(role, str(arn)) for arn in role.inputs.get("managedPolicyArns") or ()]
        for item, arn in arns:
            document = self.attached_document(item, arn)
            if document is None:
                unknown.append(arn.rpartition("/")[2])
            else:
                found.append(document)
        for inline in role.inputs.get("inlinePolicies") or ():
            document = self._read(role, str(inline.get("name")), inline.get("policy"))
            found += [document] if document is not None else []
        return tuple(found), tuple(unknown)

    def attached_document(self, item: Resource, arn: str) -> PolicyDocument | None:
        """The policy of an ARN that a resource attaches; None where it is not known here. One
        that AWS does not have is a fault.
        """
        for policy in self.resources.referred(arn, POLICY):
            return self.document(policy, "policy", self.identifier(policy))
        path = managed_path(arn)
        if path is None:
            return None
        if not managed_policy_exists(path):
            real = same_name(path)
            meant = arn.removesuffix(path) + real if real else arn
            fix = (
                f"write {meant}" if real else "look its name up in the AWS managed policy reference"
            )
            self.faults[(item.urn, arn)] = DocumentFault(
                resource=item, what=f"attaches {arn}, and AWS has no such policy", fix=fix
            )
            arn = meant  # what else is wrong is said at once, as if that were mended
        known = managed_policy(arn)
        return (
            None if known is None else parse_policy(known.path.rpartition("/")[2], known.document)
        )

    def resource_policies(self, resource: Resource) -> tuple[PolicyDocument, ...] | None:
        """The policies that stand at a resource itself; None where it has none. A key without
        one has AWS's default: the account decides.
        """
        if resource.type == KEY and resource.inputs.get("policy") is None:
            root = f"arn:{self.partition}:iam::{ACCOUNT}:root"
            default = {
                "Sid": "Default",
                "Effect": "Allow",
                "Principal": {"AWS": root},
                "Action": "kms:*",
                "Resource": "*",
            }
            return (
                parse_policy("the default key policy", {"Version": CURRENT, "Statement": default}),
            )
        own, key = [resource] if resource.type == KEY else [], "policy"
        if resource.type in _POLICIES:
            kind, names = _POLICIES[resource.type]
            own = self.attached_to(kind, names, resource)
        elif resource.type == LOG_GROUP:
            own = self.resources.of("aws:cloudwatch/logResourcePolicy:LogResourcePolicy")
            key = "policyDocument"
        found = [document for item in own if (document := self.document(item, key)) is not None]
        return tuple(found) if found else None

    def endpoints(self) -> Iterator[tuple[str, Resource]]:
        """The VPC endpoints of the plan, by service: `ec2`, `ecr.api`."""
        for item in self.resources.of(ENDPOINT):
            yield (
                str(item.inputs["serviceName"]).removeprefix(f"com.amazonaws.{self.region}."),
                item,
            )

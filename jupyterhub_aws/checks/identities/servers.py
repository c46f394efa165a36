"""What users' servers may do in AWS, as a plan recorded it: from profile and groups to the role, and
from the role to IAM's answer. One answer for the check and for `jhub can`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jupyterhub_aws.checks.finding import Finding, fail, passed, skip
from jupyterhub_aws.checks.identities.conditions import ACCOUNT, RequestContext
from jupyterhub_aws.checks.identities.documents import PolicyDocument
from jupyterhub_aws.checks.identities.evaluator import (
    AccessRequest,
    Decision,
    PolicySet,
    Principal,
    decide,
)
from jupyterhub_aws.checks.identities.world import BUCKET, ROLE, PlanWorld
from jupyterhub_aws.checks.network_policies import PolicyPod, leaves, policy
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_of, hub_releases
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.buckets import BucketSpec
from jupyterhub_aws.config.specs.server_access import ACCESS_LABEL, ALL, AccessSpec, BucketGrant
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.config.usernames import normalized, pod_name

_CHECK = "server-access"
_ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
_ACCOUNT_OBJECT, _POLICY_OBJECT = (
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
)
#: Where the agent of EKS Pod Identity answers (EKS user guide, "How EKS Pod Identity works").
#: Written here, so that docs/problems.md, which reads this file alone, has the address.
_AGENT, _AGENT_PORT = "169.254.170.23", 80
#: Two users that a proof asks about, and what no server may ever do.
_ONE, _OTHER = "ada", "eve"
_NEVER = (
    ("iam:CreateUser", "*"),
    ("sts:AssumeRole", "arn:{partition}:iam::{account}:role/any"),
    ("eks:CreateAccessEntry", "*"),
    ("elasticfilesystem:ClientRootAccess", "*"),
    ("s3:PutBucketPolicy", "arn:{partition}:s3:::any"),
    ("s3:ListAllMyBuckets", "*"),
)
#: S3 calls on the bucket itself, in which the key is a parameter.
_ON_BUCKETS = ("s3:listbucket", "s3:listbucketversions", "s3:listbucketmultipartuploads")


@dataclass(frozen=True, kw_only=True)
class RecordedRole:
    """The role that servers of one access get: `name` of the access, the service account, and the
    role; None where no role is associated with the account.
    """

    name: str
    service_account: str
    role: Resource | None


@dataclass(frozen=True, kw_only=True)
class AccessAnswer:
    """Whether a server may make a call: IAM's `decision` (None: the server has no role at all),
    by which `role`. `elsewhere`: it also needs a policy of the bucket's owner, which is not known
    here.
    """

    decision: Decision | None
    role: RecordedRole | None
    elsewhere: str = ""

    @property
    def allowed(self) -> bool | None:
        """True, False, or None where it depends on what is not known here."""
        return False if self.decision is None else self.decision.allowed


class ServerRights:
    """What servers of a stack's hubs may do, by what its plan registers."""

    def __init__(self, stack: StackConfig, resources: Resources) -> None:
        self.stack, self._resources = stack, resources
        self._world = PlanWorld(stack, resources)
        self._endpoint = dict(self._world.endpoints()).get("s3")

    @cached_property
    def _settings(self) -> Mapping[str, Mapping[str, Any]]:
        """What each recorded release tells its hub, by hub."""
        return {
            hub_of(release): release.inputs.get("values") or {}
            for release in hub_releases(self._resources)
        }

    def access_name(self, hub: str, profile: str, groups: Collection[str]) -> str:
        """The name of the access of a server of this profile and a user in these groups: what the
        hub would choose, from its recorded values. Empty for none.
        """
        values = self._settings.get(hub)
        if values is None:  # the outer of two split stacks makes no release
            access = resolve(self.stack).hubs[hub].access
            found = None if access is None else access.of(profile, groups)
            return "" if found is None else found.name
        settings = at(values, "custom", "jupyterhubAws", "awsAccess") or {}
        choice = (settings.get("choices") or {}).get(_label(values, profile))
        if choice is None:
            return ""
        for wanted, name in choice.get("byGroup") or ():
            if set(wanted) & set(groups):
                return str(name)
        return str(choice.get("otherwise") or "")

    def service_account(self, hub: str, name: str) -> str:
        """The service account of an access, by the hub's recorded values."""
        values = self._settings.get(hub)
        if values is None:
            access = resolve(self.stack).hubs[hub].access
            own = () if access is None else access.accesses
            return next((one.service_account for one in own if one.name == name), "")
        path = ("custom", "jupyterhubAws", "awsAccess", "accesses", name, "serviceAccount")
        return str(at(values, *path) or "")

    def role(self, hub: str, name: str) -> RecordedRole | None:
        """The role of an access of a hub; None without an access."""
        if not name:
            return None
        account = self.service_account(hub, name)
        roles = [
            role
            for item in self._resources.of(_ASSOCIATION)
            if item.inputs.get("serviceAccount") == account
            and item.inputs.get("namespace") == f"hub-{hub}"
            for role in self._resources.referred(item.inputs.get("roleArn"), ROLE)
        ]
        role = roles[0] if len(roles) == 1 else None
        return RecordedRole(name=name, service_account=account, role=role)

    def may(  # noqa: PLR0913 -- the whole question
        self,
        hub: str,
        *,
        profile: str,
        groups: Collection[str],
        action: str,
        resource: str,
        key: str = "",
        user: str = _ONE,
    ) -> AccessAnswer:
        """Whether the server of a user with this profile and these groups may make a call.

        `resource` is an ARN, or `*`. `key` is the object's key or, of a call on the bucket, the
        prefix that it lists.
        """
        role = self.role(hub, self.access_name(hub, profile, groups))
        if role is None or role.role is None:
            return AccessAnswer(decision=None, role=role)
        arn = f"{resource}/{key}" if key and action.lower() not in _ON_BUCKETS else resource
        bucket = self._bucket_of(resource)
        request = AccessRequest(
            caller=Principal("role", self._world.arn(role.role)),
            action=action,
            resource=arn,
            context=self._context(hub, role, action, key, user, bucket),
        )
        documents, unknown = self._world.identity_policies(role.role)
        decision = decide(
            request,
            PolicySet(
                identity=documents,
                resource=self._resource_policies(bucket),
                endpoint=self._endpoint_policy(action),
                incomplete=unknown,
            ),
        )
        elsewhere = ""
        if bucket is not None and bucket.other_account is not None:
            elsewhere = f"the policy of {bucket.bucket_name} in account {bucket.other_account}"
        return AccessAnswer(decision=decision, role=role, elsewhere=elsewhere)

    def _bucket_of(self, arn: str) -> BucketSpec | None:
        name = arn.rpartition(":::")[2].partition("/")[0]
        specs = resolve(self.stack).buckets.values()
        return next((spec for spec in specs if spec.bucket_name == name), None)

    def _resource_policies(self, bucket: BucketSpec | None) -> tuple[PolicyDocument, ...] | None:
        """The policy of a bucket that the stack makes; of others it is not known here."""
        if bucket is None or not bucket.made:
            return None
        for item in self._resources.of(BUCKET):
            if item.inputs.get("bucket") == bucket.bucket_name:
                return self._world.resource_policies(item)
        return None

    def _endpoint_policy(self, action: str) -> PolicyDocument | None:
        if self._endpoint is None or not action.lower().startswith("s3:"):
            return None
        return self._world.document(self._endpoint, "policy")

    def _context(  # noqa: PLR0913, PLR0917 -- one private call, all of it the request
        self,
        hub: str,
        role: RecordedRole,
        action: str,
        key: str,
        user: str,
        bucket: BucketSpec | None,
    ) -> RequestContext:
        """The keys of a request of a pod with EKS Pod Identity (EKS user guide, "BucketGrant Pods access
        to AWS resources based on tags").
        """
        owner = ACCOUNT if bucket is None else bucket.other_account or ACCOUNT
        known = {
            "aws:RequestedRegion": self.stack.region,
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
            "aws:ResourceAccount": "" if bucket is not None and bucket.public else owner,
            "aws:PrincipalAccount": ACCOUNT,
            "aws:PrincipalArn": "" if role.role is None else self._world.arn(role.role),
            "aws:PrincipalType": "AssumedRole",
            "aws:PrincipalIsAWSService": "false",
            "aws:PrincipalTag/eks-cluster-name": self.stack.name,
            "aws:PrincipalTag/kubernetes-namespace": f"hub-{hub}",
            "aws:PrincipalTag/kubernetes-service-account": role.service_account,
            "aws:PrincipalTag/kubernetes-pod-name": pod_name(normalized(user)),
        }
        if action.lower() in _ON_BUCKETS:
            known["s3:prefix"] = key
        tags = {} if role.role is None else self._world.tags(role.role)
        known = {f"aws:PrincipalTag/{name}": value for name, value in tags.items()} | known
        closed = ["aws:principaltag/", "aws:requesttag/", "aws:tagkeys", "s3:prefix"]
        values = {name.lower(): (value,) for name, value in known.items()}
        return RequestContext(values, tuple(closed))


def _label(values: Mapping[str, Any], profile: str) -> str:
    """The name of a profile's choice, from the labels that it gives its servers."""
    for entry in at(values, "singleuser", "profileList") or ():
        if entry.get("slug") == profile:
            labels = at(entry, "kubespawner_override", "extra_labels") or {}
            return str(labels.get(ACCESS_LABEL, ""))
    return ""


def server_access(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Servers with an access get its role and nothing else, and only those reach the address of
    their credentials; each may do what the stack file says, and no user reaches another's folder.
    """
    specs = resolve(stack).hubs
    wanted = {name: hub.access for name, hub in specs.items() if hub.access is not None}
    if not any(access is not None and access.accesses for access in wanted.values()):
        return []
    rights, asked, faults = ServerRights(stack, resources), 0, []
    for name, access in sorted(wanted.items()):
        assert access is not None  # noqa: S101 -- for the type checker: chosen above
        for profile, choice in sorted(access.of_profile.items()):
            sides = [(), *(entry for entry, _ in access.choices[choice].by_group)]
            for groups in sides:
                one = access.of(profile, groups)
                got = rights.access_name(name, profile, groups)
                if got != ("" if one is None else one.name):
                    what = f"hub {name}: servers of profile {profile} would get the access {got!r}"
                    faults.append(fail(_CHECK, what, "let the stack write custom.jupyterhubAws"))
                    continue
                if one is None:
                    continue
                found = list(_judged(rights, name, profile, groups, one))
                asked += len(found)
                faults += [item for item in found if isinstance(item, Finding)]
        if stack.parts != "cloud":
            faults += _ways(resources, name, access.accesses)
    faults = list({(item.message, item.subjects): item for item in faults}.values())
    hidden = [item for item in faults if item.status == "skip"]
    if len(hidden) < len(faults):
        return faults
    roles = sum(len(access.accesses) for access in wanted.values() if access is not None)
    message = (
        f"{asked} questions about {roles} role{'s' if roles > 1 else ''} of users' servers have the"
        " answer of the stack file; no server reaches another user's folder"
    )
    return [passed(_CHECK, message), *hidden]


def _judged(
    rights: ServerRights, hub: str, profile: str, groups: tuple[str, ...], access: AccessSpec
) -> Iterator[Finding | None]:
    """One answer for each question: None where it is right."""
    stack = rights.stack
    role = rights.role(hub, access.name)
    about = [] if role is None or role.role is None else [role.role]
    if not about:
        fix = f"associate one role with {access.service_account} (EKS Pod Identity)"
        what = f"hub {hub}: servers with the access {access.name} get no role, or more than one"
        yield fail(_CHECK, what, fix)
        return

    def asked(action: str, arn: str, key: str, user: str) -> AccessAnswer:
        return rights.may(
            hub, profile=profile, groups=groups, action=action, resource=arn, key=key, user=user
        )

    who = f"hub {hub}, profile {profile}" + (f", groups {', '.join(groups)}" if groups else "")
    for action, bucket, key in _granted(access, _ONE):
        answer = asked(action, bucket.arn, key, _ONE)
        if answer.allowed is True:
            yield None
            continue
        by = "it has no role" if answer.decision is None else answer.decision.by
        what = f"{who}: servers may not {action} {bucket.arn}/{key}: {by}"
        yield fail(_CHECK, what, "let the stack write the role's policy", *about)
    for action, bucket, key in _not_granted(access, resolve(stack).buckets):
        answer = asked(action, bucket.arn, key, _ONE)
        if answer.allowed is False or _said(answer, access):
            yield None
            continue
        by = "" if answer.decision is None else answer.decision.by
        what = (
            f"{who}: servers may {action} {bucket.arn}/{key}, which the stack file does not say:"
            f" {by}"
        )
        if answer.allowed is None:
            names = " and ".join(access.policies)
            what = f"hub {hub}, access {access.name}: what {names} allows is not known here"
            yield skip(_CHECK, what, "read it in IAM before users have it", *about)
        else:
            yield fail(_CHECK, what, "let the stack write the role's policy", *about)
    places = {"partition": access.partition, "account": ACCOUNT}
    for action, form in _NEVER:
        arn = form.format(**places)
        answer = asked(action, arn, "", _ONE)
        said = any(action in one.actions for one in access.statements)
        if answer.allowed is True and not said:
            by = "" if answer.decision is None else answer.decision.by
            what = f"{who}: servers may {action} on {arn}: {by}"
            yield fail(_CHECK, what, "remove it from aws_access", *about)
        else:
            yield None


def _said(answer: AccessAnswer, access: AccessSpec) -> bool:
    """Whether a statement or a managed policy of the stack file itself allows it."""
    names = {f"Statement{index}" for index in range(1, len(access.statements) + 1)}
    attached = {name.rpartition("/")[2] for name in access.policies}
    used = () if answer.decision is None else answer.decision.used
    return any(statement in names or policy in attached for policy, statement in used)


def _granted(access: AccessSpec, user: str) -> Iterator[tuple[str, BucketSpec, str]]:
    """Calls that servers must be able to make."""
    for grant in access.grants:
        own = f"{pod_name(user)}/" if grant.options.per_user else ""
        key = f"{grant.options.prefix}{own}file"
        yield "s3:GetObject", grant.bucket, key
        yield "s3:ListBucket", grant.bucket, f"{grant.options.prefix}{own}"
        if grant.options.write:
            yield "s3:PutObject", grant.bucket, key
            yield "s3:DeleteObject", grant.bucket, key


def _not_granted(
    access: AccessSpec, buckets: Mapping[str, BucketSpec]
) -> Iterator[tuple[str, BucketSpec, str]]:
    """Calls that no grant of the access is about: another user's folder, writing where it may only
    read, and buckets that it does not name.
    """
    for name, bucket in buckets.items():
        grants = [grant for grant in access.grants if grant.bucket.name == name]
        keys = {"not-granted/file", f"{pod_name(_OTHER)}/file", f"{pod_name(_ONE)}-2/file"}
        for grant in grants:
            if grant.options.per_user:
                keys |= {
                    f"{grant.options.prefix}{pod_name(_OTHER)}/file",
                    f"{grant.options.prefix}{pod_name(_ONE)}x/file",
                }
            keys |= {f"{grant.options.prefix}file", f"{grant.options.prefix.rstrip('/')}x/file"}
        for key in sorted(keys):
            readable = any(_covers(grant, key) for grant in grants)
            writable = any(_covers(grant, key) and grant.options.write for grant in grants)
            if not readable:
                yield "s3:GetObject", bucket, key
                yield "s3:ListBucket", bucket, key
            if not writable:
                yield "s3:PutObject", bucket, key
                yield "s3:DeleteObject", bucket, key


def _covers(grant: BucketGrant, key: str) -> bool:
    own = f"{pod_name(_ONE)}/" if grant.options.per_user else ""
    return key.startswith(f"{grant.options.prefix}{own}")


def _ways(resources: Resources, hub: str, accesses: Collection[AccessSpec]) -> Iterator[Finding]:
    """The address of credentials is open to servers with an access, and to no others; each access
    has its service account, without a token of the cluster.
    """
    namespace = f"hub-{hub}"
    made = {
        str(at(item.inputs, "metadata", "name")): item
        for item in resources.of(_ACCOUNT_OBJECT)
        if at(item.inputs, "metadata", "namespace") == namespace
    }
    for access in accesses:
        account = made.get(access.service_account)
        if account is None:
            what = f"hub {hub}: there is no service account {access.service_account}"
            yield fail(_CHECK, what, "let the stack make it")
        elif account.inputs.get("automountServiceAccountToken") is not False:
            what = f"{account.label} hands a token of the cluster to users' servers"
            yield fail(_CHECK, what, "write automountServiceAccountToken: false", account)
    policies = [
        (item, policy(item.inputs.get("spec") or {}, namespace))
        for item in resources.of(_POLICY_OBJECT)
        if at(item.inputs, "metadata", "namespace") == namespace
    ]

    def opening(further: Mapping[str, str]) -> list[Resource]:
        labels = {"app": "jupyterhub", "component": "singleuser-server", "release": namespace}
        pod = PolicyPod(namespace=namespace, labels={**labels, **further}, address="")
        return [
            item
            for item, one in policies
            if one.selects(pod, "egress") and leaves([one], pod, _AGENT, _AGENT_PORT)
        ]

    if accesses and not opening({ACCESS_LABEL: ALL}):
        what = f"hub {hub}: servers with an access cannot reach {_AGENT}, so they get no role"
        yield fail(_CHECK, what, f"open {_AGENT} port {_AGENT_PORT} to the label {ACCESS_LABEL}")
    if wide := opening({}):
        what = f"hub {hub}: servers without an access reach {_AGENT}"
        yield fail(_CHECK, what, f"select pods by the label {ACCESS_LABEL}", *wide)

"""The proof: every call of every identity of a plan, judged, and a finding for each
that AWS would deny.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from jupyterhub_aws.checks.finding import Finding, fail, skip, verdict, warn
from jupyterhub_aws.checks.identities.conditions import ACCOUNT, Condition, RequestContext
from jupyterhub_aws.checks.identities.documents import CURRENT, PolicyDocument, parse_policy
from jupyterhub_aws.checks.identities.evaluator import (
    AccessRequest,
    Decision,
    PolicySet,
    Principal,
    decide,
)
from jupyterhub_aws.checks.identities.identities import ADDON, Identity, NoIdentity, identities
from jupyterhub_aws.checks.identities.targets import TARGETS, CallTarget
from jupyterhub_aws.checks.identities.world import PlanWorld
from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.config.aws_calls import ApiCall, api_calls
from jupyterhub_aws.config.network import OpenNetworkSection
from jupyterhub_aws.config.stack import StackConfig

_CHECK = "identities"
_PUBLIC = {"Sid": "Public", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
_PUBLIC_ACCESS = parse_policy("the owner's policy", {"Version": CURRENT, "Statement": _PUBLIC})
#: Keys with known values in every request, independent of the caller; the rest follows from caller
#: and resource.
_CLOSED = (
    "aws:calledvia",
    "aws:federatedprovider",
    "aws:multifactorauth",
    "aws:requesttag/",
    "aws:tagkeys",
    "ec2:createaction",
    "elasticfilesystem:accessedviamounttarget",
    "elasticfilesystem:accesspointarn",
    "elasticfilesystem:createaction",
    "kms:encryptioncontext",
    "kms:grantisforawsresource",
    "kms:viaservice",
)


@dataclass(frozen=True, kw_only=True)
class JudgedCall:
    """One call of one identity on one resource, and what IAM would answer. `endpoint` is the VPC
    endpoint that it takes.
    """

    identity: Identity
    action: str
    target: CallTarget
    stops: str
    source: str
    decision: Decision
    endpoint: Resource | None = None


class IdentityProof:
    """Every call that the software of a plan makes, judged."""

    def __init__(self, stack: StackConfig, resources: Resources) -> None:
        self.world = PlanWorld(stack, resources)
        found = list(identities(self.world))
        self.identities = [item for item in found if isinstance(item, Identity)]
        self.without = [item for item in found if isinstance(item, NoIdentity)]
        self._endpoints = dict(self.world.endpoints())
        self._targets: dict[str, tuple[CallTarget, ...]] = {}
        self._policies: dict[str, tuple[tuple[PolicyDocument, ...], tuple[str, ...]]] = {}

    @cached_property
    def calls(self) -> tuple[JudgedCall, ...]:
        """Every call, in the order of identities and of the table."""
        return tuple(found for identity in self.identities for found in self._of(identity))

    def _of(self, identity: Identity) -> Iterator[JudgedCall]:
        if identity.role is not None and identity.software.trusted:
            yield from self._trust(identity, identity.role)
        for call in api_calls():
            if call.software == identity.software.name:
                for target in self._on(call.on):
                    yield from self._judged(identity, call, target)

    def _on(self, word: str) -> tuple[CallTarget, ...]:
        if word not in self._targets:
            self._targets[word] = tuple(TARGETS[word](self.world))
        return self._targets[word]

    def _trust(self, identity: Identity, role: Resource) -> Iterator[JudgedCall]:
        """Whether the service may take the role at all (EKS Pod Identity tags the session too)."""
        document = self.world.document(
            role, "assumeRolePolicy", f"the trust policy of {self.world.identifier(role)}"
        )
        target = CallTarget(
            arn=self.world.arn(role), what=role.label, tags=self.world.tags(role), resource=role
        )
        service = identity.software.trusted
        caller, by_pods = Principal("service", service), service == "pods.eks.amazonaws.com"
        for action in ("sts:AssumeRole", "sts:TagSession") if by_pods else ("sts:AssumeRole",):
            request = self._request(identity, caller, action, target, {}, None)
            decision = decide(request, PolicySet(resource=() if document is None else (document,)))
            stops = (
                f"{service} cannot take the role, so {identity.software.name} has no credentials"
            )
            yield JudgedCall(
                identity=identity,
                action=action,
                target=target,
                stops=stops,
                source="IAM user guide, Roles terms and concepts",
                decision=decision,
            )

    def _judged(
        self, identity: Identity, call: ApiCall, target: CallTarget
    ) -> Iterator[JudgedCall]:
        caller = Principal("anonymous") if call.anonymous else identity.caller
        context = {
            key: value.replace("{region}", self._region(target))
            for key, value in call.context.items()
        }
        policies = self._policy_set(identity, call, target)
        for action in call.actions:
            endpoint = self._endpoints.get(call.endpoint(action)) if identity.inside else None
            request = self._request(identity, caller, action, target, context, endpoint)
            way = None if endpoint is None else self.world.document(endpoint, "policy")
            granted = target.granted is not None and action.lower() in target.granted
            decision = decide(request, replace(policies, endpoint=way, granted=granted))
            yield JudgedCall(
                identity=identity,
                action=action,
                target=target,
                stops=call.stops,
                source=call.source,
                decision=decision,
                endpoint=endpoint,
            )

    def _region(self, target: CallTarget) -> str:
        """Where the call is answered: the region in the resource's ARN, or the stack's."""
        parts = target.arn.split(":")  # arn:partition:service:region
        return parts[3] if len(parts) > 3 and parts[3] else self.world.region

    def _policy_set(self, identity: Identity, call: ApiCall, target: CallTarget) -> PolicySet:
        """What decides over the calls of a row, but for what is on the way."""
        # The bucket's owner lets all principals read; an obstacle is on our side.
        if call.anonymous:
            return PolicySet(resource=(_PUBLIC_ACCESS,))
        own = None if target.resource is None else self.world.resource_policies(target.resource)
        if target.granted is not None and own is None:
            own = ()
        documents, unknown = (
            ((), ()) if identity.role is None else self._identity_policies(identity.role)
        )
        boundary, unknown_boundary = self._boundary(identity.role)
        return PolicySet(
            identity=documents,
            resource=own,
            key=target.key,
            boundary=boundary,
            incomplete=(*unknown, *unknown_boundary),
        )

    def _identity_policies(
        self, role: Resource
    ) -> tuple[tuple[PolicyDocument, ...], tuple[str, ...]]:
        if role.urn not in self._policies:
            self._policies[role.urn] = self.world.identity_policies(role)
        return self._policies[role.urn]

    def _boundary(self, role: Resource | None) -> tuple[PolicyDocument | None, tuple[str, ...]]:
        given = None if role is None else role.inputs.get("permissionsBoundary")
        if role is None or not given:
            return None, ()
        document = self.world.attached_document(role, str(given))
        return document, (str(given).rpartition("/")[2],) if document is None else ()

    def _request(  # noqa: PLR0913, PLR0917 -- one private call, all of it the request
        self,
        identity: Identity,
        caller: Principal,
        action: str,
        target: CallTarget,
        context: dict[str, str],
        endpoint: Resource | None,
    ) -> AccessRequest:
        service = action.partition(":")[0].lower()
        known = {
            "aws:RequestedRegion": self._region(target),
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
            "aws:ResourceAccount": target.account,
        }
        known |= self._of_caller(identity, caller)
        closed = list(_CLOSED)
        if endpoint is not None:
            known |= {
                "aws:SourceVpce": f"vpce-{endpoint.name}",
                "aws:SourceVpc": str(endpoint.inputs.get("vpcId")),
            }
        elif not identity.inside or isinstance(self.world.stack.network, OpenNetworkSection):
            closed.append("aws:sourcevpc")
        if target.tags is not None:
            closed += ["aws:resourcetag/", f"{service}:resourcetag/"]
            known |= {
                f"{scope}:ResourceTag/{key}": value
                for scope in ("aws", service)
                for key, value in target.tags.items()
            }
        known |= {f"aws:RequestTag/{key}": value for key, value in (target.sent or {}).items()}
        values: dict[str, tuple[str, ...]] = {
            key.lower(): (value,) for key, value in (known | context | dict(target.context)).items()
        }
        if target.sent:
            values["aws:tagkeys"] = tuple(target.sent)
        closed.append("aws:principaltag/" if caller.kind == "role" else "aws:principal")
        if caller.kind != "service":
            closed += ["aws:sourceaccount", "aws:sourcearn", "aws:principalservicename"]
        return AccessRequest(
            caller=caller,
            action=action,
            resource=target.arn,
            context=RequestContext(values, tuple(closed)),
        )

    def _of_caller(self, identity: Identity, caller: Principal) -> dict[str, str]:
        if caller.kind == "service":
            return {
                "aws:SourceAccount": ACCOUNT,
                "aws:PrincipalIsAWSService": "true",
                "aws:PrincipalServiceName": caller.name,
            }
        if caller.kind == "anonymous":
            return {"aws:PrincipalIsAWSService": "false"}
        found = {
            "aws:PrincipalAccount": ACCOUNT,
            "aws:PrincipalArn": caller.name,
            "aws:PrincipalType": "AssumedRole",
            "aws:PrincipalIsAWSService": "false",
        }
        tags = {} if identity.role is None else self.world.tags(identity.role)
        # EKS user guide, "Grant Pods access to AWS resources based on tags".
        if identity.service_account is not None:
            tags = {
                **tags,
                "eks-cluster-name": self.world.stack.name,
                "kubernetes-service-account": identity.service_account,
            }
        return found | {f"aws:PrincipalTag/{key}": value for key, value in tags.items()}


def identity_findings(stack: StackConfig, resources: Resources) -> list[Finding]:
    """Every call that the software of the stack makes is allowed: by the policies of its
    identity, of the resource, of the key, and of the endpoint.
    """
    proof = IdentityProof(stack, resources)
    calls = proof.calls
    if not calls and not proof.without:
        return []
    wrong = (*_documents(proof), *_without(proof), *_wrong_accounts(proof))
    faults = [*wrong, *_denied(calls), *_unknown(calls)]
    software = {call.identity.software.name for call in calls}
    holds = (
        f"{len(calls)} calls of {len(software)} pieces of software are allowed by the policies that"
        " their identities really have"
    )
    failed = any(finding.status in ("fail", "warn") for finding in faults)
    return faults if failed else [*verdict(_CHECK, (), otherwise=holds), *faults]


def _documents(proof: IdentityProof) -> Iterator[Finding]:
    for fault in proof.world.faults.values():
        message = f"{fault.resource.label} {fault.what}"
        yield fail(_CHECK, message, fault.fix, fault.resource)


def _without(proof: IdentityProof) -> Iterator[Finding]:
    for item in proof.without:
        message = (
            f"{item.source.label}: {item.software.name} calls AWS, and its pods have no role:"
            " every call is denied"
        )
        fix = (
            f"associate a role with the service account {item.software.service_account} (EKS"
            " Pod Identity)"
        )
        yield fail(_CHECK, message, fix, item.source)


def _wrong_accounts(proof: IdentityProof) -> Iterator[Finding]:
    for item in proof.identities:
        wanted = item.software.service_account
        given = item.service_account
        if given is not None and item.source.type == ADDON and given != wanted:
            message = (
                f"{item.source.label} gives its role to the service account {given}, and the pods"
                f" of {item.software.name} run as {wanted}"
            )
            yield fail(_CHECK, message, f"give it to {wanted}", item.source)


def _denied(calls: Iterable[JudgedCall]) -> Iterator[Finding]:
    for found in _alike(call for call in calls if call.decision.allowed is False):
        fix = cure(found[0], _actions(found))
        yield fail(_CHECK, _message(found, "may not"), fix, *_concerned(found[0]))


def _unknown(calls: Iterable[JudgedCall]) -> Iterator[Finding]:
    """What another owner's policy decides cannot be known here; a condition on values that no plan
    knows has to be checked by hand.
    """
    for found in _alike(call for call in calls if call.decision.allowed is None):
        message, about = _message(found, "may or may not"), _concerned(found[0])
        if found[0].decision.elsewhere:
            yield skip(_CHECK, message, "check that policy", *about)
        else:
            yield warn(_CHECK, message, "check whether that holds when it calls", *about)


def _alike(calls: Iterable[JudgedCall]) -> list[list[JudgedCall]]:
    """Calls that one statement decides on one resource belong into one message."""
    groups: dict[tuple[str, str, str], list[JudgedCall]] = {}
    for call in calls:
        key = (call.identity.software.name, call.target.what, call.decision.by)
        groups.setdefault(key, []).append(call)
    return list(groups.values())


def _actions(found: list[JudgedCall]) -> str:
    return ", ".join(dict.fromkeys(call.action for call in found))


def _concerned(call: JudgedCall) -> list[Resource]:
    endpoint = call.endpoint if call.decision.layer == "endpoint" else None
    own = (call.identity.role, call.target.resource, endpoint)
    found = {item.urn: item for item in own if item is not None}
    return list(found.values()) or [call.identity.source]


def _message(found: list[JudgedCall], may: str) -> str:
    first = found[0]
    on = f" on {first.target.what}" if first.target.what else ""
    if first.decision.explicit:
        by = f"denied by {first.decision.by}"
    else:
        by = first.decision.by
        if first.decision.layer == "endpoint" and first.endpoint:
            by += f", the policy of the endpoint {first.endpoint.name}"
    way = " (AWS evaluates identity, resource, key and endpoint policies)" if not by else ""
    return f"{first.identity.software.name} {may} {_actions(found)}{on}: {by}{way}; {first.stops}"


def cure(call: JudgedCall, actions: str) -> str:
    """What to change so that a denied call is allowed."""
    decision, what = call.decision, call.target.what or "the resource"
    if decision.explicit:
        return f"take {actions} out of what {decision.by} denies"
    if decision.near:
        tags = [
            (item.key.partition("/")[2], item.values[0])
            for item in decision.near[0].conditions
            if _asks_for_a_tag(item)
        ]
        wanted = ", ".join(f"{key}={value}" for key, value in tags)
        if tags:
            return f"tag {what} with {wanted}"
        return f"meet that condition, or change it in {decision.near[0].policy}"
    return _allowing(call, actions, what)


def _asks_for_a_tag(condition: Condition) -> bool:
    return ":resourcetag/" in condition.key.lower() and condition.operator.name == "stringequals"


def _allowing(call: JudgedCall, actions: str, what: str) -> str:
    """Where a statement is missing."""
    if call.decision.layer == "endpoint" and call.endpoint is not None:
        return f"let {actions} on {what} through in the policy of {call.endpoint.name}"
    if call.target.granted is not None:
        role = call.identity.caller.name.rpartition("/")[2]
        return f"let a grant of the key allow {actions} to the role {role}"
    if call.decision.layer == "key":
        return (
            f"let the policy of {what} allow {actions}, or hand over to the account (Principal: the"
            " account's root)"
        )
    if call.identity.role is None or call.decision.layer == "resource":
        return f"allow {actions} in the policy of {what}"
    name = call.identity.role.inputs.get("name", call.identity.role.name)
    return f"allow {actions} in a policy of the role {name}"

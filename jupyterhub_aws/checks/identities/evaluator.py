"""Would AWS allow a request? Identity, resource, key and endpoint policies of one account, as IAM
decides over them.

Rules: IAM user guide, "Policy evaluation logic" and "Evaluating policies within a single account";
KMS developer guide, "Key policies" (a key's policy has to allow too, by itself or by handing over
to the account) and "Grants"; AWS PrivateLink guide, "Control access to VPC endpoints".
Organizations' policies (SCP, RCP) are not known to a plan and not judged. There is no library of
this kind that knows conditions: moto's engine reads `StringEquals` of trust policies only,
parliament lints, and simulators ask AWS. Knows nothing of this project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from jupyterhub_aws.checks.identities.conditions import (
    Condition,
    RequestContext,
    Truth,
    either,
    equals,
    every,
    expanded,
    glob,
    holds,
    literal,
    matches,
    negated,
)
from jupyterhub_aws.checks.identities.documents import PolicyDocument, PolicyStatement

#: Calls that IAM lets through without any permission, unless something denies them (STS API
#: reference, "GetCallerIdentity").
FREE_ACTIONS = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})
PrincipalKind = Literal["role", "service", "anonymous"]


@dataclass(frozen=True)
class Principal:
    """Who asks: a role by its ARN, an AWS service by its name (`events.amazonaws.com`), or
    no principal of this account (unsigned, or another account's).
    """

    kind: PrincipalKind
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class AccessRequest:
    """One call on one resource. `action` as policies write it; `resource` is its ARN, or `*`
    where the action knows no resources.
    """

    caller: Principal
    action: str
    resource: str
    context: RequestContext


@dataclass(frozen=True, kw_only=True)
class PolicySet:
    """What decides. `resource` are the resource's own policies, None where it has none; `key`: it
    is a KMS key's, without which nothing is allowed.

    `endpoint` is the policy of the VPC endpoint on the way, None where there is none or it lets
    every call through; `boundary` a permissions boundary. `granted`: a KMS grant allows the action.
    `incomplete`: the caller has policies that are not known here, so that what no statement allows
    may be.
    """

    identity: Sequence[PolicyDocument] = ()
    resource: Sequence[PolicyDocument] | None = None
    key: bool = False
    endpoint: PolicyDocument | None = None
    boundary: PolicyDocument | None = None
    granted: bool = False
    incomplete: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NearMiss:
    """A statement that would have allowed the request but for these conditions."""

    policy: str
    statement: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`allowed`: None where it depends on what is not known. `by` names policy and statement;
    `layer` what refused: `identity`, `resource`, `key`, `endpoint`, `boundary`; `explicit`: by a
    Deny. `near` are statements that would have allowed it, were it not for a condition.
    `elsewhere`: a policy with a document that is not known here decides.
    """

    allowed: Truth
    by: str
    layer: str
    explicit: bool = False
    near: tuple[NearMiss, ...] = ()
    used: tuple[tuple[str, str], ...] = ()
    elsewhere: bool = False


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What the statements of one layer say: denied, allowed, and by which. `direct`: allowed by
    one that does not only hand over to the account.
    """

    denied: Truth
    deny_by: str
    allowed: Truth
    direct: Truth
    allow_by: tuple[tuple[str, str], ...]
    near: tuple[NearMiss, ...]


def decide(request: AccessRequest, policies: PolicySet) -> Decision:
    """What IAM would answer, and by which statement."""
    layers: dict[str, _Outcome] = {"identity": _outcome(request, policies.identity)}
    if policies.resource is not None:
        layers["key" if policies.key else "resource"] = _outcome(request, policies.resource)
    for name, document in (("endpoint", policies.endpoint), ("boundary", policies.boundary)):
        if document is not None:
            layers[name] = _outcome(request, (document,))
    denied = [(name, layer) for name, layer in layers.items() if layer.denied is not False]
    for name, layer in denied:
        if layer.denied:
            return Decision(allowed=False, by=layer.deny_by, layer=name, explicit=True)
    permitted = _permitted(request, policies, layers)
    if permitted.allowed is False:
        return permitted
    for name in ("endpoint", "boundary"):
        outcome = layers.get(name)
        if outcome is not None and outcome.allowed is not True:
            by = _missing(policies, name, outcome.near, unknown=outcome.allowed is None)
            return Decision(allowed=outcome.allowed, by=by, layer=name, near=outcome.near)
    if denied and permitted.allowed:
        return Decision(allowed=None, by=denied[0][1].deny_by, layer=denied[0][0])
    return permitted


def _permitted(
    request: AccessRequest, policies: PolicySet, layers: dict[str, _Outcome]
) -> Decision:
    """What identity and resource policies allow together, before what limits them."""
    identity, own = layers["identity"], layers.get("resource")
    by_identity: Truth = identity.allowed
    if by_identity is False and policies.incomplete:
        by_identity = None
    if request.action.lower() in FREE_ACTIONS:
        return Decision(allowed=True, by="needs no permission", layer="identity")
    if policies.granted:
        return Decision(allowed=True, by="a grant of the key", layer="key")
    if policies.key and "key" in layers:
        return _by_key(policies, layers["key"], identity, by_identity)
    if policies.key and by_identity is not False:
        by = "the key's own policy is not known here"
        return Decision(allowed=None, by=by, layer="key", elsewhere=True)
    direct = False if own is None else own.direct
    decided = either((by_identity, direct))
    near = (*identity.near, *(() if own is None else own.near))
    if decided:
        used = identity.allow_by if identity.allowed else own.allow_by if own is not None else ()
        layer = "identity" if identity.allowed else "resource"
        return Decision(allowed=True, by=_by(used), layer=layer, near=near, used=used)
    layer = "identity" if request.caller.kind == "role" else "resource"
    elsewhere = identity.allowed is False and bool(policies.incomplete)
    by = _missing(policies, layer, near, unknown=decided is None)
    return Decision(allowed=decided, by=by, layer=layer, near=near, elsewhere=elsewhere)


def _by_key(policies: PolicySet, key: _Outcome, identity: _Outcome, by_identity: Truth) -> Decision:
    """A key's policy allows by itself, or hands over to the account's IAM policies."""
    if key.allowed is False:
        by = _missing(policies, "key", key.near, unknown=False)
        return Decision(allowed=False, by=by, layer="key", near=key.near)
    if key.direct:
        return Decision(allowed=True, by=_by(key.allow_by), layer="key", used=key.allow_by)
    together = every((key.allowed, by_identity))
    if together:
        used = identity.allow_by
        return Decision(allowed=True, by=_by(used), layer="identity", used=used)
    near = (*identity.near, *key.near)
    elsewhere = identity.allowed is False and bool(policies.incomplete)
    by = _missing(policies, "identity", near, unknown=together is None)
    return Decision(allowed=together, by=by, layer="identity", near=near, elsewhere=elsewhere)


def _outcome(request: AccessRequest, documents: Iterable[PolicyDocument]) -> _Outcome:
    denied: Truth = False
    allowed: Truth = False
    direct: Truth = False
    deny_by, allow_by, near = "", [], []
    for document, statement in _concerned(request.action.lower(), documents):
        applies = _applies(request, statement)
        if applies is False:
            continue
        conditions = [
            (condition, holds(condition, request.context, variables=statement.variables))
            for condition in statement.conditions
        ]
        truth = every((applies, *(value for _, value in conditions)))
        if not statement.allows:
            if truth is not False and denied is not True:
                denied, deny_by = truth, f"{document.name}, statement {statement.label}"
            continue
        if truth is not True:
            failing = tuple(condition for condition, value in conditions if value is not True)
            near.append(
                NearMiss(policy=document.name, statement=statement.label, conditions=failing)
            )
        else:
            allow_by.append((document.name, statement.label))
        allowed = either((allowed, truth))
        if not _hands_over(statement):
            direct = either((direct, truth))
    return _Outcome(
        denied=denied,
        deny_by=deny_by,
        allowed=allowed,
        direct=direct,
        allow_by=tuple(allow_by),
        near=tuple(near),
    )


def _concerned(
    action: str, documents: Iterable[PolicyDocument]
) -> Iterator[tuple[PolicyDocument, PolicyStatement]]:
    for document in documents:
        for statement in document.statements:
            listed = action in statement.actions or any(
                glob(pattern, action) for pattern in statement.patterns
            )
            if listed != statement.not_actions:
                yield document, statement


def _applies(request: AccessRequest, statement: PolicyStatement) -> Truth:
    """Whether a statement is about this caller and this resource."""
    return every((_about_caller(request, statement), _about_resource(request, statement)))


def _about_resource(request: AccessRequest, statement: PolicyStatement) -> Truth:
    def found(pattern: str) -> Truth:
        if pattern == "*":
            return True
        written = (
            expanded(pattern, request.context)
            if statement.variables
            else pattern.replace("$", literal("$"))
        )
        return (
            None if written is None else written is not False and matches(written, request.resource)
        )

    met = either(map(found, statement.resources))
    return negated(met) if statement.not_resources else met


def _about_caller(request: AccessRequest, statement: PolicyStatement) -> Truth:
    if statement.principals is None:
        return True
    met = either(
        _is_caller(kind, value, request.caller) for kind, value in statement.principals.named
    )
    return negated(met) if statement.principals.excluded else met


def _is_caller(kind: str, value: str, caller: Principal) -> Truth:
    if value == "*":
        return kind == "AWS" or (kind == "Service" and caller.kind == "service")
    if kind == "Service":
        return caller.kind == "service" and value == caller.name
    if kind != "AWS" or caller.kind != "role":
        return False
    if _is_account(value):
        account = value if ":" not in value else value.split(":")[4]
        return equals(literal(account), caller.name.split(":")[4])
    return equals(literal(value), caller.name)


def _is_account(value: str) -> bool:
    """Whether a principal is a whole account: its number, or its root."""
    return ":" not in value or value.endswith(":root")


def _hands_over(statement: PolicyStatement) -> bool:
    named = () if statement.principals is None else statement.principals.named
    return bool(named) and all(
        kind == "AWS" and value != "*" and _is_account(value) for kind, value in named
    )


def _by(used: Sequence[tuple[str, str]]) -> str:
    return f"{used[0][0]}, statement {used[0][1]}" if used else ""


def _missing(policies: PolicySet, layer: str, near: Sequence[NearMiss], *, unknown: bool) -> str:
    """Which statement nearly allowed it, or that none mentions it."""
    if unknown and policies.incomplete and not near:
        return (
            f"no statement here allows it, and what {' and '.join(policies.incomplete)} says is not"
            " known here"
        )
    if near:
        first = near[0]
        conditions = "; ".join(condition.text for condition in first.conditions)
        return f"{first.policy}, statement {first.statement}" + (
            f", asks for {conditions}" if conditions else ""
        )
    limits = {"endpoint": policies.endpoint, "boundary": policies.boundary}
    document = limits.get(layer)
    own = policies.resource or () if layer in ("resource", "key") else policies.identity
    names = [document.name] if document is not None else [found.name for found in own]
    return f"no statement of {' or '.join(names)} allows it" if names else "it has no policy"

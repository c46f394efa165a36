"""The evaluator of IAM documents by itself: the rules of the IAM user guide by cases, and what
holds of any policies by generated ones.
"""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_aws.checks.identities.conditions import (
    ACCOUNT,
    ConditionError,
    RequestContext,
    either,
    every,
    expanded,
    glob,
    holds,
    literal,
    negated,
    parse_operator,
)
from jupyterhub_aws.checks.identities.documents import PolicyDocument, PolicyError, parse_policy
from jupyterhub_aws.checks.identities.evaluator import AccessRequest, PolicySet, Principal, decide

ROLE_ARN = "arn:aws:iam::123456789012:role/driver"
ROLE = Principal("role", ROLE_ARN)
generated = settings(max_examples=200, deadline=None)
VOLUME = "arn:aws:ec2:us-east-1:123456789012:volume/vol-1"


def statement(effect: str = "Allow", **rest: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*", **rest}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> PolicyDocument:
    return parse_policy("policy", json.dumps({"Version": version, "Statement": list(statements)}))


def request(
    action: str = "ec2:AttachVolume",
    resource: str = VOLUME,
    caller: Principal = ROLE,
    closed: tuple[str, ...] = ("aws:",),
    **known: Any,
) -> AccessRequest:
    values = {
        key.lower(): (value,) if isinstance(value, str) else tuple(value)
        for key, value in known.items()
    }
    return AccessRequest(
        caller=caller, action=action, resource=resource, context=RequestContext(values, closed)
    )


def allowed(asked: AccessRequest, *documents: PolicyDocument, **more: Any) -> bool | None:
    return decide(asked, PolicySet(identity=documents, **more)).allowed


def condition_holds(
    operator: str, values: Any, closed: tuple[str, ...] = ("aws:",), **known: Any
) -> bool | None:
    """One condition on the key `aws:k`."""
    found = policy(statement(Condition={operator: {"aws:k": values}})).statements[0].conditions[0]
    return holds(
        found,
        RequestContext(
            {
                key: (value,) if isinstance(value, str) else tuple(value)
                for key, value in known.items()
            },
            closed,
        ),
        variables=True,
    )


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ({"Action": "ec2:AttachVolume"}, True),
        ({"Action": "EC2:attachvolume"}, True),  # actions know no case
        ({"Action": "ec2:Attach*"}, True),
        ({"Action": "ec2:?ttachVolume"}, True),
        ({"Action": ["s3:GetObject", "ec2:*"]}, True),
        ({"Action": "ec2:DetachVolume"}, False),
        ({"NotAction": "ec2:Describe*"}, True),
        ({"NotAction": "ec2:*"}, False),
        ({"Resource": "arn:aws:ec2:*:*:volume/*"}, True),
        ({"Resource": "arn:aws:ec2:*:*:volume/vol-?"}, True),
        ({"Resource": "arn:aws:ec2:*:*:VOLUME/*"}, False),  # resources do
        ({"Resource": ["arn:aws:ec2:*:*:snapshot/*", VOLUME]}, True),
        ({"NotResource": "arn:aws:ec2:*:*:volume/*"}, False),
        ({"NotResource": "arn:aws:ec2:*:*:snapshot/*"}, True),
        ({"Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}, True),
        ({"Condition": {"StringEquals": {"aws:resourcetag/A": "b"}}}, True),  # keys know no case
        ({"Condition": {"StringEquals": {"aws:ResourceTag/a": "B"}}}, False),
        ({"Condition": {"StringEqualsIgnoreCase": {"aws:ResourceTag/a": "B"}}}, True),
        (
            {
                "Condition": {
                    "StringEquals": {"aws:ResourceTag/a": "b"},
                    "Null": {"aws:ResourceTag/c": "false"},
                }
            },
            False,
        ),  # all have to hold
        (
            {"Condition": {"StringEquals": {"aws:ResourceTag/a": ["x", "b"]}}},
            True,
        ),  # one value is enough
        ({"Condition": {"StringEquals": {"ec2:InstanceType": "t3.micro"}}}, None),  # nobody knows
    ],
)
def test_a_statement_of_an_identity_policy(written: dict[str, Any], answer: bool | None):
    base = {key: value for key, value in statement().items() if not ({f"Not{key}"} & set(written))}
    assert allowed(request(**{"aws:ResourceTag/a": "b"}), policy({**base, **written})) is answer


@pytest.mark.parametrize(
    ("operator", "values", "known", "answer"),
    [
        ("StringEquals", "a", {"aws:k": "a"}, True),
        ("StringEquals", "a*", {"aws:k": "ab"}, False),  # no wildcards
        ("StringLike", "a*", {"aws:k": "ab"}, True),
        ("StringNotLike", "a*", {"aws:k": "ab"}, False),
        ("StringNotEquals", ["a", "b"], {"aws:k": "b"}, False),
        ("StringNotEquals", ["a", "b"], {"aws:k": "c"}, True),
        ("StringNotEqualsIgnoreCase", "A", {"aws:k": "a"}, False),
        # a key that the request does not have
        ("StringEquals", "a", {}, False),
        ("StringNotEquals", "a", {}, True),
        ("StringEqualsIfExists", "a", {}, True),
        ("StringEqualsIfExists", "a", {"aws:k": "b"}, False),
        ("ForAllValues:StringEquals", "a", {}, True),
        ("ForAnyValue:StringEquals", "a", {}, False),
        ("ForAnyValue:StringNotEquals", "a", {}, False),
        ("Null", "true", {}, True),
        ("Null", "false", {}, False),
        ("Null", "false", {"aws:k": "a"}, True),
        # several values
        ("ForAllValues:StringEquals", ["a", "b"], {"aws:k": ["a", "b"]}, True),
        ("ForAllValues:StringEquals", ["a", "b"], {"aws:k": ["a", "c"]}, False),
        ("ForAnyValue:StringEquals", ["a", "b"], {"aws:k": ["c", "b"]}, True),
        ("ForAllValues:StringNotEquals", ["a", "b"], {"aws:k": ["c", "d"]}, True),
        ("ForAllValues:StringNotEquals", ["a", "b"], {"aws:k": ["c", "a"]}, False),
        ("ForAnyValue:StringNotEquals", ["a", "b"], {"aws:k": ["a", "c"]}, True),
        # numbers, dates, truth, addresses
        ("NumericLessThanEquals", "10", {"aws:k": "10"}, True),
        ("NumericGreaterThan", 10, {"aws:k": "9.5"}, False),
        ("NumericNotEquals", "10", {"aws:k": "11"}, True),
        ("NumericEquals", "10", {"aws:k": "ten"}, False),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", {"aws:k": "2026-11-29T12:00:00Z"}, True),
        ("DateLessThan", "2026-01-01T00:00:00Z", {"aws:k": "1767225601"}, False),
        ("DateNotEquals", "2026-01-01", {"aws:k": "2026-01-01T00:00:00Z"}, False),
        ("Bool", True, {"aws:k": "true"}, True),
        ("Bool", "false", {"aws:k": "True"}, False),
        ("BinaryEquals", "QmluYXJ5", {"aws:k": "QmluYXJ5"}, True),
        ("IpAddress", "203.0.113.0/24", {"aws:k": "203.0.113.9"}, True),
        ("NotIpAddress", "203.0.113.0/24", {"aws:k": "203.0.113.9"}, False),
        ("IpAddress", "2001:db8::/32", {"aws:k": "2001:db8::1"}, True),
        # ARNs, part by part
        ("ArnLike", "arn:aws:iam::*:role/a*", {"aws:k": "arn:aws:iam::123456789012:role/ab"}, True),
        (
            "ArnEquals",
            "arn:aws:iam::*:role/a*",
            {"aws:k": "arn:aws:iam::123456789012:role/ab"},
            True,
        ),
        ("ArnLike", "arn:aws:*:role/ab", {"aws:k": "arn:aws:iam::123456789012:role/ab"}, False),
        ("StringLike", "arn:aws:*:role/ab", {"aws:k": "arn:aws:iam::123456789012:role/ab"}, True),
        (
            "ArnNotLike",
            "arn:aws:iam::*:role/a*",
            {"aws:k": "arn:aws:iam::123456789012:role/ab"},
            False,
        ),
        # policy variables
        (
            "StringEquals",
            "${aws:PrincipalTag/team}",
            {"aws:k": "red", "aws:principaltag/team": "red"},
            True,
        ),
        (
            "StringEquals",
            "${aws:PrincipalTag/team}",
            {"aws:k": "red", "aws:principaltag/team": "blue"},
            False,
        ),
        ("StringEquals", "${aws:PrincipalTag/team}", {"aws:k": "red"}, False),
        ("StringEquals", "${aws:PrincipalTag/team, 'red'}", {"aws:k": "red"}, True),
        ("StringLike", "${*}x*", {"aws:k": "*xy"}, True),
        ("StringLike", "${*}x*", {"aws:k": "axy"}, False),
        (
            "StringLike",
            "${aws:PrincipalTag/team}*",
            {"aws:k": "anything", "aws:principaltag/team": "*"},
            False,
        ),  # a value is no pattern
        ("StringEquals", "${ec2:Unknown}", {"aws:k": "red"}, None),
        # the account, which only AWS knows
        ("StringEquals", "123456789012", {"aws:k": ACCOUNT}, None),
        ("StringEquals", ACCOUNT, {"aws:k": ACCOUNT}, True),
        ("StringEquals", ACCOUNT, {"aws:k": "602401143452"}, False),
        (
            "StringLike",
            "arn:aws:sns:*:123456789012:b",
            {"aws:k": f"arn:aws:sns:us-east-1:{ACCOUNT}:a"},
            False,
        ),
    ],
)
def test_a_condition(operator: str, values: Any, known: dict[str, Any], answer: bool | None):
    assert condition_holds(operator, values, **known) is answer


def test_what_is_not_known_is_never_taken_for_true():
    assert condition_holds("StringEquals", "a", closed=()) is None
    assert condition_holds("StringNotEquals", "a", closed=()) is None
    assert condition_holds("Null", "true", closed=()) is None
    assert condition_holds("StringEqualsIfExists", "a", closed=()) is None


def test_before_2012_variables_are_text():
    written = statement(Resource="arn:aws:s3:::${aws:PrincipalTag/team}/*")
    asked = request("s3:GetObject", "arn:aws:s3:::red/key", **{"aws:PrincipalTag/team": "red"})
    assert allowed(asked, policy(written)) is True
    assert allowed(asked, policy(written, version="2008-10-17")) is False


@pytest.mark.parametrize(
    ("named", "caller", "answer"),
    [
        ("*", ROLE, True),
        ({"AWS": "*"}, Principal("anonymous"), True),
        ({"AWS": ROLE_ARN}, ROLE, True),
        ({"AWS": [ROLE_ARN + "2", ROLE_ARN]}, ROLE, True),
        ({"AWS": ROLE_ARN}, Principal("anonymous"), False),
        (
            {"AWS": "arn:aws:iam::123456789012:root"},
            ROLE,
            False,
        ),  # hands over to the account, whose policies say nothing
        ({"AWS": "123456789012"}, ROLE, False),
        ({"AWS": "arn:aws:iam::999999999999:root"}, ROLE, False),
        ({"Service": "events.amazonaws.com"}, Principal("service", "events.amazonaws.com"), True),
        ({"Service": "events.amazonaws.com"}, Principal("service", "sns.amazonaws.com"), False),
        ({"Service": "events.amazonaws.com"}, ROLE, False),
        ({"Federated": "arn:aws:iam::123456789012:oidc-provider/x"}, ROLE, False),
    ],
)
def test_whom_a_resource_policy_names(named: Any, caller: Principal, answer: bool):
    own = policy(statement(Principal=named))
    assert decide(request(caller=caller), PolicySet(resource=(own,))).allowed is answer


def test_not_principal_names_all_others():
    deny = policy(
        statement("Deny", NotPrincipal={"AWS": ROLE_ARN}),
        {**statement(Principal="*"), "Sid": "All"},
    )
    assert decide(request(), PolicySet(resource=(deny,))).allowed is True
    assert (
        decide(
            request(caller=Principal("role", ROLE_ARN + "2")), PolicySet(resource=(deny,))
        ).allowed
        is False
    )


def test_a_key_has_to_allow_too():
    everything, root = (
        policy(statement()),
        policy(statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})),
    )
    asked, own = (
        request("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/1"),
        policy(statement(Principal={"AWS": ROLE_ARN})),
    )
    assert (
        decide(asked, PolicySet(identity=(everything,), resource=(root,), key=True)).allowed is True
    )
    assert decide(asked, PolicySet(resource=(root,), key=True)).allowed is False, (
        "the account decides, and says nothing"
    )
    assert (
        decide(
            asked,
            PolicySet(
                identity=(everything,),
                resource=(policy(statement(Principal={"AWS": ROLE_ARN + "2"})),),
                key=True,
            ),
        ).allowed
        is False
    )
    assert decide(asked, PolicySet(resource=(own,), key=True)).allowed is True
    assert decide(asked, PolicySet(identity=(everything,), key=True)).allowed is None, (
        "its own policy is not known"
    )
    assert decide(asked, PolicySet(resource=(), key=True, granted=True)).allowed is True
    assert decide(asked, PolicySet(resource=(), key=True)).allowed is False
    denied = policy(statement("Deny", Principal="*"))
    assert decide(asked, PolicySet(resource=(denied,), key=True, granted=True)).allowed is False, (
        "a grant does not beat a deny"
    )


def test_what_limits_has_to_allow_too():
    everything, other = policy(statement()), policy(statement(Action="s3:*"))
    assert allowed(request(), everything, endpoint=policy(statement(Principal="*"))) is True
    assert (
        allowed(request(), everything, endpoint=policy(statement(Principal="*", Action="s3:*")))
        is False
    )
    assert allowed(request(), everything, boundary=other) is False
    assert decide(request(), PolicySet(identity=(everything,), boundary=other)).layer == "boundary"
    assert allowed(request(), boundary=everything) is False, "a boundary gives nothing"


def test_a_policy_that_is_not_known_leaves_it_open_and_a_deny_closes_it():
    assert allowed(request(), incomplete=("theirs",)) is None
    assert allowed(request(), policy(statement("Deny")), incomplete=("theirs",)) is False


def test_who_one_is_needs_no_permission_and_can_be_denied():
    asked = request("sts:GetCallerIdentity", "*")
    assert allowed(asked) is True
    assert allowed(asked, policy(statement("Deny"))) is False
    assert allowed(asked, endpoint=policy(statement(Principal="*", Action="s3:*"))) is False


def test_the_answer_names_what_decided():
    near = policy(
        {**statement(Condition={"StringEquals": {"aws:ResourceTag/a": "b"}}), "Sid": "Tagged"}
    )
    found = decide(request(), PolicySet(identity=(near,)))
    assert (found.allowed, found.layer, found.by) == (
        False,
        "identity",
        "policy, statement Tagged, asks for StringEquals aws:ResourceTag/a = b",
    )
    assert (
        decide(request(), PolicySet(identity=(policy(statement(Action="s3:*")),))).by
        == "no statement of policy allows it"
    )
    assert decide(request(), PolicySet()).by == "it has no policy"
    assert (
        decide(request(), PolicySet(identity=(policy(statement()),))).by
        == "policy, statement number 1"
    )


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "is not JSON"),
        ("{'Version': 1}", "is not JSON"),
        ("[]", "no JSON object"),
        ({"Version": "2012-10-17"}, "has no Statement"),
        ({"Statement": []}, "has no Statement"),
        ({"Statement": ["Allow"]}, "statement 1 is no object"),
        ({"Version": "2026-01-01", "Statement": [statement()]}, "none of IAM's"),
        ({"Statement": [statement(Effect="allow")]}, "has to be Allow or Deny"),
        ({"Statement": [statement(NotAction="*")]}, "Action and NotAction"),
        ({"Statement": [statement(Acton="*")]}, "'Acton' is no element"),
        ({"Statement": [{"Effect": "Allow", "Resource": "*"}]}, "has no Action"),
        ({"Statement": [statement(Action="AttachVolume")]}, "'AttachVolume'"),
        ({"Statement": [statement(Action="ec2*:AttachVolume")]}, "not in the service"),
        ({"Statement": [statement(Action="ec2:Attach Volume")]}, "'ec2:Attach Volume'"),
        ({"Statement": [statement(Action=[])]}, "a text or a list of texts"),
        ({"Statement": [statement(Resource="volume/vol-1")]}, "write `*` or an ARN"),
        ({"Statement": [statement(Resource="arn:aws:*:::x")]}, "may not stand for the service"),
        ({"Statement": [statement(Resource="**")]}, "write `*` or an ARN"),
        (
            {"Statement": [statement(Principal={"AWS": "arn:aws:iam::123456789012:role/*"})]},
            "part of a principal",
        ),
        ({"Statement": [statement(Principal={"Aws": "*"})]}, "'Aws' is none of"),
        ({"Statement": [statement(Principal="role")]}, "has to be `*` or an object"),
        (
            {"Statement": [statement(Condition={"StringEqual": {"a:b": "c"}})]},
            "'StringEqual' is no condition operator",
        ),
        (
            {"Statement": [statement(Condition={"ForSomeValues:StringEquals": {"a:b": "c"}})]},
            "no condition operator",
        ),
        (
            {"Statement": [statement(Condition={"NullIfExists": {"a:b": "true"}})]},
            "no condition operator",
        ),
        (
            {"Statement": [statement(Condition={"NumericEquals": {"a:b": "ten"}})]},
            "'ten' is no value",
        ),
        ({"Statement": [statement(Condition={"Bool": {"a:b": "yes"}})]}, "'yes' is no value"),
        (
            {"Statement": [statement(Condition={"IpAddress": {"a:b": "10.0.0.0/33"}})]},
            "'10.0.0.0/33' is no value",
        ),
        (
            {"Statement": [statement(Condition={"DateLessThan": {"a:b": "tomorrow"}})]},
            "'tomorrow' is no value",
        ),
        ({"Statement": [statement(Condition=["a"])]}, "Condition has to be an object"),
        ({"Statement": [statement(Condition={"Bool": "true"})]}, "an object of keys"),
        (
            {"Statement": [statement(Condition={"Bool": {"a:b": None}})]},
            "texts, numbers or booleans",
        ),
        (
            {"Statement": [{**statement(), "Sid": "A"}, {**statement(), "Sid": "A"}]},
            "two statements with the Sid A",
        ),
    ],
)
def test_a_document_that_aws_would_refuse_is_refused_with_its_place(document: Any, says: str):
    with pytest.raises(PolicyError, match=re.escape(says)):
        parse_policy("policy", document if isinstance(document, str) else json.dumps(document))


# --- whatever the policies ---

_ACTIONS = st.sampled_from(
    ["*", "ec2:*", "ec2:AttachVolume", "ec2:DetachVolume", "ec2:?ttach*", "s3:GetObject", "s3:Get*"]
)
_RESOURCES = st.sampled_from(
    ["*", VOLUME, "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*", "arn:aws:s3:::bucket/*"]
)
_CONDITIONS = st.one_of(
    st.none(),
    st.builds(
        lambda operator, key, value: {operator: {key: value}},
        st.sampled_from(
            [
                "StringEquals",
                "StringNotEquals",
                "StringLike",
                "StringEqualsIfExists",
                "ForAllValues:StringEquals",
                "ForAnyValue:StringEquals",
            ]
        ),
        st.sampled_from(["aws:ResourceTag/a", "aws:RequestTag/b", "aws:TagKeys", "ec2:Unknown"]),
        st.sampled_from(["a", "b", "*", ["a", "b"]]),
    ),
)


@st.composite
def _statements(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": draw(st.sampled_from(effects))}
    found[draw(st.sampled_from(["Action", "NotAction"]))] = draw(
        st.lists(_ACTIONS, min_size=1, max_size=3)
    )
    found[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(
        st.lists(_RESOURCES, min_size=1, max_size=2)
    )
    condition = draw(_CONDITIONS)
    return found if condition is None else {**found, "Condition": condition}


_REQUESTS = st.builds(
    lambda action, resource, tags, keys: request(
        action,
        resource,
        **{
            **{f"aws:ResourceTag/{key}": key for key in tags},
            **({"aws:TagKeys": keys} if keys else {}),
        },
    ),
    st.sampled_from(["ec2:AttachVolume", "ec2:DetachVolume", "s3:GetObject", "iam:PassRole"]),
    st.sampled_from(
        [VOLUME, "arn:aws:ec2:us-east-1::snapshot/snap-1", "arn:aws:s3:::bucket/key", "*"]
    ),
    st.sets(st.sampled_from(["a", "b"])),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=2),
)
_SOME = st.lists(_statements(), min_size=1, max_size=5)
_ORDER = {False: 0, None: 1, True: 2}


@pytest.mark.real
@generated
@given(_REQUESTS, _SOME)
def test_a_deny_of_everything_always_wins(asked: AccessRequest, statements: list[dict[str, Any]]):
    assert allowed(asked, policy(*statements), policy(statement("Deny"))) is False


@generated
@given(_REQUESTS, _SOME, _statements(("Allow",)))
def test_a_further_allow_never_takes_away(
    asked: AccessRequest, statements: list[dict[str, Any]], further: dict[str, Any]
):
    assert (
        _ORDER[allowed(asked, policy(*statements, further))]
        >= _ORDER[allowed(asked, policy(*statements))]
    )


@pytest.mark.real
@generated
@given(_REQUESTS, _SOME, _statements(("Deny",)))
def test_a_further_deny_never_gives(
    asked: AccessRequest, statements: list[dict[str, Any]], further: dict[str, Any]
):
    assert (
        _ORDER[allowed(asked, policy(*statements, further))]
        <= _ORDER[allowed(asked, policy(*statements))]
    )


@pytest.mark.real
@generated
@given(_REQUESTS, _SOME, _SOME)
def test_what_limits_never_gives(
    asked: AccessRequest, statements: list[dict[str, Any]], limit: list[dict[str, Any]]
):
    bounded = allowed(asked, policy(*statements), boundary=policy(*limit))
    assert _ORDER[bounded] <= _ORDER[allowed(asked, policy(*statements))]


@pytest.mark.real
@generated
@given(_REQUESTS, _SOME, st.randoms())
def test_the_order_of_statements_and_documents_does_not_matter(
    asked: AccessRequest, statements: list[dict[str, Any]], random: Any
):
    shuffled = random.sample(statements, len(statements))
    answer = allowed(asked, policy(*statements))
    assert allowed(asked, policy(*shuffled)) is answer
    assert allowed(asked, *(policy(item) for item in shuffled)) is answer


@generated
@given(_REQUESTS, _SOME, st.sampled_from(["a", "b", "c"]))
def test_learning_more_only_decides_what_was_open(
    asked: AccessRequest, statements: list[dict[str, Any]], value: str
):
    known = AccessRequest(
        caller=asked.caller,
        action=asked.action,
        resource=asked.resource,
        context=RequestContext(
            {**asked.context.known, "ec2:unknown": (value,)}, asked.context.closed
        ),
    )
    before, after = allowed(asked, policy(*statements)), allowed(known, policy(*statements))
    assert before is None or after is before
    assert after is not None


_TEXT = st.text("ab:/*?[]-.", max_size=9)


@generated
@given(_TEXT, _TEXT)
def test_patterns_match_as_fnmatch_does(pattern: str, text: str):
    assert glob(pattern, text) is bool(
        re.fullmatch(fnmatch.translate(pattern.replace("[", "[[]")), text)
    )


@generated
@given(_TEXT, _TEXT)
def test_a_literal_matches_itself_and_nothing_else(one: str, other: str):
    assert glob(literal(one), literal(other)) is (one == other)


@generated
@given(st.lists(st.sampled_from([True, False, None]), max_size=4))
def test_three_values(found: list[bool | None]):
    worlds = [
        [bool(bits >> index & 1) if value is None else value for index, value in enumerate(found)]
        for bits in range(1 << len(found))
    ]
    for combine, plain in ((either, any), (every, all)):
        answers = {plain(world) for world in worlds}
        assert combine(found) is (answers.pop() if len(answers) == 1 else None)
        assert negated(negated(combine(found))) is combine(found)


def test_variables_are_filled_in_once():
    context = RequestContext({"aws:username": ("${aws:userid}",), "aws:userid": ("id",)})
    assert (
        expanded("arn:aws:s3:::${aws:username}", context)
        == f"arn:aws:s3:::{literal('${aws:userid}')}"
    )


def test_operators_have_no_case_and_all_forms():
    assert parse_operator("foranyvalue:stringlikeifexists").each == "any"
    with pytest.raises(ConditionError):
        parse_operator("StringEquals:ForAnyValue")

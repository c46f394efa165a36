"""Who can use the hubs of a plan, and what is open to the world: read from what was recorded."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from jupyterhub_aws.checks.resources import Resource, Resources
from jupyterhub_aws.checks.user_pods import hub_releases
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.plan.exposure import _FINDERS, exposures
from jupyterhub_aws.plan.plan import Plan
from jupyterhub_aws.plan.users import HubUsers, sign_in_facts, users_of
from tests.checks.doctored import dev
from tests.support.stacks import FULL, KUBEADM, SERVERS_IN_AWS, _file, record, recorded_once

GROUPS = (
    "hubs.main.profiles.gpu.groups=[jupyter:gpu-users]",
    "hubs.main.shared_directories.course={read_groups: [jupyter:students], write_groups: ['jupyter:staff']}",
)


@cache
def hubs(*settings: str) -> dict[str, HubUsers]:
    stack, recording = recorded_once(_file(settings, "dev"))
    found = users_of(
        Plan(
            stack_name="dev",
            source="Pulumi.dev.yaml",
            as_of=datetime.date(2026, 11, 23),
            stack=stack,
            recording=recording,
            findings=(),
            prices=Prices(),
        )
    )
    return {hub.name: hub for hub in found}


def test_a_hub_has_its_address_its_provider_and_its_users() -> None:
    main = hubs()["main"]
    assert main.url == "https://hub.example.org/"
    assert (main.sign_in.provider, main.sign_in.host) == ("GitHub", "github.com")
    assert main.sign_in.admitted == ("organization example-org",)
    assert main.sentence == (
        "main: https://hub.example.org/, GitHub (organization example-org), 3 servers to choose from"
    )


def test_each_kind_of_sign_in_is_read_from_the_values_of_its_release() -> None:
    found = hubs(*FULL)
    assert [hub.sign_in.provider for hub in found.values()] == [
        "LDAP directory",
        "GitHub",
        "One shared password",
    ]
    assert found["ldap"].sign_in.host == "ldap.example.org"
    assert found["ldap"].sign_in.admitted == ("group cn=hub,ou=groups,dc=example,dc=org",)
    assert found["port"].sign_in.administrators == ("user ops1",)
    assert found["port"].sign_in.admitted == ("every user with the password, under any name",)


def _sign_in(name: str, **sections: dict[str, Any]) -> Any:
    config = {"JupyterHub": {"authenticator_class": name}, **sections}
    return sign_in_facts({"hub": {"config": config}})


@pytest.mark.parametrize(
    ("name", "sections", "provider", "host", "admitted"),
    [
        (
            "jupyterhub_aws_google.GoogleAccountsAuthenticator",
            {"GoogleOAuthenticator": {"allowed_groups": ["uni.example", "lab.example"]}},
            "Google",
            "accounts.google.com",
            ("groups lab.example, uni.example",),
        ),
        (
            "jupyterhub_aws_entra.EntraAccountsAuthenticator",
            {
                "AzureAdOAuthenticator": {
                    "allowed_groups": ["g1"],
                    "authorize_url": "https://login.example/authorize",
                }
            },
            "Microsoft Entra ID",
            "login.microsoftonline.com",
            ("group g1",),
        ),
        (
            "jupyterhub_aws_cilogon.InstitutionsAuthenticator",
            {
                "CILogonOAuthenticator": {
                    "idps": {
                        "https://a.example/idp": {"allow_all": True},
                        "https://b.example/idp": {"allowed_domains": ["b.example"]},
                    }
                },
                "InstitutionsAuthenticator": {"provider_names": {"https://a.example/idp": "a"}},
            },
            "CILogon",
            "cilogon.org",
            ("every user of a", "domain b.example of https://b.example/idp"),
        ),
        (
            "jupyterhub_aws_lti.LaunchAuthenticator",
            {"LTI13Authenticator": {"issuer": "https://moodle.example"}},
            "Course (LTI 1.3)",
            "moodle.example",
            ("users of the course",),
        ),
        (
            "generic-oauth",
            {"GenericOAuthenticator": {"authorize_url": "https://sso.example/auth"}},
            "OpenID Connect",
            "sso.example",
            (),
        ),
        (
            "jupyterhub_aws_accounts.AccountsAuthenticator",
            {"Authenticator": {"allow_all": True, "admin_users": ["ada"]}},
            "Accounts of the hub",
            "",
            ("users with an account that an administrator approved",),
        ),
        (
            "github",
            {
                "Authenticator": {"allowed_users": ["ada", "bob"], "admin_users": ["ada"]},
                "OAuthenticator": {"allow_all": False},
                "GitHubOAuthenticator": {"allow_all": True},
            },
            "GitHub",
            "github.com",
            ("every user with an account there", "user bob"),
        ),
        ("my.OwnAuthenticator", {}, "OwnAuthenticator", "", ()),
    ],
)
def test_who_is_admitted_by_each_provider(name, sections, provider, host, admitted) -> None:
    found = _sign_in(name, **sections)
    assert (found.provider, found.host, found.admitted) == (provider, host, admitted)


def test_helm_values_that_admit_more_users_are_read_too() -> None:
    said = "hubs.main.helm_values={hub: {config: {OAuthenticator: {allowed_groups: [staff]}}}}"
    assert "group staff" in hubs(said)["main"].sign_in.admitted


def test_a_profile_has_limits_guarantees_prices_groups_and_how_many_fit() -> None:
    small, large, gpu = hubs(*GROUPS)["main"].offers
    assert (small.guaranteed.words, small.limit.words) == (
        ("1 core", "8 GiB"),
        ("2 cores", "16 GiB"),
    )
    assert gpu.guaranteed.words == ("11 cores", "40 GiB", "1 GPU")
    assert (small.groups, gpu.groups) == ((), ("jupyter:gpu-users",))
    # 20 nodes of pool memory: ten spot, ten on demand.
    assert (small.per_node, small.most) == (7, 140)
    assert (large.per_node, large.most) == (3, 60)
    assert f"{small.spot:.3f} {small.on_demand:.3f}" == "0.034 0.085"


def test_servers_of_nodes_that_exist_have_no_number_at_once() -> None:
    found = hubs(*KUBEADM)
    assert {offer.most for hub in found.values() for offer in hub.offers} == {None}


def test_a_protected_profile_counts_on_demand_nodes_only() -> None:
    protected = "hubs.main.profiles.small.protected=true"
    offers = {offer.name: offer for offer in hubs(protected)["main"].offers}
    assert (offers["Small"].most, offers["Small"].spot) == (70, None)


def test_data_in_aws_is_by_profile_and_group_and_reading_and_writing_are_one_phrase() -> None:
    found = hubs(*SERVERS_IN_AWS)["main"]
    access = {(item.profiles, item.group): item.allows for item in found.access}
    assert access[("One GPU",), ""] == (
        "read and write a folder of their own in s3://jhub-dev-scratch-111122223333/",
    )
    staff = access[("Large", "Small"), "jupyter:staff"]
    assert "read and write s3://uni-lectures/" in staff
    assert "do what AmazonAthenaFullAccess allows" in staff
    assert "read s3://uni-lectures/" in access[("Large", "Small"), ""]
    mounts = {mount.path: (mount.what, mount.reach) for mount in found.mounts}
    assert mounts["/lectures"] == ("s3://uni-lectures/2026/", "read")


def test_shared_directories_are_by_group() -> None:
    found = [
        (mount.reach, mount.groups)
        for mount in hubs(*GROUPS)["main"].mounts
        if mount.path.endswith("course")
    ]
    assert found == [
        ("read and write", ("jupyter:staff",)),
        ("read", ("jupyter:students",)),
    ]


def test_homes_that_are_lost_say_so() -> None:
    found = hubs("homes={kind: ephemeral}")["main"].mounts[0]
    assert (found.what, found.note) == ("home", "lost when the server stops")


def test_no_secret_is_among_the_facts() -> None:
    assert "[secret]" not in repr(hubs(*FULL))


# --- Open to the world.


def test_nothing_of_the_sample_is_open_to_the_world() -> None:
    assert exposures(dev()[1]) == ()


def test_an_entry_and_an_api_that_all_networks_reach_are_open_to_the_world() -> None:
    found = exposures(
        record(
            "hubs.main.entry.allowed_cidrs=[0.0.0.0/0]",
            "hubs.main.entry.public=true",
            "cluster.api.public_access_cidrs=[0.0.0.0/0]",
            "cluster.api.public=true",
        ).resources
    )
    assert sorted((item.what, item.sources) for item in found) == [
        ("Kubernetes API", ("0.0.0.0/0",)),
        ("ingress of tcp 443", ("0.0.0.0/0",)),
    ]


def _added(kind: str, **inputs: Any) -> Resources:
    model = next(iter(dev()[1]))
    made = replace(
        model,
        urn=f"urn:pulumi:dev::p::{kind}::mine",
        type=kind,
        name="mine",
        parent=None,
        custom=True,
        inputs=inputs,
        source="__main__.py:9",
    )
    return Resources([*dev()[1], made])


_PUBLIC = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]})
_HTTPS = json.dumps(
    {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        }
    }
)
_SCHEME = {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}


@pytest.mark.parametrize(
    ("kind", "inputs", "words"),
    [
        (
            "aws:ec2/securityGroup:SecurityGroup",
            {
                "ingress": [
                    {"protocol": "-1", "fromPort": 0, "toPort": 0, "ipv6CidrBlocks": ["::/0"]}
                ]
            },
            "ingress of all ports, from ::/0",
        ),
        (
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            {
                "type": "ingress",
                "protocol": "tcp",
                "fromPort": 80,
                "toPort": 90,
                "cidrBlocks": ["0.0.0.0/1", "10.0.0.0/8"],
            },
            "ingress of tcp 80–90, from 0.0.0.0/1",
        ),
        (
            "kubernetes:core/v1:Service",
            {"spec": {"type": "LoadBalancer"}},
            "load balancer of a service, from 0.0.0.0/0",
        ),
        (
            "aws:s3/bucketAcl:BucketAcl",
            {"acl": "public-read"},
            "bucket, by its access control list, from everyone",
        ),
        (
            "aws:s3/bucketPolicy:BucketPolicy",
            {"policy": _PUBLIC},
            "bucket, by its policy, from everyone",
        ),
        (
            "aws:rds/instance:Instance",
            {"publiclyAccessible": True},
            "database with a public address, from its security groups' networks",
        ),
    ],
)
def test_what_a_program_adds_is_open_to_the_world(kind, inputs, words) -> None:
    assert [item.words for item in exposures(_added(kind, **inputs))] == [words]


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        (
            "kubernetes:core/v1:Service",
            {"spec": {"type": "LoadBalancer"}, "metadata": {"annotations": _SCHEME}},
        ),
        (
            "kubernetes:core/v1:Service",
            {"spec": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["192.0.2.0/24"]}},
        ),
        ("kubernetes:core/v1:Service", {"spec": {"type": "ClusterIP"}}),
        ("aws:s3/bucketPolicy:BucketPolicy", {"policy": _HTTPS}),
        ("aws:s3/bucketPolicy:BucketPolicy", {"policy": "${other.json}"}),
        ("aws:ec2/securityGroupRule:SecurityGroupRule", {"type": "egress", "cidrBlocks": ["::/0"]}),
    ],
)
def test_what_is_inside_or_has_a_condition_is_not(kind, inputs) -> None:
    assert exposures(_added(kind, **inputs)) == ()


def test_a_proxy_with_a_load_balancer_of_its_own_is_open_to_the_world() -> None:
    (release,) = hub_releases(dev()[1])
    values = {**release.inputs["values"]}
    values["proxy"] = {**values["proxy"], "service": {"type": "LoadBalancer"}}
    spoilt = replace(release, inputs={**release.inputs, "values": values})
    rest = [resource for resource in dev()[1] if resource is not release]
    (found,) = exposures(Resources([*rest, spoilt]))
    assert found.what == "load balancer of the hub's proxy"


@pytest.mark.parametrize("odd", ["${a.b}", 7, [7], None, {"a": ["b"]}])
@pytest.mark.parametrize("kind", sorted(_FINDERS))
def test_what_has_another_shape_says_nothing(kind, odd) -> None:
    keys = ("ingress", "vpcConfig", "spec", "metadata", "policy", "acl", "cidrBlocks", "type")
    assert exposures(_added(kind, **dict.fromkeys(keys, odd))) == ()


def test_the_resource_of_an_exposure_is_in_the_plan() -> None:
    found: list[Resource] = [
        resource
        for item in exposures(_added("aws:rds/instance:Instance", publiclyAccessible=True))
        for resource in _added("aws:rds/instance:Instance")
        if resource.urn == item.urn
    ]
    assert [item.name for item in found] == ["mine"]

"""What only a closed network has: its endpoints and their policies, the nodes' narrow group, the
runner, the registry; and what it shares with an open one.
"""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from jupyterhub_aws.components.airgap.dns_firewall import as_stored
from jupyterhub_aws.components.airgap.endpoints import Allowed, endpoint_policy
from jupyterhub_aws.components.airgap.existing import subnet_faults, vpc_faults
from jupyterhub_aws.components.airgap.registry import lifecycle
from jupyterhub_aws.components.airgap.runner import runner_policy
from jupyterhub_aws.config.endpoints import UnknownSoftwareError, running, software, solved
from jupyterhub_aws.config.network import ExistingNetworkSection
from tests.checks.test_airgap import evaluated
from tests.support.policies import findings
from tests.support.stacks import CLOSED, IN_THEIR_VPC, THEIR_ENDPOINTS, node_config, record

AIRGAP = ("stack=airgap",)
ENDPOINT, TEMPLATE = "aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE = "aws:ec2/instance:Instance"
OWN = {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}


def services(*settings):
    return {
        item.inputs["serviceName"].removeprefix("com.amazonaws.us-east-1."): item
        for item in record(*settings).resources.of(ENDPOINT)
    }


@pytest.mark.real
def test_there_is_an_endpoint_for_each_api_that_the_recorded_software_calls_and_no_other():
    stack, resources = evaluated("stack=airgap-hub")
    from jupyterhub_aws.checks.airgap.endpoints import recorded_software

    names = {name for name, _ in recorded_software(resources)}
    assert names == set(running(stack.homes.kind, runner=True, watched=True)), (
        "config/endpoints.py says what runs; this is what was recorded"
    )
    assert set(services(*AIRGAP)) == set(solved(names))


@pytest.mark.real
@pytest.mark.parametrize(
    ("settings", "there", "gone"),
    [
        (("homes={kind: ebs}",), {"ec2"}, {"elasticfilesystem"}),
        (("network.additional_endpoints=[athena]",), {"athena", "elasticfilesystem"}, set()),
    ],
)
def test_the_set_follows_what_runs(settings, there, gone):
    found = set(services(*AIRGAP, *settings))
    assert there <= found and not gone & found


def test_without_a_runner_nothing_is_there_for_it():
    from tests.support.stack_files import ROOT, config_of

    config = config_of(ROOT / "Pulumi.airgap.yaml")
    assert "jupyterhub-aws:runner" in config
    assert not {"ssm", "ssmmessages", "kms", "sts", "eks"} & set(
        solved(running("efs", runner=False, watched=True))
    )


def test_unknown_software_is_not_guessed():
    with pytest.raises(UnknownSoftwareError, match="add what it calls, with its source"):
        software("amazon-guardduty-agent")


def test_each_endpoint_says_why_and_is_found_by_its_own_name():
    for service, endpoint in services(*CLOSED).items():
        assert len(endpoint.inputs["tags"]["why"]) > 10
        if service != "s3":
            assert (
                endpoint.inputs["privateDnsEnabled"] is True
                and len(endpoint.inputs["subnetIds"]) == 1
            ), "endpoint_zones: one"
    assert len(services(*AIRGAP)["ec2"].inputs["subnetIds"]) == 3
    assert len(services(*AIRGAP)["s3"].inputs["routeTableIds"]) == 3


def policy(service, **more):
    return json.loads(
        endpoint_policy(service, Allowed(region="eu-central-2", account="123456789012", **more))
    )["Statement"]


def test_an_endpoint_serves_principals_of_the_account_only():
    (statement,) = policy("ec2")
    assert (statement["Action"], statement["Resource"], statement["Condition"]) == ("*", "*", OWN)


def test_images_come_from_own_repositories_and_eks_only_and_nothing_is_pushed():
    sign_in, pull = policy("ecr.dkr")
    assert (
        sign_in["Action"] == ["ecr:GetAuthorizationToken"]
        and sign_in["Condition"] == pull["Condition"] == OWN
    )
    accounts = {arn.split(":")[4] for arn in pull["Resource"]}
    assert accounts == {
        "123456789012",
        "900612956339",
    }, "EKS's account in this region is another one than in most"
    assert not [
        action
        for action in pull["Action"]
        if "Put" in action or "Upload" in action or "Delete" in action
    ]


def test_s3_leads_to_layers_and_named_buckets_only():
    (layers,) = policy("s3")
    assert layers["Resource"] == [
        "arn:aws:s3:::prod-eu-central-2-starport-layer-bucket/*"
    ] and layers["Action"] == ["s3:GetObject"]
    published, own = policy("s3", buckets=["bundle", "state"], system_packages=True)
    assert published["Resource"][1] == "arn:aws:s3:::al2023-repos-eu-central-2-de612dc2/*"
    assert set(own["Resource"]) == {
        f"arn:aws:s3:::{name}{tail}" for name in ("bundle", "state") for tail in ("", "/*")
    }
    assert own["Condition"] == {
        "StringEquals": {
            "aws:PrincipalAccount": "123456789012",
            "aws:ResourceAccount": "123456789012",
        }
    }


def test_every_machine_starts_in_the_narrow_group():
    for template in record(*AIRGAP).resources.of(TEMPLATE):
        if "runner" not in template.name:
            assert template.inputs["vpcSecurityGroupIds"] == ["${cluster-nodes-group.id}"]
        assert template.inputs["metadataOptions"]["httpTokens"] == "required"
    assert record(*AIRGAP).one(INSTANCE).inputs["vpcSecurityGroupIds"] == [
        "${runner-security-group.id}"
    ]
    core = next(item for item in record().resources.of(TEMPLATE) if "core" in item.name)
    assert "vpcSecurityGroupIds" not in core.inputs, (
        "in an open network EKS gives core nodes the cluster's own group"
    )


def test_nodes_wait_for_their_way_to_aws():
    recording = record(*AIRGAP)
    group = recording.one("aws:eks/nodeGroup:NodeGroup")
    needed = recording.needs(group)
    for service in ("ec2", "ecr-api", "ecr-dkr", "s3", "eks-auth"):
        assert (ENDPOINT, f"network-endpoints-{service}") in needed
    assert (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "cluster-nodes-into-endpoints",
    ) in needed
    assert (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "cluster-nodes-from-control-plane",
    ) in needed


def test_a_proxy_reaches_every_node_with_what_needs_none():
    templates = [
        item for item in record(*CLOSED).resources.of(TEMPLATE) if "runner" not in item.name
    ]
    assert len(templates) == 5
    for template in templates:
        told = node_config(template)["spec"]["instance"]["environment"]["default"]
        assert told["HTTPS_PROXY"] == told["https_proxy"] == "http://proxy.corp.example:3128"
        listed = told["NO_PROXY"].split(",")
        for name in (
            "10.64.0.0/16",
            "172.20.0.0/16",
            "169.254.169.254",
            "169.254.170.23",
            ".svc",
            "hub",
            ".us-east-1.amazonaws.com",
            ".corp.example",
        ):
            assert name in listed
    assert not [
        item
        for item in record(*AIRGAP).resources.of(TEMPLATE)
        if "PROXY" in base64.b64decode(item.inputs.get("userData", "")).decode()
    ]


def test_the_runner_has_no_way_in_and_few_rights():
    recording = record(*AIRGAP)
    assert not [
        rule
        for rule in recording.resources.of(
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
        )
        if rule.inputs["securityGroupId"] == "${runner-security-group.id}"
    ]
    instance = recording.one("aws:ec2/instance:Instance")
    assert (
        instance.inputs["subnetId"] == "${network-private-a.id}"
        and "keyName" not in instance.inputs
    )
    document = json.loads(
        runner_policy(
            region="us-east-1", account="123456789012", cluster="jhub", bucket_arn="arn:aws:s3:::b"
        )
    )
    issues = {(statement, issue) for statement, issue in findings(document)}
    # These actions know no resource; a password for the registry, good for twelve hours, is what
    # signing in means.
    assert issues <= {
        ("Session", "RESOURCE_STAR"),
        ("RegistrySignIn", "RESOURCE_STAR"),
        ("RegistrySignIn", "CREDENTIALS_EXPOSURE"),
    }
    actions = {action for statement in document["Statement"] for action in statement["Action"]}
    assert not [
        action
        for action in actions
        if action.startswith(("iam:", "ec2:", "ssm:Get", "ssm:Put", "s3:Put", "s3:Delete"))
    ]


@pytest.mark.real
@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("tags.owner=another", "runner-instance"),
        ("runner.instance_type=t3.large", "runner-instance"),
        ("runner.disk_gib=80", "runner-instance"),
        ("runner.instance_type=t4g.medium", "runner-instance-arm64"),
        ("runner.generation=2", "runner-instance-2"),
        ("runner={generation: 3, instance_type: t4g.large}", "runner-instance-arm64-3"),
    ],
)
def test_the_runner_outlives_every_edit_of_its_template_but_another_image_is_another_machine(
    setting, name
):
    machine = record(*AIRGAP, setting).one(INSTANCE)
    assert machine.name == name
    # The provider replaces an instance whose template has another version, and the engine keeps
    # ignored inputs even when it replaces.
    assert (
        "launchTemplate.version" in machine.ignore_changes
        and "launchTemplate" not in machine.ignore_changes
    )
    template = next(
        item for item in record(*AIRGAP, setting).resources.of(TEMPLATE) if "runner" in item.name
    )
    assert (
        not {"instanceType", "iamInstanceProfile", "vpcSecurityGroupIds"} & template.inputs.keys()
    ), "what can change in place is the instance's own"


def test_names_of_the_dns_firewall_are_written_as_aws_returns_them():
    lists = record(*AIRGAP).resources.of(
        "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
    )
    found = {item.name: item.inputs["domains"] for item in lists}
    assert found["network-dns-everything"] == ["*."]
    assert "s3.us-east-1.amazonaws.com." in found["network-dns-inside"]
    for domains in found.values():
        assert domains == as_stored(domains) and all(
            domain.endswith(".") and not domain.endswith("..") for domain in domains
        )


def test_the_runner_is_told_where_everything_is_and_asks_no_index():
    (template,) = [item for item in record(*AIRGAP).resources.of(TEMPLATE) if "runner" in item.name]
    script = base64.b64decode(template.inputs["userData"]).decode()
    assert script.startswith("#!/bin/bash\nset -euo pipefail\n")
    assert (
        "aws s3 sync --region us-east-1 s3://jhub-airgap-bundle-${aws.account} /opt/bundle"
        in script
    )
    assert (
        "export PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/bundle/wheels" in script
        and "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true" in script
    )


@pytest.mark.real
def test_repositories_are_the_bundles_inventory_closed_and_clean():
    from jupyterhub_aws.bundle.inventory import inventory
    from jupyterhub_aws.config.bundle import destination
    from jupyterhub_aws.config.stack_file import read
    from tests.support.stack_files import ROOT

    found = inventory(
        read(ROOT / "Pulumi.airgap.yaml", ("registry={kind: ecr, account: '123456789012'}",))
    )
    registry = found.registry
    wanted = {destination(registry, item.reference) for item in found.items if item.kind == "image"}
    wanted |= {f"{registry}/charts/{item.name}" for item in found.items if item.kind == "chart"}
    made = record(*AIRGAP, "registry={kind: ecr, account: '123456789012'}").resources.of(
        "aws:ecr/repository:Repository"
    )
    assert {
        f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{item.inputs['name']}" for item in made
    } == wanted and len(made) == 11
    for repository in made:
        assert repository.inputs["imageTagMutability"] == "IMMUTABLE" and repository.inputs[
            "imageScanningConfiguration"
        ] == {"scanOnPush": True}
        assert (
            repository.inputs["encryptionConfigurations"] == [{"encryptionType": "KMS"}]
            and repository.inputs["forceDelete"] is False
        )
    assert [rule["selection"]["tagStatus"] for rule in json.loads(lifecycle())["rules"]] == [
        "untagged",
        "tagged",
    ]


SUBNET = {"id": "subnet-0123456789abcdef0", "cidr": "10.64.0.0/18"}
THEIRS = ExistingNetworkSection.model_validate_json(
    json.dumps(
        {
            "mode": "existing",
            "vpc_id": "vpc-0123456789abcdef0",
            "cidr": "10.64.0.0/16",
            "private_subnets": {
                "us-east-1a": SUBNET,
                "us-east-1b": {"id": "subnet-0123456789abcdef1", "cidr": "10.64.64.0/18"},
            },
            "egress": {"kind": "internet"},
        }
    )
)
GOOD = {
    "vpc_id": THEIRS.vpc_id,
    "availability_zone": "us-east-1a",
    "cidr_block": "10.64.0.0/18",
    "map_public_ip_on_launch": False,
    "available_ip_address_count": 16000,
}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, None),
        (dict.fromkeys(GOOD), None),
        ({"vpc_id": "vpc-1"}, "network.private_subnets.us-east-1a.id: is in vpc-1"),
        ({"availability_zone": "us-east-1c"}, "is in us-east-1c; put it under that zone"),
        (
            {"cidr_block": "10.64.0.0/20"},
            "cidr: is 10.64.0.0/20 (the file says 10.64.0.0/18); correct it",
        ),
        ({"map_public_ip_on_launch": True}, "gives every node a public address"),
        ({"available_ip_address_count": 11}, "has 11 free addresses"),
    ],
)
def test_what_a_subnet_of_theirs_lacks_is_said_with_its_path_and_remedy(answer, said):
    found = subnet_faults(
        THEIRS,
        "us-east-1a",
        THEIRS.private_subnets["us-east-1a"],
        SimpleNamespace(**{**GOOD, **answer}),
    )
    assert found == [] if said is None else len(found) == 1 and said in found[0]


def test_what_a_vpc_of_theirs_lacks_is_said_with_the_command_that_mends_it():
    found = vpc_faults(THEIRS, SimpleNamespace(enable_dns_support=True, enable_dns_hostnames=False))
    assert len(found) == 1 and "--enable-dns-hostnames" in found[0]
    assert (
        vpc_faults(THEIRS, SimpleNamespace(enable_dns_support=None, enable_dns_hostnames=None))
        == []
    )


def test_in_a_vpc_of_theirs_nothing_is_made_but_endpoints_and_only_where_they_are_asked_for():
    network = {
        "aws:ec2/vpc:Vpc",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/route:Route",
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    }
    with_endpoints, without = record(*IN_THEIR_VPC).resources, record(*THEIR_ENDPOINTS).resources
    for resources in (with_endpoints, without):
        assert not {item.type for item in resources} & network
    assert len(with_endpoints.of(ENDPOINT)) == len(services(*AIRGAP)) and not without.of(ENDPOINT)
    (s3,) = [
        item for item in with_endpoints.of(ENDPOINT) if item.inputs["serviceName"].endswith(".s3")
    ]
    assert s3.inputs["routeTableIds"] == ["rtb-0123456789abcdef0"]
    group = next(item for item in without.of("aws:eks/nodeGroup:NodeGroup"))
    assert group.inputs["subnetIds"] == ["subnet-0123456789abcde0"]


@pytest.mark.real
def test_dev_and_airgap_share_every_component_but_those_of_one_folder():
    def tokens(*settings):
        return {
            item.type for item in evaluated(*settings)[1] if item.type.startswith("jupyterhub-aws:")
        }

    dev, closed = tokens("stack=dev"), tokens("stack=airgap-hub")
    # Of two stacks each makes one half of the autoscaler: dev has the whole.
    assert dev - closed == {
        "jupyterhub-aws:index:Network",
        "jupyterhub-aws:index:ClusterAutoscaler",
    }
    extra = closed - dev
    assert {token for token in extra if not token.startswith("jupyterhub-aws:airgap:")} <= {
        "jupyterhub-aws:network:VpcFlowLogs",
        "jupyterhub-aws:index:AirgapNetwork",
        "jupyterhub-aws:autoscaler:AutoscalerRelease",
    }, "of both"
    assert len(extra) >= 7

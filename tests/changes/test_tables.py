"""The tables that effects come from: whole, well formed, and about everything that the program
makes.
"""

from __future__ import annotations

import json
import tomllib
import warnings
from collections import defaultdict
from functools import cache

import pytest
from jupyterhub.roles import get_default_roles
from jupyterhub.services.auth import HubOAuth, HubOAuthenticated, UserNotAllowed

from jupyterhub_aws.changes.difference import difference
from jupyterhub_aws.changes.effects import release, table
from jupyterhub_aws.changes.properties import PropertyChange
from jupyterhub_aws.changes.side import side_of
from jupyterhub_aws.config import aws_calls, replacements
from jupyterhub_aws.config.chart import default_values
from tests.support.differences import plan
from tests.support.differences import values as hub_values
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, record


@cache
def made():
    """Each type that some stack makes, with the inputs that it is given there."""
    found = defaultdict(set)
    for settings in ALL_STACKS.values():
        for item in record(*settings).everything:
            if item.custom:
                found[item.type].update(item.inputs)
    return {type_: sorted(found[type_]) for type_ in sorted(found)}


def test_every_type_of_the_program_is_in_every_table():
    for type_ in made():
        assert table.known(type_) and type_ in replacements.known_types(), type_
        assert not type_.startswith("aws:") or type_ in aws_calls.known_types(), type_
        assert table.whole(type_, "delete") or table.readers(type_), (
            f"no row says what the deletion of {type_} means"
        )


def test_every_text_has_a_class_and_every_reader_is_one():
    rows = tomllib.loads(
        (ROOT / "jupyterhub_aws" / "changes" / "effects" / "table.toml").read_text(encoding="utf-8")
    )
    for type_, row in rows.items():
        assert set(row) <= {
            "topic",
            "reader",
            "data",
            "create",
            "delete",
            "replace",
            "properties",
        }, type_
        for text in (
            *(row[key] for key in ("create", "delete", "replace") if key in row),
            *row["properties"].values(),
        ):
            table.split(text)
    from jupyterhub_aws.changes.effects import all as everything

    assert {name for row in rows.values() for name in row.get("reader", ())} <= set(
        everything._READERS
    )


def test_what_holds_data_is_never_routine_to_lose():
    for type_ in sorted(table.types()):
        if table.holds_data(type_) and not type_.startswith("random:"):
            assert (
                table.whole(type_, "delete")[0]
                == table.whole(type_, "replace")[0]
                == "endangers data"
            ), type_


def test_every_property_of_the_program_is_replaced_spoken_about_or_read():
    assert [
        f"{type_}.{key}" for type_, keys in made().items() for key in keys if not _known(type_, key)
    ] == []


def _known(type_, key):
    spoken = table.of_property(type_, (key,)) is not None or any(
        table.of_property(type_, (key, part))
        for part in ("annotations", "labels", "ports", "resources")
    )
    return (
        spoken
        or table.readers(type_)
        or replacements.verdict(type_, key).kind == "replaces"
        or key in ("apiVersion", "kind", "metadata", "vpcId", "spec")
    )


@pytest.mark.real
def test_every_value_that_the_chart_has_is_mapped():
    """A value of the chart's defaults that no text speaks about would be an unknown effect:
    those are named here.
    """
    defaults = default_values()
    leaves = [
        (top, key) for top, inner in defaults.items() if isinstance(inner, dict) for key in inner
    ]
    silent = set()
    for top, key in leaves:
        data = plan()
        hub_values(top, key, value={"another": "value"})(data)
        found = difference(side_of(plan(), "old"), side_of(data, "new"))
        if any(effect.says.startswith("unknown effect") for effect in found.effects):
            silent.add(f"{top}.{key}")
    assert silent <= {
        "hub.command",
        "hub.config",
        "hub.cookieSecret",
        "hub.db",
        "proxy.https",
        "hub.args",
        "hub.lifecycle",
        "hub.authenticatePrometheus",
        "hub.extraPodSpec",
        "hub.image",
        "hub.networkPolicy",
        "global.safeToShowValues",
    } | {
        f"singleuser.{key}" for key in ("extraPodAffinity", "extraPodAntiAffinity", "cpu", "memory")
    }


def test_every_text_about_values_is_well_formed():
    for path in sorted(table.paths()):
        class_, topic, says = table.parts(table._table()[path])
        assert class_ and topic and says and not says[0].isupper(), path


def test_the_restarts_are_of_the_chart_that_is_pinned():
    assert table.restarted(("cull", "timeout")) == {"hub"}
    assert table.restarted(("proxy", "chp", "resources", "limits", "memory")) == {"hub", "proxy"}
    assert table.restarted(("proxy", "somethingNew")) is None and table.restarted(()) is None


PAIRS = [
    ("aws:efs/fileSystem:FileSystem", "encrypted", "replaces"),
    ("aws:efs/fileSystem:FileSystem", "lifecyclePolicies[0].transitionToIa", "updates"),
    ("aws:eks/cluster:Cluster", "version", "updates"),
    ("aws:eks/cluster:Cluster", "name", "replaces"),
    ("aws:eks/cluster:Cluster", "kubernetesNetworkConfig.serviceIpv4Cidr", "replaces"),
    ("aws:eks/cluster:Cluster", "vpcConfig.publicAccessCidrs", "updates"),
    ("aws:eks/cluster:Cluster", "encryptionConfig", "engine"),
    ("aws:eks/nodeGroup:NodeGroup", "instanceTypes", "replaces"),
    ("aws:eks/nodeGroup:NodeGroup", "scalingConfig.desiredSize", "updates"),
    ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.version", "updates"),
    ("aws:eks/nodeGroup:NodeGroup", "launchTemplate.id", "replaces"),
    ("aws:autoscaling/group:Group", "name", "replaces"),
    ("aws:autoscaling/group:Group", "maxSize", "updates"),
    ("aws:ebs/volume:Volume", "size", "updates"),
    ("aws:ebs/volume:Volume", "availabilityZone", "replaces"),
    ("aws:rds/instance:Instance", "engine", "replaces"),
    ("aws:rds/instance:Instance", "engineVersion", "updates"),
    ("aws:rds/instance:Instance", "storageEncrypted", "replaces"),
    ("aws:kms/key:Key", "policy", "updates"),
    ("aws:kms/key:Key", "keyUsage", "replaces"),
    ("aws:ec2/vpc:Vpc", "cidrBlock", "replaces"),
    ("aws:ec2/vpc:Vpc", "enableDnsSupport", "updates"),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "privateDnsEnabled", "engine"),
    ("aws:lb/loadBalancer:LoadBalancer", "internal", "replaces"),
    ("aws:lb/targetGroup:TargetGroup", "port", "replaces"),
    ("aws:lb/listener:Listener", "port", "updates"),
    ("aws:iam/policy:Policy", "policy", "updates"),
    ("aws:iam/policy:Policy", "description", "replaces"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn", "replaces"),
    ("kubernetes:core/v1:ConfigMap", "data", "replaces"),
    ("kubernetes:core/v1:Namespace", "metadata.name", "replaces"),
    ("kubernetes:core/v1:Namespace", "metadata.labels", "updates"),
    ("kubernetes:helm.sh/v3:Release", "namespace", "replaces"),
    ("kubernetes:helm.sh/v3:Release", "values", "updates"),
    ("aws:eks/cluster:Cluster", "somethingNew", "engine"),
    ("aws:new/thing:Thing", "name", "engine"),
    # What a trial with the real provider corrected (shared facts, P2, P4, P5).
    ("aws:ec2/instance:Instance", "launchTemplate.version", "replaces"),
    ("aws:ec2/instance:Instance", "launchTemplate", "replaces"),
    ("aws:ec2/instance:Instance", "instanceType", "engine"),
    ("aws:ec2/instance:Instance", "vpcSecurityGroupIds", "updates"),
    ("aws:ec2/instance:Instance", "iamInstanceProfile", "updates"),
    ("aws:dlm/lifecyclePolicy:LifecyclePolicy", "policyDetails.schedules.copyTags", "replaces"),
    (
        "aws:dlm/lifecyclePolicy:LifecyclePolicy",
        "policyDetails.schedules.retainRule.count",
        "updates",
    ),
    ("aws:route53/record:Record", "type", "updates"),
    ("aws:route53/record:Record", "name", "replaces"),
    ("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "bucket", "replaces"),
    ("aws:s3/bucketOwnershipControls:BucketOwnershipControls", "rule.objectOwnership", "updates"),
    ("aws:lb/loadBalancer:LoadBalancer", "subnets", "engine"),
    ("aws:lb/loadBalancer:LoadBalancer", "region", "replaces"),
    ("aws:efs/accessPoint:AccessPoint", "rootDirectory.creationInfo.ownerUid", "replaces"),
    ("aws:rds/instance:Instance", "dbSubnetGroupName", "engine"),
]


@pytest.mark.parametrize(("type_", "path", "kind"), PAIRS)
def test_what_another_value_does(type_, path, kind):
    assert replacements.verdict(type_, path.replace("[0]", "")).kind == kind


def test_what_only_the_engine_knows_says_why():
    rows = tomllib.loads(
        (ROOT / "config" / "data" / "replacements.toml").read_text(encoding="utf-8")
    )
    assert all(row["source"] and all(row.get("engine", {}).values()) for row in rows.values())


def _script():
    import importlib.util

    spec = importlib.util.spec_from_file_location(
        "refresh_replacements", ROOT / "scripts" / "refresh_replacements.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_generated_table_is_what_the_script_makes_of_the_providers_data_and_the_installed_sdk():
    committed = (ROOT / "config" / "data" / "replacements.json").read_text(encoding="utf-8")
    assert _script().made() == committed, (
        "run scripts/refresh_replacements.py, and read what changed"
    )


def test_by_hand_is_only_what_the_providers_data_lacks():
    made = json.loads((ROOT / "config" / "data" / "replacements.json").read_text(encoding="utf-8"))[
        "types"
    ]
    by_hand = tomllib.loads(
        (ROOT / "config" / "data" / "replacements.toml").read_text(encoding="utf-8")
    )
    for type_, row in by_hand.items():
        if type_.startswith("aws:"):
            schema = {*made[type_]["replaces"], *made[type_]["blocks"]}
            assert not {*row["replaces"], *row.get("engine", ())} & schema, type_
            assert not row.get("engine", {}).keys() & made[type_]["engine"].keys(), type_
    assert sum(type_.startswith("aws:") for type_ in by_hand) <= 5


def test_everything_that_the_provider_replaces_is_replaced_here_and_its_region_everywhere():
    data = json.loads(
        (ROOT / "scripts" / "data" / "provider_replaces.json").read_text(encoding="utf-8")
    )
    assert len(data) >= 78
    for type_, paths in data.items():
        assert [
            path for path in paths if replacements.verdict(type_, path).kind != "replaces"
        ] == [], type_
        if "region" in replacements._documented()[type_]["inputs"]:
            assert replacements.verdict(type_, "region").kind == "replaces", type_
    conditional = json.loads(
        (ROOT / "scripts" / "data" / "provider_replaces_conditional.json").read_text(
            encoding="utf-8"
        )
    )
    for type_, paths in conditional.items():
        if type_ not in ("note", "aws:*"):
            assert {replacements.verdict(type_, path).kind for path in paths} <= {
                "engine",
                "replaces",
            }, type_


def test_every_type_of_the_examples_has_a_row_too():
    from tests.stacks.test_aws_names import example

    types = {
        item.type
        for folder in ("examples/ci", "examples/backend")
        for item in example(folder)
        if item.custom
    }
    assert len(types) > 10 and sorted(types - replacements.known_types()) == []


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ((0, "persistentVolumeClaim", "claimName"), "(the volume claim behind them)"),
        (("=data", "persistentVolumeClaim", "claimName"), "(data)"),
        ((), "(their volumes)"),
    ],
)
def test_other_directories_are_named_in_plain_words(rest, says):
    path = ("values", "singleuser", "storage", "extraVolumes", *rest)
    item = PropertyChange(path=path, kind="changed", old="a", new="b")
    _, _, text = release._meaning(item.keys[1:], item)
    assert text == f"directories next to the home {says}: newly started servers have others"


# --- What `admin_access` decides, in the JupyterHub that is locked: the sentence about it says so.


class _Handler(HubOAuthenticated):
    """A server's page, before it shows anything to a user."""

    def __init__(self, scopes, *, switch):
        self.allow_admin, self.hub_users = switch, {"owner"}
        self.hub_auth = HubOAuth(access_scopes=scopes, oauth_client_id="x", api_token="x")


def _admits(scopes_of_server, scopes_of_admin, *, switch):
    admin = {"name": "admin", "kind": "user", "admin": True, "scopes": scopes_of_admin}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of servers without scopes
        try:
            return bool(
                _Handler(scopes_of_server, switch=switch).check_hub_user(admin | {"groups": []})
            )
        except UserNotAllowed:
            return False


@pytest.mark.parametrize("switch", [False, True])
def test_a_server_that_asks_for_scopes_does_not_read_admin_access(switch):
    scopes = {"access:servers"}
    assert _admits(scopes, ["access:servers"], switch=switch)
    assert not _admits(scopes, [], switch=switch)


def test_admin_access_decides_where_a_server_asks_for_no_scopes():
    assert _admits(set(), [], switch=True)
    assert not _admits(set(), ["access:servers"], switch=False)


def test_the_effect_of_admin_access_says_what_decides_about_administrators():
    (admin,) = [role for role in get_default_roles() if role["name"] == "admin"]
    assert "access:servers" in admin["scopes"]
    effects = tomllib.loads(
        (ROOT / "jupyterhub_aws" / "changes" / "effects" / "values.toml").read_text(
            encoding="utf-8"
        )
    )
    said = effects["hub.config.JupyterHub.admin_access"]
    assert "older than 2.0" in said and "access:servers, which the role admin has" in said

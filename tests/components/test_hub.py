"""A hub and what it stands on: isolation, order, data that stays, and a way in that leads to the
proxy and nowhere else.
"""

from __future__ import annotations

import json

import pytest

from tests.support.stacks import FULL, SERVERS_IN_AWS, record

RELEASE, NAMESPACE, SECRET = (
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:Secret",
)
VOLUME, CLAIM, SERVICE = (
    "kubernetes:core/v1:PersistentVolume",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:core/v1:Service",
)
FILE_SYSTEM, ACCESS_POINT, TARGET = (
    "aws:efs/fileSystem:FileSystem",
    "aws:efs/accessPoint:AccessPoint",
    "aws:efs/mountTarget:MountTarget",
)
INGRESS, EGRESS = (
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
)
BALANCER, GROUP, LISTENER = (
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:lb/targetGroup:TargetGroup",
    "aws:lb/listener:Listener",
)
SEALED = "[secret]"
CLUSTER_GROUP = "${cluster-control-plane-eksCluster.vpcConfig.clusterSecurityGroupId}"
SECOND = json.dumps(
    {
        "sign_in": {"kind": "github", "client_id": "another-client", "allowed_users": ["ada"]},
        "entry": {
            "kind": "load_balancer",
            "hostname": "two.example.org",
            "allowed_cidrs": ["198.51.100.0/24"],
            "tls": {
                "kind": "acm",
                "certificate_arn": (
                    "arn:aws:acm:us-east-1:123456789012:certificate/11111111-1111-1111-1111-111111111111"
                ),
            },
        },
    }
)


def values(*settings):
    return record(*settings).one(RELEASE, "hub-main-release").inputs["values"]


# --- homes ---


def test_the_file_system_is_encrypted_elastic_kept_and_found_again():
    file_system = record().one(FILE_SYSTEM)
    assert (
        file_system.inputs["encrypted"] is True
        and file_system.inputs["throughputMode"] == "elastic"
    )
    assert file_system.inputs["creationToken"] == "jhub-dev-homes"
    assert file_system.protect and file_system.retain_on_delete


@pytest.mark.real
def test_unused_files_move_to_the_cheaper_class_only_where_configured():
    assert record().one(FILE_SYSTEM).inputs["lifecyclePolicies"] == [
        {"transitionToIa": "AFTER_30_DAYS"},
        {"transitionToPrimaryStorageClass": "AFTER_1_ACCESS"},
    ]
    assert (
        record("homes={kind: efs, infrequent_access_days: 0}")
        .one(FILE_SYSTEM)
        .inputs.get("lifecyclePolicies", [])
        == []
    )
    assert record("homes={kind: efs, infrequent_access_days: 1}").one(FILE_SYSTEM).inputs[
        "lifecyclePolicies"
    ][0] == {"transitionToIa": "AFTER_1_DAY"}


def test_each_zone_has_a_mount_target_that_only_nodes_reach():
    recording = record()
    assert [target.inputs["subnetId"] for target in recording.resources.of(TARGET)] == [
        f"${{network-private-{zone}.id}}" for zone in "abc"
    ]
    (group,) = {tuple(target.inputs["securityGroups"]) for target in recording.resources.of(TARGET)}
    rules = [
        rule.inputs
        for rule in recording.resources.of(INGRESS)
        if rule.inputs["securityGroupId"] in group
    ]
    assert [
        (rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"], rule["ipProtocol"])
        for rule in rules
    ] == [(CLUSTER_GROUP, 2049, 2049, "tcp")]


@pytest.mark.real
def test_homes_belong_to_the_user_of_the_images_and_each_hub_sees_its_own_directory():
    points = {
        point.name: point.inputs
        for point in record(f"hubs.second={SECOND}").resources.of(ACCESS_POINT)
    }
    hubs = {
        name.removeprefix("homes-access-point-"): inputs
        for name, inputs in points.items()
        if "restore" not in name
    }
    assert {hub: inputs["rootDirectory"]["path"] for hub, inputs in hubs.items()} == {
        "main": "/hubs/main",
        "second": "/hubs/second",
    }
    for inputs in hubs.values():
        assert inputs["posixUser"] == {"uid": 1000, "gid": 100}
        creation = inputs["rootDirectory"]["creationInfo"]
        assert (creation["ownerUid"], creation["ownerGid"], creation["permissions"]) == (
            1000,
            100,
            "0750",
        )


def test_the_policy_names_every_hubs_access_point_and_root_only_for_the_restore_role():
    policy = json.loads(
        record(f"hubs.second={SECOND}")
        .one("aws:efs/fileSystemPolicy:FileSystemPolicy")
        .inputs["policy"]
    )
    by_sid = {statement["Sid"]: statement for statement in policy["Statement"]}
    assert by_sid["EncryptedOnly"]["Effect"] == "Deny"
    open_to = by_sid["HubsThroughTheirAccessPoints"]["Condition"]["StringEquals"][
        "elasticfilesystem:AccessPointArn"
    ]
    assert open_to == ["${homes-access-point-main.arn}", "${homes-access-point-second.arn}"]
    rooted = [
        statement
        for statement in policy["Statement"]
        if "elasticfilesystem:ClientRootAccess" in statement["Action"]
    ]
    assert [statement["Principal"] for statement in rooted] == [{"AWS": "${homes-restore.arn}"}]


@pytest.mark.real
def test_homes_on_volumes_come_encrypted_tagged_and_are_never_deleted():
    found = (
        record("homes={kind: ebs, size_gib: 20}")
        .one("kubernetes:storage.k8s.io/v1:StorageClass")
        .inputs
    )
    assert (found["provisioner"], found["reclaimPolicy"], found["volumeBindingMode"]) == (
        "ebs.csi.aws.com",
        "Retain",
        "WaitForFirstConsumer",
    )
    assert found["parameters"]["type"] == "gp3" and found["parameters"]["encrypted"] == "true"
    tags = {
        value for key, value in found["parameters"].items() if key.startswith("tagSpecification_")
    }
    assert {"owner=platform-team", "stack=jhub-dev"} <= {
        tag.replace("Stack", "stack") for tag in tags
    } or any("platform-team" in tag for tag in tags)
    storage = values("homes={kind: ebs, size_gib: 20}")["singleuser"]["storage"]
    assert (storage["type"], storage["capacity"], storage["dynamic"]["storageClass"]) == (
        "dynamic",
        "20Gi",
        found["metadata"]["name"],
    )
    assert values()["hub"]["config"]["KubeSpawner"]["delete_pvc"] is False


def test_an_nfs_server_is_mounted_as_told_and_the_stack_makes_no_file_system():
    recording = record(
        "homes={kind: nfs, server: isilon.example.org, path: /ifs/homes, mount_options: [nfsvers=3,"
        " hard]}"
    )
    volume = next(
        found for found in recording.resources.of(VOLUME) if "homes" in found.name
    ).inputs["spec"]
    assert volume["nfs"] == {"server": "isilon.example.org", "path": "/ifs/homes"} and volume[
        "mountOptions"
    ] == ["nfsvers=3", "hard"]
    assert recording.resources.of(FILE_SYSTEM, "kubernetes:storage.k8s.io/v1:StorageClass") == []


def test_the_static_volume_is_bound_to_one_claim_by_access_point_and_tls():
    recording = record()
    volume = next(found for found in recording.resources.of(VOLUME) if "homes" in found.name).inputs
    claim = recording.one(CLAIM).inputs
    assert volume["spec"]["csi"] == {
        "driver": "efs.csi.aws.com",
        "volumeHandle": "${homes-file-system.id}::${homes-access-point-main.id}",
    }
    assert (
        volume["spec"]["mountOptions"] == ["tls"]
        and volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    )
    assert volume["spec"]["claimRef"] == {
        "namespace": "hub-main",
        "name": claim["metadata"]["name"],
    }
    assert (
        claim["spec"]["volumeName"] == volume["metadata"]["name"]
        and claim["spec"]["storageClassName"] == volume["spec"]["storageClassName"] == ""
    )


# --- database ---


def test_the_database_volume_is_in_the_only_zone_of_the_core_nodes():
    for settings, zone in (((), "us-east-1a"), (("pools.core.zones=[us-east-1c]",), "us-east-1c")):
        recording = record(*settings)
        assert recording.one("aws:ebs/volume:Volume").inputs["availabilityZone"] == zone
        assert recording.one("aws:eks/nodeGroup:NodeGroup").inputs["subnetIds"] == [
            f"${{network-private-{zone[-1]}.id}}"
        ]
        volume = next(
            found for found in recording.resources.of(VOLUME) if "database" in found.name
        ).inputs["spec"]
        (term,) = volume["nodeAffinity"]["required"]["nodeSelectorTerms"]
        assert term["matchExpressions"] == [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
        ]


@pytest.mark.real
def test_the_csi_driver_may_attach_the_database_volume_whatever_the_users_tags_say():
    for settings in ((), ('tags.extra={"ebs.csi.aws.com/team": "data"}',)):
        tags = record(*settings).one("aws:ebs/volume:Volume").inputs["tags"]
        assert (
            tags["ebs.csi.aws.com/cluster"] == "true"
        )  # AmazonEBSCSIDriverPolicyV2, ManageManagedVolumes


def test_postgres_is_private_encrypted_kept_and_its_url_is_there_without_the_password():
    recording = record('hubs.main.database={kind: postgres, multi_az: true, version: "16"}')
    instance = recording.one("aws:rds/instance:Instance")
    wanted = {
        "publiclyAccessible": False,
        "storageEncrypted": True,
        "multiAz": True,
        "deletionProtection": True,
        "skipFinalSnapshot": False,
    }
    assert {key: instance.inputs[key] for key in wanted} == wanted and instance.inputs[
        "engineVersion"
    ] == "16"
    assert instance.inputs["password"] == SEALED and instance.protect and instance.retain_on_delete
    url = recording.one(RELEASE, "hub-main-release").inputs["values"]["hub"]["db"]["url"]
    assert (
        url
        == "postgresql+psycopg2://jupyterhub@${hub-main-cloud-database-instance.endpoint}/jupyterhub?sslmode=require"
    )
    rules = [
        rule.inputs
        for rule in recording.resources.of(INGRESS)
        if rule.inputs["securityGroupId"] in instance.inputs["vpcSecurityGroupIds"]
    ]
    assert [(rule["referencedSecurityGroupId"], rule["fromPort"]) for rule in rules] == [
        (CLUSTER_GROUP, 5432)
    ]
    assert ("aws:eks/cluster:Cluster", "cluster-control-plane-eksCluster") not in recording.needs(
        instance
    ), "both take ten minutes: side by side"


# --- hub ---


def test_the_namespace_enforces_the_restricted_profile_and_stays():
    namespace = record().one(NAMESPACE)
    assert (
        namespace.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    )
    assert namespace.retain_on_delete


def test_a_secret_is_sealed_at_any_place():
    recording = record(*FULL)
    assert {secret.inputs["stringData"] for secret in recording.resources.of(SECRET)} == {
        "[secret]"
    }
    for release in recording.resources.of(RELEASE):
        if release.inputs["chart"] == "jupyterhub":
            config = release.inputs["values"]["hub"]["config"]
            assert (
                config["ConfigurableHTTPProxy"]["auth_token"]
                == config["JupyterHub"]["cookie_secret"]
                == SEALED
            )
            assert config["CryptKeeper"]["keys"] == ["[secret]"]
    assert recording.outputs["hubs"]["port"]["passwords"] in (
        "[secret]",
        {"user-password": "[secret]", "admin-password": "[secret]"},
    )


def test_the_hub_waits_for_its_data_its_drivers_and_its_nodes():
    needs = record().needs(record().one(RELEASE, "hub-main-release"))
    for needed in (
        (CLAIM, "hub-main-homes-claim"),
        (VOLUME, "hub-main-database-volume-a"),
        (SECRET, "hub-main-secrets-secret"),
        (TARGET, "homes-mount-target-b"),
        ("aws:eks/addon:Addon", "pools-addons-aws-efs-csi-driver"),
        ("aws:eks/addon:Addon", "pools-addons-aws-ebs-csi-driver"),
        ("aws:eks/addon:Addon", "pools-addons-coredns"),
    ):
        assert needed in needs


def test_the_release_is_awaited_and_keeps_its_history():
    release = record().one(RELEASE, "hub-main-release").inputs
    assert (
        release["skipAwait"] is False
        and release["maxHistory"] == 10
        and release["name"] == "hub-main"
    )
    assert release["version"] == "4.4.0"


@pytest.mark.real
def test_administrators_are_let_in_by_name_and_leavers_are_not():
    found = values('hubs.main.sign_in.administrators=["ops1"]')["hub"]["config"]["Authenticator"]
    assert found == {
        "admin_users": ["ops1"],
        "allowed_users": ["ops1"],
        "allow_existing_users": False,
        "allow_all": False,
    }
    ruled = values(
        'hubs.main.sign_in.administrators=["ops1"]', "hubs.main.sign_in.usernames=simple"
    )["hub"]["config"]["Authenticator"]
    assert ruled == {**found, "username_pattern": r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z"}


@pytest.mark.real
def test_idle_servers_and_kernels_are_stopped_only_where_wanted():
    assert values()["cull"] == {
        "enabled": True,
        "timeout": 3600,
        "every": 600,
        "maxAge": 0,
        "users": False,
    }
    off = values("hubs.main.culling={server_idle_minutes: 0, kernel_idle_minutes: 0}")
    assert (
        off["cull"] == {"enabled": False}
        and "MappingKernelManager" not in off["singleuser"]["extraFiles"]["jupyter-server"]["data"]
    )
    aged = values("hubs.main.culling={server_idle_minutes: 0, max_age_hours: 24}")["cull"]
    assert aged["enabled"] and aged["maxAge"] == 86400 and aged["timeout"] > 10**8


# --- entry ---


def test_the_balancer_lets_in_the_listed_networks_and_reaches_the_proxys_port_only():
    recording = record()
    group = recording.one(BALANCER).inputs["securityGroups"][0]
    inward = [
        rule.inputs
        for rule in recording.resources.of(INGRESS)
        if rule.inputs["securityGroupId"] == group
    ]
    assert [(rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) for rule in inward] == [
        ("203.0.113.0/24", 443, 443)
    ]
    port = recording.one(SERVICE).inputs["spec"]["ports"][0]["nodePort"]
    outward = [
        rule.inputs
        for rule in recording.resources.of(EGRESS)
        if rule.inputs["securityGroupId"] == group
    ]
    assert [
        (rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) for rule in outward
    ] == [(CLUSTER_GROUP, port, port)]
    to_nodes = [
        rule.inputs
        for rule in recording.resources.of(INGRESS)
        if rule.inputs.get("referencedSecurityGroupId") == group
    ]
    assert [(rule["securityGroupId"], rule["fromPort"], rule["toPort"]) for rule in to_nodes] == [
        (CLUSTER_GROUP, port, port)
    ]
    assert recording.one(GROUP).inputs["port"] == port


def test_users_reach_the_node_of_the_proxy_encrypted():
    recording = record()
    assert recording.one(SERVICE).inputs["spec"]["externalTrafficPolicy"] == "Local"
    assert recording.one(BALANCER).inputs["enableCrossZoneLoadBalancing"] is True
    check = recording.one(GROUP).inputs["healthCheck"]
    assert (check["protocol"], check["path"], check["port"]) == (
        "HTTP",
        "/_chp_healthz",
        "traffic-port",
    )
    listener = recording.one(LISTENER).inputs
    assert (listener["protocol"], listener["port"]) == ("TLS", 443) and listener[
        "certificateArn"
    ].startswith("arn:aws:acm:")
    attached = recording.one("aws:autoscaling/attachment:Attachment").inputs
    assert (
        attached["autoscalingGroupName"]
        == "${pools-core-group.resources[0].autoscalingGroups[0].name}"
    )


@pytest.mark.real
@pytest.mark.parametrize(("internal", "subnets"), [("false", "public"), ("true", "private")])
def test_an_internal_balancer_is_in_private_subnets(internal, subnets):
    balancer = record(f"hubs.main.entry.internal={internal}").one(BALANCER).inputs
    assert balancer["subnets"] == [
        f"${{network-{subnets}-{zone}.id}}" for zone in "abc"
    ] and balancer["internal"] is (internal == "true")


@pytest.mark.real
def test_a_certificate_is_requested_and_validated_in_the_zone():
    recording = record(
        "hubs.main.entry.tls={kind: acm}", "hubs.main.entry.route53_zone=Z0123456789ABCDEFGHIJ"
    )
    listener = recording.one(LISTENER)
    assert (
        "aws:acm/certificateValidation:CertificateValidation",
        "hub-main-cloud-entry-balancer-certificate-issued",
    ) in recording.needs(listener)
    records = {item.inputs["type"] for item in recording.resources.of("aws:route53/record:Record")}
    assert "A" in records and len(records) == 2
    quiet = record(
        "hubs.main.entry.tls={kind: acm}",
        "hubs.main.entry.route53_zone=Z0123456789ABCDEFGHIJ",
        "hubs.main.entry.record=false",
    )
    assert [item.name for item in quiet.resources.of("aws:route53/record:Record")] == [
        "hub-main-cloud-entry-balancer-certificate-record"
    ]


def test_with_a_certificate_of_ones_own_the_proxy_encrypts_and_is_asked_encrypted():
    recording = record(*FULL)
    service = next(
        item for item in recording.resources.of(SERVICE) if "port" in item.name.split("-")
    ).inputs["spec"]
    assert service["ports"][0]["targetPort"] == "https" and service["externalIPs"] == ["10.0.0.9"]
    https = recording.one(RELEASE, "hub-port-release").inputs["values"]["proxy"]["https"]
    assert https == {"enabled": True, "type": "secret", "secret": {"name": "hub-tls"}}
    assert recording.one(SECRET, "hub-port-secrets-tls").inputs["type"] == "kubernetes.io/tls"


@pytest.mark.real
def test_a_tunnel_exposes_nothing():
    recording = record("hubs.main.entry={kind: port_forward}")
    assert recording.resources.of(BALANCER, SERVICE, GROUP, LISTENER) == []
    assert recording.outputs["hubs"]["main"]["url"] == "http://localhost:8000/"


# --- several hubs ---


def test_two_hubs_share_nothing_that_is_theirs():
    recording = record(f"hubs.second={SECOND}")
    for kind, key in (
        (NAMESPACE, lambda item: item["metadata"]["name"]),
        (VOLUME, lambda item: item["metadata"]["name"]),
        (GROUP, lambda item: (item["name"], item["port"])),
        (BALANCER, lambda item: item["name"]),
        (LISTENER, lambda item: item["certificateArn"]),
    ):
        found = [key(resource.inputs) for resource in recording.resources.of(kind)]
        assert len(found) == len(set(found)) >= 2, kind
    ports = [
        service.inputs["spec"]["ports"][0]["nodePort"]
        for service in recording.resources.of(SERVICE)
    ]
    assert len(set(ports)) == 2 and all(30000 <= port <= 32767 for port in ports)
    releases = [
        release
        for release in recording.resources.of(RELEASE)
        if release.inputs["chart"] == "jupyterhub"
    ]
    assert {(release.inputs["name"], release.inputs["namespace"]) for release in releases} == {
        ("hub-main", "hub-main"),
        ("hub-second", "hub-second"),
    }


def test_another_hub_changes_nothing_of_the_first():
    before = {item.urn: item for item in record().resources}
    after = {item.urn: item for item in record(f"hubs.second={SECOND}").resources}
    changed = {item.name for urn, item in before.items() if after[urn] != item}
    assert changed == {"homes-policy"}, "the one document that lists all access points"
    assert before.keys() <= after.keys()
    first = next(item for item in before.values() if item.name == "hub-main-release")
    assert after[first.urn].inputs == first.inputs


def test_a_bucket_is_mounted_read_only_by_a_driver_that_may_read_nothing_else():
    resources = record(*SERVERS_IN_AWS).resources
    volume = next(
        item
        for item in resources.of("kubernetes:core/v1:PersistentVolume")
        if item.inputs["spec"].get("csi", {}).get("driver") == "s3.csi.aws.com"
    )
    spec = volume.inputs["spec"]
    assert spec["accessModes"] == ["ReadOnlyMany"]
    assert spec["mountOptions"] == [
        "read-only",
        "allow-other",
        "uid=1000",
        "gid=100",
        "prefix 2026/",
    ]
    assert spec["csi"]["volumeAttributes"] == {
        "bucketName": "uni-lectures",
        "authenticationSource": "driver",
    }
    assert spec["csi"]["volumeHandle"] == volume.inputs["metadata"]["name"]
    storage = values(*SERVERS_IN_AWS)["singleuser"]["storage"]
    claim = storage["extraVolumes"]["volume-lectures"]["persistentVolumeClaim"]
    assert claim == {"claimName": spec["claimRef"]["name"], "readOnly": True}
    assert storage["extraVolumeMounts"]["volume-lectures"]["readOnly"] is True
    (addon,) = [
        item
        for item in resources.of("aws:eks/addon:Addon")
        if item.inputs["addonName"] == "aws-mountpoint-s3-csi-driver"
    ]
    (identity,) = addon.inputs["podIdentityAssociations"]
    assert identity["serviceAccount"] == "s3-csi-driver-sa"
    (policy,) = [
        json.loads(item.inputs["policy"])
        for item in resources.of("aws:iam/rolePolicy:RolePolicy")
        if item.name == "mountpoint-policy"
    ]
    actions = {action for one in policy["Statement"] for action in one["Action"]}
    assert not any("Put" in action or "Delete" in action for action in actions)
    assert {one["Resource"] for one in policy["Statement"]} == {
        "arn:aws:s3:::uni-lectures",
        "arn:aws:s3:::uni-lectures/2026/*",
    }


def test_another_folder_is_another_volume_and_no_hub_without_one_has_the_driver():
    def claims(*settings):
        return {
            item.inputs["metadata"]["name"]
            for item in record(*settings).resources.of("kubernetes:core/v1:PersistentVolumeClaim")
            if item.inputs["metadata"]["name"].startswith("bucket-")
        }

    other = "hubs.main.volumes.lectures={kind: bucket, bucket: lectures, mount_path: /lectures}"
    assert claims(*SERVERS_IN_AWS).isdisjoint(claims(*SERVERS_IN_AWS, other))
    assert not [
        item
        for item in record().resources.of("aws:eks/addon:Addon")
        if "mountpoint" in item.inputs["addonName"]
    ]

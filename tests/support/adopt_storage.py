"""File systems and volumes, and the balancers in front of a hub."""

from __future__ import annotations

from typing import Any

from tests.support.adopt_builder import Builder, Makers, tagged
from tests.support.adopt_lacking import client_of
from tests.support.cloud import Cloud


class StorageMakers(Builder):
    """File systems and volumes, and the balancers in front of a hub."""

    def _storage_makers(self) -> Makers:
        return {
            "aws:efs/fileSystem:FileSystem": self._file_system,
            "aws:efs/mountTarget:MountTarget": self._mount_target,
            "aws:efs/accessPoint:AccessPoint": self._access_point,
            "aws:efs/backupPolicy:BackupPolicy": lambda _name, given: self.lacking.backups.update(
                {given["fileSystemId"]: given["backupPolicy"]["status"]}
            ),
            "aws:efs/fileSystemPolicy:FileSystemPolicy": (
                lambda _name, given: self.lacking.policies.update(
                    {given["fileSystemId"]: given["policy"]}
                )
            ),
            "aws:ebs/volume:Volume": self._volume,
            "aws:lb/loadBalancer:LoadBalancer": self._balancer,
            "aws:lb/targetGroup:TargetGroup": self._target,
            "aws:lb/listener:Listener": self._listener,
        }

    def _file_system(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        tags = [{"Key": key, "Value": value} for key, value in given["tags"].items()]
        made = self._efs.create_file_system(
            CreationToken=given["creationToken"],
            Encrypted=given["encrypted"],
            PerformanceMode="generalPurpose",
            ThroughputMode="elastic",
            Tags=tags,
        )
        return {"id": made["FileSystemId"], "arn": made["FileSystemArn"]}

    def _mount_target(self, _name: str, given: dict[str, Any]) -> None:
        mounted(self.account, given["fileSystemId"], given["subnetId"])

    def _access_point(self, name: str, given: dict[str, Any]) -> dict[str, str]:
        user, root = given["posixUser"], given["rootDirectory"]
        made = {"OwnerUid": 1000, "OwnerGid": 100, "Permissions": "0750"}
        return {
            "id": self._efs.create_access_point(
                ClientToken=name,
                FileSystemId=given["fileSystemId"],
                PosixUser={"Uid": user["uid"], "Gid": user["gid"]},
                RootDirectory={
                    "Path": root["path"],
                    **({"CreationInfo": made} if "creationInfo" in root else {}),
                },
                Tags=[{"Key": key, "Value": value} for key, value in given["tags"].items()],
            )["AccessPointId"]
        }

    def _volume(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._ec2.create_volume(
            AvailabilityZone=given["availabilityZone"],
            Size=given["size"],
            VolumeType="gp3",
            Encrypted=True,
            TagSpecifications=tagged("volume", given),
        )
        return {"id": made["VolumeId"]}

    def _balancer(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._client("elbv2").create_load_balancer(
            Name=given["name"],
            Subnets=given["subnets"],
            SecurityGroups=given["securityGroups"],
            Scheme="internet-facing",
            Type="network",
        )
        return {"arn": made["LoadBalancers"][0]["LoadBalancerArn"]}

    def _target(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._client("elbv2").create_target_group(
            Name=given["name"],
            Protocol=given["protocol"],
            Port=int(given["port"]),
            VpcId=given["vpcId"],
            TargetType="instance",
        )
        return {"arn": made["TargetGroups"][0]["TargetGroupArn"]}

    def _listener(self, _name: str, given: dict[str, Any]) -> None:
        certificate = self._client("acm").request_certificate(DomainName="hub.example.org")[
            "CertificateArn"
        ]
        self._client("elbv2").create_listener(
            LoadBalancerArn=given["loadBalancerArn"],
            Protocol=given["protocol"],
            Port=int(given["port"]),
            SslPolicy=given["sslPolicy"],
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[
                {"Type": "forward", "TargetGroupArn": given["defaultActions"][0]["targetGroupArn"]}
            ],
        )


def mounted(account: Cloud, file_system: str, subnet: str) -> None:
    """A mount target, with the network interface as EFS describes it (moto's own says nothing of
    the file system).
    """
    target = client_of(account.url, "efs").create_mount_target(
        FileSystemId=file_system, SubnetId=subnet
    )["MountTargetId"]
    client_of(account.url, "ec2").create_network_interface(
        SubnetId=subnet, Description=f"EFS mount target for {file_system} ({target})"
    )

"""Keys, roles and what they carry."""

from __future__ import annotations

from typing import Any

from tests.support.adopt_builder import Builder, Makers
from tests.support.cloud import ACCOUNT, REGION


class IdentityMakers(Builder):
    """Keys, roles and what they carry."""

    def _identity_makers(self) -> Makers:
        return {
            "aws:kms/key:Key": self._key,
            "aws:iam/role:Role": self._role,
            "aws:iam/policy:Policy": lambda _name, given: {
                "arn": self._iam.create_policy(
                    PolicyName=given["name"], PolicyDocument=given["policy"]
                )["Policy"]["Arn"]
            },
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment": lambda _name, given: self._ignore(
                self._attach(given)
            ),
            "aws:iam/rolePolicy:RolePolicy": lambda _name, given: self._ignore(
                self._iam.put_role_policy(
                    RoleName=given["role"], PolicyName=given["name"], PolicyDocument=given["policy"]
                )
            ),
            "aws:iam/instanceProfile:InstanceProfile": self._profile,
            "aws:kms/alias:Alias": lambda _name, given: self._ignore(
                self._kms.create_alias(AliasName=given["name"], TargetKeyId=given["targetKeyId"])
            ),
        }

    def _role(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        tags = [{"Key": key, "Value": value} for key, value in given["tags"].items()]
        arn = self._iam.create_role(
            RoleName=given["name"], AssumeRolePolicyDocument=given["assumeRolePolicy"], Tags=tags
        )["Role"]["Arn"]
        return {"name": given["name"], "arn": arn, "id": given["name"]}

    def _attach(self, given: dict[str, Any]) -> None:
        if ":aws:policy/" in given["policyArn"]:
            _aws_policy(given["policyArn"])
        self._iam.attach_role_policy(RoleName=given["role"], PolicyArn=given["policyArn"])

    def _profile(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        arn = self._iam.create_instance_profile(InstanceProfileName=given["name"])[
            "InstanceProfile"
        ]["Arn"]
        self._iam.add_role_to_instance_profile(
            InstanceProfileName=given["name"], RoleName=given["role"]
        )
        return {"arn": arn, "name": given["name"]}

    def _key(self, _name: str, given: dict[str, Any]) -> dict[str, str]:
        made = self._kms.create_key(Description=given["description"])["KeyMetadata"]
        return {"keyId": made["KeyId"], "arn": made["Arn"], "id": made["KeyId"]}


def _aws_policy(arn: str) -> None:
    """A policy of AWS's own: moto's list of all of them takes half a minute to load, and lacks
    the newest.
    """
    from moto.iam.models import AWSManagedPolicy, iam_backends

    path, _, name = arn.partition(":policy")[2].rpartition("/")
    known = {
        "CreateDate": "2025-01-01T00:00:00+00:00",
        "UpdateDate": "2025-01-01T00:00:00+00:00",
        "DefaultVersionId": "v1",
        "Path": f"{path}/",
        "Document": {},
    }
    policy = AWSManagedPolicy.from_data(name, ACCOUNT, REGION, known)
    iam_backends[ACCOUNT]["aws"].managed_policies.setdefault(policy.arn, policy)

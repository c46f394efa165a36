"""Makes config/data/managed_policies.json and managed_policy_names.json from moto's dump of AWS's
managed policies (a development dependency).

    python -m scripts.refresh_managed_policies

The first file has the whole documents of what identities of this program carry, with AWS's version
and date; the second the path and name of every policy that AWS has, so that a name which does not
exist is found. moto's maintainers read both from AWS (scripts/update_managed_policies.py there).
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
from typing import Any

from jupyterhub_aws.config.managed_policies import DOCUMENTS, NAMES

#: What identities of the program carry (components/addons, backups, cluster, pools), and what the
#: CI roles may attach besides (components/ci.py).
WANTED = (
    "AmazonEBSCSIDriverPolicy",
    "AmazonEBSCSIDriverPolicyV2",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEFSCSIDriverPolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
    "AWSBackupServiceRolePolicyForBackup",
    "AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
    "AWSDataLifecycleManagerServiceRole",
)


def known() -> dict[str, Any]:
    """Moto's dump, by name."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def path_of(name: str, policy: dict[str, Any]) -> str:
    """Path and name as they end the policy's ARN: `service-role/AmazonEFSCSIDriverPolicy`."""
    return f"{policy['Path'].removeprefix('/')}{name}"


def documents(dump: dict[str, Any]) -> dict[str, Any]:
    """The wanted policies, by path and name."""
    return {
        path_of(name, dump[name]): {
            "version": dump[name]["DefaultVersionId"],
            "updated": dump[name]["UpdateDate"][:10],
            "document": dump[name]["Document"],
        }
        for name in WANTED
    }


def main() -> None:
    """Write both files."""
    dump = known()
    source = f"moto {importlib.metadata.version('moto')}, moto/iam/aws_managed_policies.py"
    head = {"read": datetime.datetime.now(datetime.UTC).date().isoformat(), "source": source}
    DOCUMENTS.write_text(
        json.dumps({**head, "policies": documents(dump)}, sort_keys=True, separators=(",", ":"))
        + "\n",
        encoding="utf-8",
    )
    names = sorted(path_of(name, policy) for name, policy in dump.items())
    NAMES.write_text(json.dumps({**head, "names": names}, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

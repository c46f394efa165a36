"""Defaults that depend on the machine or on other answers: names, region, account, zones, and
values of documentation where only the user knows.
"""

from __future__ import annotations

import configparser
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from jupyterhub_aws.config.suggestions import valid_name
from jupyterhub_aws.config.versions import kubernetes_versions, pins
from jupyterhub_aws.config.zones import PARTITIONS, WITHOUT_EKS, letters, partition_named
from jupyterhub_aws.init.question import Given

#: AWS's own documentation has this account; a plan says that it is no real account.
DOCUMENTATION_ACCOUNT = "123456789012"
#: RFC 5737: networks of documentation, which have no hosts.
DOCUMENTATION_NETWORK = "203.0.113.0/24"
_LONGEST_NAME, _FEWEST_ZONES, _MOST_ZONES = 24, 2, 3


def name_of(folder: Path) -> str:
    """A name for a cluster and a project from the folder's."""
    return valid_name(folder.absolute().name, _LONGEST_NAME) or "jupyterhub"


def region(_answers: Given) -> str:
    """The region that the AWS tools would take, else us-east-1."""
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    named = named or _of_profile("region")
    return named if partition_named(named) in PARTITIONS else "us-east-1"


def account(_answers: Given) -> str:
    """The account of the AWS profile that signs in by SSO, else none: nothing here asks AWS."""
    found = _of_profile("sso_account_id")
    return found if len(found) == len(DOCUMENTATION_ACCOUNT) and found.isdigit() else ""


def account_or_documentation(answers: Given) -> str:
    """The same where one is needed."""
    return account(answers) or DOCUMENTATION_ACCOUNT


def owner(_answers: Given) -> str:
    """Who is at the machine."""
    name = os.environ.get("USER") or os.environ.get("LOGNAME") or ""
    is_plain = name.replace("-", "").replace("_", "").replace(".", "").isalnum() and name.isascii()
    return name if is_plain else "platform-team"


def zones(answers: Given) -> str:
    """Three zones of the region, or two where it has no more; not the one in which EKS makes no
    control plane.
    """
    where = answers["region"]
    without = WITHOUT_EKS.get(where, ("", ""))[1]
    found = [f"{where}{letter}" for letter in letters(where) or "ab" if letter != without]
    return ", ".join(found[:_MOST_ZONES])


def internal(name: str, outside: str) -> Callable[[Given], str]:
    """A host by its first label: below the first domain of internal hosts, where the network has
    only those; else `outside`.
    """

    def found(answers: Given) -> str:
        first = answers.get("network.internal_hosts", "").partition(",")[0].strip()
        return first.replace("*", name, 1) if first else outside

    return found


def kubernetes() -> str:
    """The Kubernetes minor with the fewest unverified pins, and of these the newest."""
    minors = kubernetes_versions()
    unverified = Counter(pin.kubernetes for pin in pins() if not pin.verified)
    return min(minors, key=lambda minor: (unverified[minor], -int(minor.partition(".")[2])))


def certificate(answers: Given) -> str:
    """The ARN of a certificate that does not exist, in the stack's region and account."""
    partition = partition_named(answers["region"]) or "aws"
    return f"arn:{partition}:acm:{answers['region']}:{answers.get('accounts') or DOCUMENTATION_ACCOUNT}:certificate/00000000-0000-0000-0000-000000000000"


def _of_profile(key: str) -> str:
    """A setting of the AWS profile in use, from the shared configuration file; empty where there
    is none.
    """
    path = Path(os.environ.get("AWS_CONFIG_FILE") or Path.home() / ".aws" / "config")
    profile = os.environ.get("AWS_PROFILE") or "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        section = "default" if profile == "default" else f"profile {profile}"
        return parser.get(section, key, fallback="").strip()
    except (configparser.Error, OSError, UnicodeDecodeError):
        return ""

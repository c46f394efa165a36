"""Loading the SDK piece by piece changes the time that a plan takes, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real

ROOT = Path(__file__).resolve().parents[2]
PLAN = (
    "import sys; sys.argv = ['jhub', 'plan', 'dev', '--json', '--as-of', '2026-11-23']; from"
    " jupyterhub_aws.cli.main import main; main()"
)
INSTALL = "from jupyterhub_aws.plan import sdk; sdk.install()"


def python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout


def test_the_plan_is_the_same_with_the_packages_loaded_whole() -> None:
    lazy = python(PLAN)
    whole = python(f"from jupyterhub_aws.plan import sdk; sdk.install = lambda: None; {PLAN}")
    assert lazy == whole
    assert lazy.startswith("{")


def test_only_what_is_asked_for_is_loaded() -> None:
    code = (
        f"{INSTALL}; from pulumi_aws import ec2; ec2.Vpc; import sys;"
        " print('pulumi_aws.ec2.instance' in sys.modules)"
    )
    assert python(code).strip() == "False"


def test_what_has_no_module_of_its_name_is_found_all_the_same() -> None:
    """Nested types, enumerations, data sources by function name, and classes whose module is
    named otherwise.
    """
    names = (
        "LaunchTemplateMetadataOptionsArgs",
        "InstanceType",
        "get_vpc_output",
        "outputs",
        "VpcIpv4CidrBlockAssociation",
        "NetworkAclRule",
    )
    code = (
        "from jupyterhub_aws.plan import sdk; sdk.install(); from pulumi_aws import ec2;"
        f" print([getattr(ec2, name) is not None for name in {names}])"
    )
    assert python(code).strip() == str([True] * len(names))


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    code = (
        f"{INSTALL}; from pulumi_aws import ec2; print(hasattr(ec2, 'NoSuchThing'), hasattr(ec2,"
        " 'Vpc'))"
    )
    assert python(code).strip() == "False True"

"""What four trials found right: each of these inputs keeps its verdict, and the option that it
names.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.in_process import Done, in_process
from tests.support.known_plans import known_plans

CASES = Path(__file__).parent / "cases"
#: Input: exit code, and what the answer has to say: the option and the reason.
RIGHT = {
    "acm-other-region": (2, "hubs.main.entry.tls.certificate_arn: is in us-west-2"),
    "db-memory": (2, "hubs.main.helm_values.hub.db.type: loses every session"),
    "ebs-two-zones": (0, "No check failed"),
    "env-braces": (
        2,
        "hubs.main.profiles.small.environment.PS1: has braces that KubeSpawner would expand",
    ),
    "env-number": (2, "hubs.main.helm_values.singleuser.extraEnv.NB_UMASK: is not text"),
    "latest": (2, "hubs.main.profiles.small.image: follows latest"),
    "ldap-no-verify": (
        2,
        "hubs.main.helm_values.hub.config.LDAPAuthenticator.tls_kwargs.validate: does not verify",
    ),
    "memory-too-large": (
        2,
        (
            "hubs.main.profiles.small.memory: guarantees 60.0 GiB, but a node of pool user has"
            " 57.9 GiB"
        ),
    ),
    "mixed-arch": (1, "r6i.2xlarge (8 vCPUs, 64 GiB, x86_64) is not of the shape of r6g.2xlarge"),
    "p2": (2, "pools.user.instance_types[0]: is not an EC2 instance type"),
    "privilege": (
        2,
        "hubs.main.helm_values.singleuser.allowPrivilegeEscalation: lets servers gain rights",
    ),
    "service-cidr": (2, "cluster.service_cidr: overlaps network.cidr"),
    "start-timeout": (
        2,
        "hubs.main.helm_values.singleuser.startTimeout: gives up before a node can be ready",
    ),
    "tag": (2, "tags.owner: has a character that AWS refuses in a tag"),
}


def planned(name: str) -> Done:
    with known_plans():
        return in_process(
            ["plan", str(CASES / name), "--as-of", "2026-11-29"], CASES, {"COLUMNS": "200"}
        )


@pytest.mark.parametrize("name", RIGHT)
def test_it_is_still_answered_so(name: str) -> None:
    code, says = RIGHT[name]
    done = planned(f"ok-{name}.yaml")
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stdout + done.stderr


def test_every_such_case_is_here() -> None:
    assert {path.stem.removeprefix("ok-") for path in CASES.glob("ok-*.yaml")} == set(RIGHT)


def test_the_stack_that_the_other_cases_change_is_right() -> None:
    done = planned("plan-base.yaml")
    assert (done.returncode, done.stderr) == (0, "")

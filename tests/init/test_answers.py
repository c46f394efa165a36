"""Whatever one answers: what is written plans without a failed check."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.instance_types import instance_type
from jupyterhub_aws.config.zones import partition_named, regions
from jupyterhub_aws.init.draft import _CORE, _GPU_NODE, _NODES, servers_per_node
from jupyterhub_aws.init.files import ProjectFolder
from jupyterhub_aws.init.judge import Judge
from jupyterhub_aws.init.question import Answers, Question
from jupyterhub_aws.init.questions import SERVERS, VARIANTS, questions_of
from tests.support.stacks import quiet_sdks

#: Further right answers to questions without choices, by their paths.
TYPED = {
    "name": ["a", "lab-2", "n" * 24],
    "accounts": ["210987654321"],
    "region": ["eu-central-1", "us-gov-west-1", "cn-north-1", "ap-southeast-2", "ca-central-1"],
    "tags.owner": ["Ada Lovelace", "team/7"],
    "cluster.administrators": [
        "arn:{partition}:iam::210987654321:role/admin, arn:{partition}:iam::210987654321:user/ada"
    ],
    "cluster.api.public_access_cidrs": [
        "198.51.100.7/32",
        "0.0.0.0/0",
        "198.51.100.0/24, 192.0.2.0/24",
    ],
    "cluster.context": ["lab"],
    "cluster.version": ["1.36"],
    "network.ranges": ["10.0.0.0/16, 192.168.0.0/16"],
    "network.peer_networks.corporate.cidrs": ["10.200.0.0/16, 10.201.0.0/16"],
    "network.peer_networks.corporate.via.id": ["tgw-0abc0abc0abc0abc0"],
    "network.internal_hosts": ["*.corp.example, mirror.lab.example"],
    "registry.charts": ["/opt/charts"],
    "hubs.main.sign_in.client_id": ["Iv1.0123456789abcdef"],
    "hubs.main.sign_in.allowed_organizations": ["a-lab, b-lab:team"],
    "hubs.main.sign_in.authorize_url": ["https://sso.corp.example/authorize"],
    "hubs.main.sign_in.token_url": ["https://sso.corp.example/token"],
    "hubs.main.sign_in.userinfo_url": ["https://sso.corp.example/userinfo"],
    "hubs.main.sign_in.domain": ["lab.auth.eu-west-1.amazoncognito.com"],
    "hubs.main.sign_in.allowed_domains": ["uni.example, lab.example"],
    "hubs.main.sign_in.tenant_id": ["1d7c6f3e-2b14-4f0a-9c55-1e2f3a4b5c6d"],
    "hubs.main.sign_in.identity_provider": ["https://idp.uni.example/shibboleth"],
    "hubs.main.sign_in.issuer": ["https://canvas.instructure.com"],
    "hubs.main.sign_in.client_ids": ["10000000000007, 10000000000008"],
    "hubs.main.sign_in.jwks_url": ["https://sso.canvaslms.com/api/lti/security/jwks"],
    "hubs.main.sign_in.server": ["ad.corp.example"],
    "hubs.main.sign_in.bind_dn_templates": ["cn={username},dc=corp,dc=example"],
    "hubs.main.sign_in.allowed_groups": ["cn=a,dc=corp,dc=example; cn=b,dc=corp,dc=example"],
    "hubs.main.sign_in.administrators": ["ada, grace"],
    "hubs.main.entry.hostname": ["hub.corp.example"],
    "hubs.main.entry.allowed_cidrs": ["0.0.0.0/0", "198.51.100.0/24"],
    "hubs.main.entry.route53_zone": ["Z0123456789ABCDEFGHIJ"],
    "hubs.main.package_mirrors.pip": ["https://mirror.corp.example/simple"],
    "homes.server": ["10.0.7.7"],
    "homes.path": ["/ifs/homes"],
    "homes.file_system": ["fs-0abc0abc0abc0abc0"],
    "homes.access_point": ["fsap-0abc0abc0abc0abc0"],
    "hubs.main.database.storage_class": ["ebs-sc"],
    "pools.users.cores": ["4", "96"],
    "pools.users.memory_gib": ["64", "768"],
    "pools.users.nodes": ["1", "40"],
    "users": ["1", "7", "8", "300"],
    "gpu": ["1", "4"],
}
#: Groups have a form of their own there.
GROUPS_OF = {
    "entra": ["1f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"],
    "lti13": ["course:101; course:102:learner"],
}
#: Their default is the only answer that holds for every other one: zones and certificates are a
#: region's, files are a machine's.
ONLY_DEFAULT = {
    "network.zones",
    "hubs.main.entry.tls.certificate_arn",
    "hubs.main.entry.tls.certificate",
    "hubs.main.sign_in.ca_certificate",
}


@cache
def judge(variant: str) -> Judge:
    return Judge(
        target=ProjectFolder(folder=Path("nowhere"), project="lab", stack="dev"),
        variant=variant,
        questions=questions_of(variant, "lab"),
    )


def possible(
    question: Question, variant: str, before: Mapping[str, str] | None = None
) -> list[str]:
    """Every choice, or further answers than the default; without those that the models refuse
    because of an answer before.
    """
    before = before or {}
    if (
        question.path == "hubs.main.sign_in.kind" and before.get("network.egress.kind") == "none"
    ):  # GitHub is on the internet
        return [name for name in question.choices if name != "github"]
    if question.path == "hubs.main.sign_in.administrators" and (
        before.get("hubs.main.sign_in.kind") == "google"
    ):  # its users are called by their address
        return ["ada@uni.example, grace@uni.example"]
    kind = before.get("hubs.main.sign_in.kind", "")
    if question.path == "hubs.main.sign_in.allowed_groups" and kind in GROUPS_OF:
        return GROUPS_OF[kind]
    isolated = (
        variant == "airgap"
        or before.get("hubs.main.sign_in.kind", "shared_password") == "shared_password"
    )
    kept = [
        answer
        for answer in TYPED.get(question.path, [])
        if not (question.path.endswith("allowed_cidrs") and answer == "0.0.0.0/0" and isolated)
    ]
    return [*question.choices] or kept


def chosen(variant: str, choose: Callable[[Question, list[str]], str | None]) -> dict[str, str]:
    """A set of answers; None leaves a question to its default. ARNs are of the region's
    partition.
    """
    found: dict[str, str] = {}
    for question in questions_of(variant, "lab"):
        answers = possible(question, variant, found)
        answer = choose(question, answers) if answers else None
        if answer is not None:
            found[question.path] = answer.replace(
                "{partition}", str(partition_named(found.get("region", "us-east-1")))
            )
    return found


def plans(variant: str, answers: dict[str, str]) -> None:
    with quiet_sdks():
        judge(variant).bill(answers)  # raises for what the models or a check refuse


def test_every_question_without_choices_has_answers_here() -> None:
    asked = {
        question.path
        for variant in VARIANTS
        for question in questions_of(variant, "x")
        if not question.choices
    }
    assert asked == TYPED.keys() | ONLY_DEFAULT


def pairs(questions: Sequence[Question], answers: dict[str, str]) -> set[tuple[str, str]]:
    return {
        (path, answer)
        for path, answer in Answers(questions, answers).items()
        if answers.get(path) == answer
    }


def everything_once(variant: str) -> list[dict[str, str]]:
    """Few sets of answers that have every answer once: of very many random ones those with most
    that is new.
    """
    questions, random = questions_of(variant, "lab"), Random(7)
    many = [chosen(variant, lambda _, found: random.choice(found)) for _ in range(120)]
    covered = [(pairs(questions, answers), answers) for answers in many]
    found, seen = [], set[tuple[str, str]]()
    while True:
        new, answers = max(
            ((keys - seen, answers) for keys, answers in covered), key=lambda item: len(item[0])
        )
        if not new:
            return found
        found.append(answers)
        seen |= new


@pytest.mark.real
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_answer_once(variant: str) -> None:
    seen: set[str] = set()
    for answers in everything_once(variant):
        plans(variant, answers)
        seen |= {
            f"{path}={answer}" for path, answer in pairs(questions_of(variant, "lab"), answers)
        }
    for question in questions_of(variant, "lab"):
        for answer in possible(question, variant, {"hubs.main.sign_in.kind": "native"}):
            assert any(
                item.startswith(f"{question.path}={answer.partition('{')[0]}") for item in seen
            ), (question.path, answer)


@cache
def regions_of(variant: str) -> tuple[str, ...]:
    """Every region. In some AWS has not all the endpoints that an isolated network needs: there
    the models refuse it at once.
    """

    def offered(region: str) -> bool:
        try:
            judge(variant).draft({"region": region})
        except ConfigError as error:
            assert "offers no endpoint of" in str(error)
            return False
        return True

    found = tuple(region for region in regions() if variant != "airgap" or offered(region))
    assert len(found) > 30
    return found


@st.composite
def some_answers(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    variant = draw(st.sampled_from(list(VARIANTS)))

    def choose(question: Question, found: list[str]) -> str | None:
        if question.path == "users" and draw(st.booleans()):
            return str(draw(st.integers(1, 300)))
        return draw(
            st.sampled_from(
                [None, *found, *(regions_of(variant) if question.path == "region" else ())]
            )
        )

    return variant, chosen(variant, choose)


@pytest.mark.real
@given(answered=some_answers())
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_random_answers_plan_without_a_failed_check(answered: tuple[str, dict[str, str]]) -> None:
    plans(*answered)


@pytest.mark.real
@given(answered=some_answers())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_very_many_random_answers(answered: tuple[str, dict[str, str]]) -> None:
    plans(*answered)


def test_nodes_are_enough_for_the_users_and_twins_of_one_shape() -> None:
    for memory_per_cpu, names in _NODES.items():
        kinds = [instance_type(name) for name in names]
        assert (
            len({kind.shape for kind in kinds}) == 1
            and kinds[0].memory_mib == 1024 * memory_per_cpu * kinds[0].vcpus
        )
        assert all(kind.spot for kind in kinds)
    assert (
        len({instance_type(name).shape for name in _CORE}) == 1
        and instance_type(_GPU_NODE).gpus == 1
    )
    with quiet_sdks():
        for name, (cpu, memory) in SERVERS.items():
            for users in (1, 20, 100):
                draft = judge("open").draft({"server": name, "users": str(users)})
                nodes = draft.sections["pools"]["users"]["size"]["max"].value
                assert nodes == math.ceil(users / servers_per_node(cpu, memory))

"""`jhub can` as an operator runs it: the answer, its statement, its exit code, and bad input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from jupyterhub_aws.cli.commands.can import can_command
from jupyterhub_aws.config.errors import ConfigError
from tests.support.stacks import SERVERS_IN_AWS

_SET = [word for setting in SERVERS_IN_AWS for word in ("--set", setting)]


def can(*words: str) -> tuple[Any, str]:
    """The exit code (or the error) and what was printed."""
    done = CliRunner().invoke(can_command, [*words, *_SET], standalone_mode=False)
    return (done.exception or done.return_value), done.output


def test_yes_names_the_role_and_the_statement() -> None:
    code, text = can("dev", "main", "s3:GetObject", "lectures/week1.csv")
    assert code == 0
    assert text.splitlines() == [
        "yes: a server of profile small, of ada in no group, may s3:GetObject"
        " arn:aws:s3:::uni-lectures/week1.csv",
        "    role jhub-dev-main-servers-all: access-all, statement ReadLectures",
    ]


def test_no_says_what_is_missing() -> None:
    code, text = can("dev", "main", "s3:PutObject", "uni-lectures/week1.csv")
    assert code == 1
    assert text.startswith("no: ") and "no statement of access-all allows it" in text


def test_a_folder_of_ones_own_is_the_users() -> None:
    own = ("s3:PutObject", "work/home/{user}/notes.txt")
    assert can("dev", "main", *own, "--user", "ada@uni.edu")[0] == 0
    assert can("dev", "main", "s3:PutObject", "work/home/jupyter-eve/x", "--user", "ada")[0] == 1
    assert (
        can("dev", "main", "s3:PutObject", "s3://work/home/jupyter-eve/x", "--user", "eve")[0] == 0
    )


def test_groups_profiles_and_owners_of_other_accounts() -> None:
    code, text = can("dev", "main", "s3:GetObject", "theirs/shared/x", "--group", "jupyter:staff")
    assert code == 0 and "the policy of their-data in account 210987654321 must allow it" in text
    code, text = can("dev", "main", "s3:GetObject", "lectures/x", "--profile", "gpu", "--json")
    data = json.loads(text)
    assert code == 1 and data["allowed"] is False and data["access"] == "profile-gpu"
    arn = "arn:aws:s3:::uni-lectures/week1.csv"
    assert can("dev", "main", "s3:GetObject", arn)[0] == 0


def test_what_a_managed_policy_allows_is_not_known() -> None:
    code, text = can(
        "dev", "main", "athena:GetQueryResults", "arn:aws:athena:us-east-1:1:workgroup/x",
        "--group", "jupyter:staff",
    )  # fmt: skip
    assert code == 1 and text.startswith("it depends: ") and "AmazonAthenaFullAccess" in text


def test_a_hub_without_access_has_none() -> None:
    done = CliRunner().invoke(
        can_command, ["dev", "main", "s3:GetObject", "some-bucket/x"], standalone_mode=False
    )
    assert done.return_value == 1 and "it has no access to AWS (aws_access)" in done.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("dev", "main", "GetObject", "lectures/x"), "can.action"),
        (("dev", "main", "s3:*", "lectures/x"), "can.action"),
        (("dev", "main", "s3:GetObject", "lectures/x", "--profile", "smal"), "can.profile"),
        (("dev", "main", "s3:GetObject", "A bucket/x"), "can.resource"),
        (("dev", "mian", "s3:GetObject", "lectures/x"), "hub.unknown"),
        (("dev", "main", "s3:GetObject", "lecture/x"), "can.bucket"),
    ],
)
def test_bad_input_is_one_line(words: tuple[str, ...], problem: str) -> None:
    error, text = can(*words)
    assert isinstance(error, ConfigError) and text == ""
    assert [item.id for item in error.problems] == [problem]


def test_words_that_were_mistyped_do_not_pass_for_a_no() -> None:
    code, text = can("dev", "main", "s3:GetObjekt", "theirs/x", "--group", "jupyter:staf")
    assert code == 1
    assert "no option of this hub names the group jupyter:staf; did you mean jupyter:staff?" in text
    hint = "no statement of this hub names s3:GetObjekt; did you mean s3:GetObject?"
    assert hint in text
    data = json.loads(can("dev", "main", "s3:GetObjekt", "theirs/x", "--json")[1])
    assert data["notes"] == [hint] and data["may_start"] is True


def test_what_every_server_mounts_is_said_beside_a_no() -> None:
    code, text = can("dev", "main", "s3:GetObject", "lectures/2026/x", "--profile", "gpu")
    assert code == 1 and text.startswith("no: ")
    assert "every server of this hub reads it at /lectures (volumes.lectures)" in text
    assert "/lectures" not in can("dev", "main", "s3:GetObject", "lectures/2025/x")[1]


def test_a_profile_that_the_user_cannot_start_allows_nothing() -> None:
    limited = ("--set", "hubs.main.profiles.gpu.groups=['jupyter:staff']")
    asked = ("dev", "main", "s3:PutObject", "scratch/{user}/x", "--profile", "gpu", *limited)
    code, text = can(*asked)
    assert code == 1
    assert text == "no: ada may not start profile gpu, which is for members of jupyter:staff\n"
    assert can(*asked, "--group", "jupyter:staff")[0] == 0

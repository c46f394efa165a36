"""Each problem, finding and option is explained: `jhub explain`, docs/problems, docs/findings.md."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from jupyterhub_aws.checks.all import CHECKS
from jupyterhub_aws.config import explanations
from jupyterhub_aws.config.explanations import (
    explained,
    explained_option,
    known_ids,
    sections,
)
from jupyterhub_aws.documentation import SITE_VARIABLE, path_of
from tests.support.in_process import in_process
from tests.support.problems_page import ID, findings, pages, problems
from tests.support.stack_files import ROOT

TEXTS = tomllib.loads((ROOT / "config/data/explanations.toml").read_text(encoding="utf-8"))


def test_every_section_and_every_finding_has_a_text_and_nothing_else_has() -> None:
    assert set(TEXTS["sections"]) == {item.id.partition(".")[0] for item in problems()}
    assert set(TEXTS["findings"]) == {item.id for item in findings()}
    assert len(CHECKS) > 20


@pytest.mark.parametrize("name", TEXTS["findings"])
def test_a_finding_has_cause_and_cure_in_plain_words(name: str) -> None:
    text = TEXTS["findings"][name]
    assert set(text) == {"checks", "why", "cure"}
    for said in text.values():
        assert 15 < len(said) < 400 and said.endswith((".", "`")), said
        words = r"\b(somebody|nobody|whoever|whose|people|stands|thing|everybody)\b"
        assert not re.search(words, said), said


def test_the_options_of_a_section_exist() -> None:
    provider = {"aws:allowedAccountIds", "aws:region"}
    for name, text in TEXTS["sections"].items():
        assert set(text) == {"says", "options"} and text["says"].endswith("."), name
        for path in set(text["options"]) - provider:
            assert explained_option(path) is not None, f"{name}: {path}"


def test_an_id_has_the_anchor_that_messages_lead_to() -> None:
    """The page and the anchor of documentation.path_of, in the pages."""
    texts = {path.relative_to(ROOT / "docs").as_posix(): text for path, text in pages().items()}
    for item in [*problems(), *findings()]:
        page, _, anchor = path_of(item.id).partition("#")
        assert f'<a id="{anchor}"></a>' in texts[page.replace(".html", ".md")], item.id


def explain(*words: str, **environment: str) -> str:
    done = in_process(["explain", *words], ROOT, environment)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def test_a_problem() -> None:
    said = explain("pools.max-below-min")
    assert said.startswith("pools.max-below-min: a problem\n")
    assert TEXTS["sections"]["pools"]["says"] in said
    assert "What it says:\n" in said and "    → " in said
    assert explain("[pools.max-below-min]") == said, "as it is copied from a message"


def test_each_wording_is_said_once_and_none_is_only_dots() -> None:
    for which in known_ids():
        about = explained(which)
        said = [(item.what, item.status) for item in about.wordings]
        assert len(said) == len(set(said)), which
        for item in about.wordings:
            assert re.search("[a-z]{3}", item.what), (which, item)
            assert item.status == "pass" or re.search("[a-z]{3}", item.fix), (which, item)
    found = explained("adopt.cluster").wordings
    assert [item.fix for item in found if item.what.startswith("there are")] == [
        "choose another --region or account; a kops or kubeadm cluster: jhub adopt config FILE;"
        " or name one: --cluster NAME"
    ]
    assert "(what it says differs from case to case)" in explain("command.failed")
    assert "  → …" not in explain("core-nodes-fit")


def test_a_section_of_the_name_of_a_finding_is_told_too() -> None:
    said = explain("backups")
    assert said.startswith("backups: a finding of a plan\n")
    assert TEXTS["sections"]["backups"]["says"] in said and "  backups." in said
    rows = (ROOT / "docs/problems.md").read_text(encoding="utf-8").splitlines()
    assert not [row for row in rows if row.startswith("|") and "|  |" in row]


def test_a_finding() -> None:
    said = explain("core-nodes-fit")
    text = TEXTS["findings"]["core-nodes-fit"]
    assert f"{text['checks']} {text['why']}" in said and f"→ {text['cure']}" in said
    assert "  warn: " in said


def test_a_section_that_is_an_option_too_says_both() -> None:
    said = explain("pools")
    assert "Its problems:\n" in said and "  pools.max-below-min\n" in said
    assert "pools: an option of stack files" in said


def test_an_option() -> None:
    said = explain("pools.memory.size.max")
    assert said.startswith("pools.memory.size.max: an option of stack files\n")
    assert "Values:  whole number" in said and "Change:  " in said
    assert "Options: " in explain("hubs.any.profiles.other")
    assert explained_option("pools.memory.colour") is None
    assert "single" in explain("network.nat")


def test_without_an_id_everything_is_listed() -> None:
    said = explain()
    assert all(f"\n  {name}" in said for name in (*sections(), *TEXTS["findings"]))


def test_as_data() -> None:
    finding = json.loads(explain("core-nodes-fit", "--json"))
    assert finding["kind"] == "finding" and finding["cure"] and finding["wordings"][0]["status"]
    problem = json.loads(explain("pools.max-below-min", "--json"))
    assert problem["kind"] == "problem" and problem["options"] == ["pools"]
    section = json.loads(explain("pools", "--json"))
    assert "pools.max-below-min" in section["ids"] and section["option"]["kind"] == "option"
    assert json.loads(explain("network.nat", "--json"))["default"]
    assert set(json.loads(explain("--json"))) == {"sections", "findings"}


def test_a_site_is_named_where_the_environment_has_one() -> None:
    assert "More:" not in explain("core-nodes-fit")
    said = explain("core-nodes-fit", **{SITE_VARIABLE: "https://docs.example.org/jhub/"})
    assert "More: https://docs.example.org/jhub/findings.html#core-nodes-fit" in said
    said = explain("network.nat", **{SITE_VARIABLE: "https://docs.example.org"})
    assert "https://docs.example.org/reference/network.html" in said


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("core-node-fit", "did you mean core-nodes-fit?"),
        ("pools.max-belw-min", "did you mean pools.max-below-min?"),
        ("qqqqq", "see the sections: jhub explain"),
    ],
)
def test_an_unknown_id(word: str, fix: str) -> None:
    done = in_process(["explain", word], ROOT)
    assert done.returncode == 2
    assert done.stderr == f"jhub explain: {word}: is no id and no option; {fix} [explain.unknown]\n"


def test_every_id_can_be_explained() -> None:
    for which in explanations.known_ids():
        assert explained(which).id == which
    assert all(ID.fullmatch(item.id) for item in problems())


def test_the_data_is_in_the_package() -> None:
    assert Path(explanations.__file__).with_name("data").joinpath("wordings.json").is_file()

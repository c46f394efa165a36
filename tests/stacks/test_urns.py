"""No URN of this repository's stacks goes without an alias: `pulumi up` of a user who upgrades
would delete what is there and make it anew.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jupyterhub_aws.checks.resources import Resource, Resources
from tests.support import record_urns
from tests.support.record_urns import MINOR, lists, registered, stacks, tails, vanished
from tests.support.stacks import quiet_sdks, without_gc

RECORD = "run: python -m tests.support.record_urns"
_KEPT: dict[str, Resources] = {}


def _now(stack: str) -> Resources:
    if stack not in _KEPT:
        with quiet_sdks(), without_gc():
            _KEPT[stack] = registered(stacks()[stack])
    return _KEPT[stack]


def test_every_stack_is_listed_and_nothing_else() -> None:
    assert {"dev", "airgap", "airgap-hub", "first-try", "kubeadm"} <= stacks().keys()
    assert {stack for minor, stack in lists() if minor == MINOR} == stacks().keys(), RECORD


@pytest.mark.real
@pytest.mark.parametrize(("minor", "stack"), sorted(lists()))
def test_no_urn_is_gone_without_an_alias(minor: str, stack: str) -> None:
    """A stack that is no longer in the repository promised the same: its list goes by --forget
    only.
    """
    assert vanished(_now(stack), lists()[minor, stack]) == [], (
        "give the resource an alias to its old URN (docs/upgrading-the-library.md)"
    )


@pytest.mark.parametrize("stack", sorted(stacks()))
def test_the_lists_are_complete(stack: str) -> None:
    """What is new has to be listed too, or it could go again unseen."""
    assert tails(_now(stack)) == lists()[MINOR, stack], RECORD


def _renamed(resources: Resources, part: Resource, *, alias: bool) -> Resources:
    """The same with another type and name of one component, and so with other URNs of all that
    is below it; `alias`: with aliases as the recorder has them.
    """
    chain = part.urn.split("::")[2]

    def urn(old: str) -> str:
        if old == part.urn:
            return f"{old.rpartition('::')[0]}Anew::another"
        return old.replace(f"::{chain}$", f"::{chain}Anew$")

    moved = [
        replace(
            item,
            urn=urn(item.urn),
            parent=item.parent and urn(item.parent),
            aliases=(item.urn,) if alias else (),
        )
        for item in resources
    ]
    return Resources(
        (
            replace(item, type=f"{part.type}Anew", name="another")
            if item.urn == urn(part.urn)
            else item
        )
        for item in moved
    )


def test_a_urn_that_changes_is_seen_and_an_alias_covers_it() -> None:
    """Of a component, and of all that comes with it."""
    resources = _now("dev")
    (vpc,) = resources.of("aws:ec2/vpc:Vpc")
    part, listed = resources.by_urn[vpc.parent or ""], tails(resources)
    lost = vanished(_renamed(resources, part, alias=False), listed)
    assert {*tails(Resources([part, vpc]))} <= set(lost) and len(lost) > 10
    assert vanished(_renamed(resources, part, alias=True), listed) == []
    assert vanished(Resources(item for item in resources if item is not vpc), listed) == tails(
        Resources([vpc])
    )


def test_what_is_gone_is_not_taken_from_the_list_unsaid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writing the lists again is no way around an alias."""
    (tmp_path / "0.1").mkdir()
    (tmp_path / "0.1" / "dev.txt").write_text(
        "a:b:C::gone\n" + "".join(f"{tail}\n" for tail in tails(_now("dev")))
    )
    monkeypatch.setattr(record_urns, "FOLDER", tmp_path)
    monkeypatch.setattr(record_urns, "registered", lambda _path: _now("dev"))
    monkeypatch.setattr(record_urns, "stacks", lambda: {"dev": stacks()["dev"]})
    assert (
        record_urns.main([]) == 1
        and "0.1/dev: a:b:C::gone" in capsys.readouterr().err
        and not (tmp_path / MINOR).exists()
    )
    assert record_urns.main(["--forget", "a:b:C::gone"]) == 0
    assert lists() == {("0.1", "dev"): tails(_now("dev")), (MINOR, "dev"): tails(_now("dev"))}
    assert record_urns.main([]) == 0

"""What a comparison says of the page of a paused hub: nothing of the hub is reached by it."""

from __future__ import annotations

import json

from tests.changes.test_retiring import between

_PAGE = f"hubs.main.maintenance_page={json.dumps({'paused_text': 'Back in January.'})}"
_ASKED = ("hubs.main.entry.route53_zone=Z0123456789ABCDEFGHIJ", _PAGE)
_PAUSED = (*_ASKED, "paused=true")
_LISTENER, _BALANCER = "aws:lb/listener:Listener::", "aws:lb/loadBalancer:LoadBalancer::"
_PREFIX = "hub-main-cloud-entry-balancer-"


def said(old: tuple[str, ...], new: tuple[str, ...], subject: str) -> set[tuple[str, str]]:
    return {
        (effect.class_, effect.says)
        for effect in between(old, new).effects
        if effect.subject == subject
    }


def test_it_comes_with_a_pause_and_goes_with_a_resume() -> None:
    comes = ("routine", "users who open the hub read a page that says that it is paused")
    goes = ("routine", "the page of the paused hub goes, with the load balancer that showed it")
    listener, balancer = f"{_LISTENER}{_PREFIX}paused-listener", f"{_BALANCER}{_PREFIX}paused"
    assert said(_ASKED, _PAUSED, listener) == {comes}
    assert said(_PAUSED, _ASKED, listener) == {goes} == said(_PAUSED, _ASKED, balancer)
    assert said(_ASKED, _PAUSED, balancer) == {
        comes,
        ("widens access", "the load balancer is internet-facing (allowed sources: see network)"),
    }


def test_another_balancer_is_still_the_way_to_the_hub() -> None:
    dropped = (*_PAUSED, "pause.drop=[balancers]")
    ((class_, says),) = said(_ASKED, dropped, f"{_LISTENER}{_PREFIX}listener")
    assert class_ == "interrupts" and "users cannot reach the hub" in says
    ((class_, says),) = said(_ASKED, dropped, f"{_BALANCER}{_PREFIX}balancer")
    assert class_ == "interrupts" and "users can no longer reach the hub" in says

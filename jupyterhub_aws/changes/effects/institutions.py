"""Sign-in as institutions have it: who gains it and who loses it, by tenant, identity provider,
domain and course.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jupyterhub_aws.changes.effect import Class, Topic

Say = tuple[Class, Topic, str]
_HOME = "users with a new name get an empty home"


#: Our own authenticators by the kind of sign-in that a stack file has.
KINDS: Mapping[str, str] = {
    "jupyterhub_aws_google.GoogleAccountsAuthenticator": "google",
    "jupyterhub_aws_entra.EntraAccountsAuthenticator": "entra",
    "jupyterhub_aws_cilogon.InstitutionsAuthenticator": "cilogon",
    "jupyterhub_aws_lti.LaunchAuthenticator": "lti13",
}


def says(trait: str, old: Any, new: Any) -> Iterator[Say]:
    """What another value of one of TRAITS means."""
    found = list(TRAITS[trait](old, new))
    settings = f"sign-in uses other settings ({trait}); signed-in users stay signed in"
    yield from found or [("interrupts", "sign-in", settings)]


def _tenant(old: Any, new: Any) -> Iterator[Say]:
    says = f"accounts of tenant {new} sign in, instead of those of {old}: {_HOME}"
    if old and new:
        yield "endangers data", "sign-in", says


def _guests(old: Any, new: Any) -> Iterator[Say]:
    if new:
        says = "guests of the tenant may sign in, where a group or a list admits them"
        yield "widens access", "sign-in", says
    elif old:
        yield "interrupts", "sign-in", "guests of the tenant may no longer sign in"


def _workspaces(old: Any, new: Any) -> Iterator[Say]:
    before, after = (set(side or ()) for side in (old, new))
    for domain in sorted(after - before):
        says = f"only Google accounts of {domain} can sign in, named without the domain"
        yield "interrupts", "sign-in", says
    for domain in sorted(before - after):
        says = f"Google accounts that are not of {domain} can sign in, where they are listed"
        yield "widens access", "sign-in", says


def _providers(old: Any, new: Any) -> Iterator[Say]:
    before, after = (side if isinstance(side, Mapping) else {} for side in (old, new))
    for entity in sorted({*before, *after}):
        yield from _provider(entity, before.get(entity), after.get(entity))


def _provider(entity: str, old: Any, new: Any) -> Iterator[Say]:
    if new is None:
        says = f"users of {entity} can no longer sign in: it is no identity provider of this hub"
        yield "interrupts", "sign-in", says
        return
    if old is None:
        says = f"users can sign in at {entity}: {_admits(new)} may"
        yield "widens access", "sign-in", says
        return
    if old.get("username_derivation") != new.get("username_derivation"):
        says = f"user names of {entity} are derived differently: {_HOME}"
        yield "endangers data", "sign-in", says
    yield from _admitted(entity, old, new)


def _admits(provider: Mapping[str, Any]) -> str:
    domains = ", ".join(provider.get("allowed_domains") or ())
    if provider.get("allow_all"):
        return "all of its users"
    return f"its users of {domains}, and those who are listed," if domains else "listed users"


def _admitted(entity: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Say]:
    before, after = (set(side.get("allowed_domains") or ()) for side in (old, new))
    if new.get("allow_all") and not old.get("allow_all"):
        yield "widens access", "sign-in", f"all users of {entity} may sign in"
    elif old.get("allow_all") and not new.get("allow_all"):
        yield "interrupts", "sign-in", f"of the users of {entity} only {_admits(new)} may sign in"
    for domain in sorted(after - before):
        yield "widens access", "sign-in", f"users of {domain} at {entity} may sign in"
    for domain in sorted(before - after):
        yield "interrupts", "sign-in", f"users of {domain} at {entity} may no longer sign in"


def _platform(old: Any, new: Any) -> Iterator[Say]:
    if old and new:
        says = f"users come from the courses of {new}, instead of {old}: {_HOME}"
        yield "endangers data", "sign-in", says


def _deployments(old: Any, new: Any) -> Iterator[Say]:
    before, after = (set(side or ()) for side in (old, new))
    if before and not after:
        says = "launches of every deployment of the tool are accepted, not only of listed ones"
        yield "widens access", "sign-in", says
    elif after and not before:
        says = f"only launches of these deployments are accepted: {', '.join(sorted(after))}"
        yield "interrupts", "sign-in", says
    else:
        for name in sorted(after - before):
            yield "widens access", "sign-in", f"launches of deployment {name} are accepted"
        for name in sorted(before - after):
            yield "interrupts", "sign-in", f"launches of deployment {name} are refused"


def _short_names(old: Any, new: Any) -> Iterator[Say]:
    before, after = (side if isinstance(side, Mapping) else {} for side in (old, new))
    for entity in sorted(before.keys() & after.keys()):
        if before[entity] != after[entity]:
            says = (
                f"users of {entity} are in group {after[entity]}, no longer in {before[entity]}:"
                " profiles of these groups open or close to them"
            )
            yield "interrupts", "sign-in", says


def _groups_claim(old: Any, new: Any) -> Iterator[Say]:
    says = f"groups are read from {new or 'no claim'}, no longer from {old or 'no claim'}"
    yield "interrupts", "sign-in", f"{says}: profiles of groups open or close to users"


def _groups(old: Any, new: Any) -> Iterator[Say]:
    del old
    says = "follow the sign-in, at each sign-in" if new else "no longer follow the sign-in"
    yield "interrupts", "sign-in", f"users' groups {says}"


def _quiet(old: Any, new: Any) -> Iterator[Say]:
    del old, new
    yield "interrupts", "sign-in", "launches are verified differently: others may be accepted"


#: Traits of the classes in components/hub/files, and of those below them.
TRAITS: Mapping[str, Callable[[Any, Any], Iterator[Say]]] = {
    "tenant_id": _tenant,
    "manage_groups": _groups,
    "guests": _guests,
    "hosted_domain": _workspaces,
    "idps": _providers,
    "provider_names": _short_names,
    "groups_claim": _groups_claim,
    "issuer": _platform,
    "deployment_ids": _deployments,
    "jwks_endpoint": _quiet,
    "jwks_algorithms": _quiet,
    "uri_scheme": _quiet,
}

"""What the values of several kinds of sign-in have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in_common import AnySignIn


@dataclass(frozen=True, kw_only=True)
class SignInValues:
    """`config` goes under hub.config, `extra_files` under hub.extraFiles, `settings` to our own
    files in the hub (custom.jupyterhubAws); `secret_traits` names the traits that a secret fills
    in: class and trait.
    """

    config: dict[str, dict[str, Any]]
    extra_files: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    secret_traits: tuple[tuple[str, str], ...] = ()


def profile_groups(hub: Hub) -> dict[str, list[str]]:
    """The groups of each profile that is limited to some, by profile."""
    return {
        name: sorted(profile.groups)
        for name, profile in sorted(hub.profiles.items())
        if profile.groups
    }


def authenticator_traits(sign_in: AnySignIn, allowed: tuple[str, ...]) -> dict[str, Any]:
    """The allowed users by name. Administrators are listed too: being an administrator does not
    imply it. With a non-empty list JupyterHub would also admit all users who signed in before;
    so that is switched off.
    """
    names = sorted({*allowed, *sign_in.administrators})
    found: dict[str, Any] = (
        {"admin_users": sorted(sign_in.administrators)} if sign_in.administrators else {}
    )
    return {
        **found,
        **({"allowed_users": names} if names else {}),
        **name_rule(sign_in),
        "allow_existing_users": False,
        "allow_all": False,
    }


def name_rule(sign_in: AnySignIn) -> dict[str, str]:
    """The rule for user names, where there is one."""
    pattern = sign_in.username_pattern
    return {} if pattern is None else {"username_pattern": pattern}


def callback(public_url: str) -> str:
    """Where an identity provider sends users back."""
    return f"{public_url}hub/oauth_callback"

"""Values of the JupyterHub chart for property tests: over its whole schema, and over what the
schema leaves open (profiles, traits, annotations).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

SCHEMA = Path(__file__).parents[2] / "config" / "data" / "z2jh" / "values.schema-4.4.0.json"
NAMES = st.sampled_from(
    [
        "ada",
        "bob",
        "eve",
        "my-lab:gpu",
        "cn=gpu,ou=groups,dc=example,dc=org",
        "jupyter",
        "Grace Hopper",
        "",
    ]
)
TEXTS = st.one_of(
    st.sampled_from(
        [
            "a",
            "https://id.example.org/x",
            "{username}",
            "10Gi",
            "2G",
            "jupyter/base-notebook:2024-01-01",
            "lab/img",
            "hub.example.org",
            "yes",
            "${X}",
        ]
    ),
    st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.floats(0.1, 64), TEXTS)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("a bB c-d e.f G".split()), inner, max_size=2)
    ),
    max_leaves=4,
)


def _of(schema: Any) -> st.SearchStrategy[Any]:
    """What a piece of the schema allows."""
    if not isinstance(schema, dict):
        return ANYTHING
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type", [])
    by_kind = {
        "object": lambda: _object(schema),
        "array": lambda: st.lists(
            _of(schema["items"]) if isinstance(schema.get("items"), dict) else ANYTHING, max_size=2
        ),
        "string": lambda: TEXTS,
        "integer": lambda: st.integers(0, 70000),
        "number": lambda: st.floats(0.1, 100) | st.integers(0, 100),
        "boolean": st.booleans,
        "null": st.none,
    }
    named = [kinds] if isinstance(kinds, str) else list(kinds)
    if not named and "properties" in schema:
        named = ["object"]
    return st.one_of(*(by_kind[kind]() for kind in named)) if named else ANYTHING


def _object(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = schema.get("properties", {})
    if not properties:
        return st.dictionaries(st.sampled_from("a bB c-d e.f G".split()), ANYTHING, max_size=2)
    # Few keys of many: each run looks at another corner.
    keys = st.lists(st.sampled_from(sorted(properties)), unique=True, min_size=1, max_size=3)
    return keys.flatmap(
        lambda chosen: st.fixed_dictionaries({key: _of(properties[key]) for key in chosen})
    )


CLASSES = (
    "github", "google", "azuread", "generic-oauth", "cilogon", "gitlab", "auth0", "ldap", "native", "dummy", "shared-password", "tmp", "lti13",
    "oauthenticator.generic.GenericOAuthenticator", "oauthenticator.LocalGitHubOAuthenticator", "ldapauthenticator.LDAPAuthenticator", "my.Own", 3,
)  # fmt: skip
SECTIONS = (
    "Authenticator", "OAuthenticator", "GitHubOAuthenticator", "GoogleOAuthenticator", "GenericOAuthenticator", "AzureAdOAuthenticator", "LDAPAuthenticator",
    "CILogonOAuthenticator", "GitLabOAuthenticator", "NativeAuthenticator", "KubeSpawner", "LTI13Authenticator",
)  # fmt: skip
TRAITS = (
    "admin_users", "allowed_users", "blocked_users", "allowed_groups", "admin_groups", "allowed_organizations", "allow_all", "username_pattern",
    "hosted_domain", "strip_domain",
    "username_claim", "claim_groups_key", "client_id", "client_secret", "scope", "authorize_url", "token_url", "userdata_url", "login_service",
    "username_map", "allowed_idps", "tenant_id", "server_address", "use_ssl", "lookup_dn", "lookup_dn_user_dn_attribute", "user_attribute", "search_filter",
    "bind_dn_template", "valid_username_regex", "open_signup", "enable_auth_state", "gitlab_url", "allowed_gitlab_groups", "unheard_of", "profile_list",
)  # fmt: skip
_LIST = st.lists(NAMES, max_size=3)
_GATED = st.fixed_dictionaries(
    {}, optional={"allowed_groups": _LIST, "allowed_users": _LIST, "required_scopes": _LIST}
)
_OVERRIDE = st.fixed_dictionaries(
    {},
    optional={
        "image": TEXTS,
        "image_spec": TEXTS,
        "cpu_limit": SCALARS,
        "cpu_guarantee": st.floats(0.1, 4),
        "mem_limit": st.sampled_from(["2G", "512M", 7, "x"]),
        "mem_guarantee": st.sampled_from(["1G", "8G", None]),
        "default_url": TEXTS,
        "cmd": st.none() | st.just([]),
        "environment": st.dictionaries(st.sampled_from("A B2 c-d".split()), SCALARS, max_size=2),
        "extra_resource_limits": st.dictionaries(
            st.sampled_from(["nvidia.com/gpu", "aws.amazon.com/neuron", "nvidia.com/mig-1g.5gb"]),
            st.sampled_from([1, "2", 0]),
            max_size=2,
        ),
        "node_selector": st.dictionaries(st.sampled_from("a/b c".split()), SCALARS, max_size=2),
        "tolerations": ANYTHING,
    },
)
_CHOICE = st.builds(
    lambda gate, rest: {**gate, **rest},
    _GATED,
    st.fixed_dictionaries(
        {},
        optional={
            "display_name": TEXTS,
            "default": st.booleans(),
            "kubespawner_override": _OVERRIDE,
        },
    ),
)
_OPTION = st.fixed_dictionaries(
    {},
    optional={
        "display_name": TEXTS,
        "choices": st.dictionaries(st.sampled_from("one two".split()), _CHOICE, max_size=2),
        "unlisted_choice": ANYTHING,
    },
)
PROFILES = st.lists(
    st.builds(
        lambda gate, rest: {**gate, **rest},
        _GATED,
        st.fixed_dictionaries(
            {},
            optional={
                "display_name": TEXTS,
                "slug": TEXTS,
                "description": TEXTS,
                "default": st.booleans(),
                "kubespawner_override": _OVERRIDE,
                "profile_options": st.dictionaries(
                    st.sampled_from("image size".split()), _OPTION, max_size=2
                ),
                "odd": ANYTHING,
            },
        ),
    ),
    max_size=3,
)
_TRAIT = st.one_of(
    SCALARS, _LIST, st.dictionaries(st.sampled_from("ada bob".split()), SCALARS, max_size=2)
)
_IDPS = st.dictionaries(
    st.sampled_from(["urn:a", "https://b.example/idp", "https://github.com/login/oauth", "c"]),
    st.fixed_dictionaries(
        {},
        optional={
            "username_derivation": st.fixed_dictionaries(
                {},
                optional={
                    "username_claim": st.sampled_from(
                        ["eppn", "email", "name", "preferred_username"]
                    ),
                    "action": st.sampled_from(["prefix", "strip_idp_domain", "x"]),
                    "prefix": st.sampled_from(["a", "github", "Big Name", "a:b", ""]),
                    "domain": st.sampled_from(["a.example", "@b.example", "nodot"]),
                },
            ),
            "allow_all": st.booleans(),
            "allowed_domains": st.lists(st.sampled_from(["a.example", "*.b.example", "gmail.com"])),
            "default": st.booleans(),
        },
    ),
    max_size=3,
)
_USERS = st.lists(
    st.sampled_from(["ada", "Ada@a.example", "github:ada", "a:b:c", "x y"]), max_size=3
)
#: Old hubs of institutions, in every combination of traits that matter to who may come in.
INSTITUTIONS = st.builds(
    lambda chosen, own, base: {
        "JupyterHub": {"authenticator_class": chosen[0]},
        chosen[1]: own,
        "Authenticator": base,
    },
    st.sampled_from(
        [
            ("google", "GoogleOAuthenticator"),
            ("azuread", "AzureAdOAuthenticator"),
            ("cilogon", "CILogonOAuthenticator"),
            ("lti13", "LTI13Authenticator"),
        ]
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "client_id": st.sampled_from(["x", "two words", ""]) | st.just(["1", "2"]),
            "client_secret": st.just("hunter2"),
            "hosted_domain": st.lists(
                st.sampled_from(["a.example", "B.example", "gmail.com", "nodot"]), max_size=2
            )
            | st.just("a.example"),
            "strip_domain": st.booleans(),
            "allowed_google_groups": st.just({"a.example": ["staff"]}),
            "tenant_id": st.sampled_from(
                [
                    "common",
                    "8D7C6F3E-2b14-4f0a-9c55-1e2f3a4b5c6d",
                    "9188040d-6c67-4c5b-b112-36a304b66dad",
                ]
            ),
            "username_claim": st.sampled_from(["upn", "name", "email", "oid"]),
            "user_groups_claim": st.sampled_from(["groups", "roles", "other"]),
            "allowed_groups": st.lists(
                st.sampled_from(["staff", "0F9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b"]), max_size=2
            ),
            "admin_groups": st.lists(st.just("ops"), max_size=1),
            "idps": _IDPS,
            "allowed_idps": _IDPS,
            "shown_idps": st.just(["urn:a"]),
            "issuer": st.sampled_from(["https://lms.example", "lms", "https://lms.example?x=1"]),
            "authorize_url": st.sampled_from(["https://lms.example/a", "http://lms.example/a"]),
            "jwks_endpoint": st.just("https://lms.example/jwks"),
            "username_key": st.sampled_from(["sub", "email", "custom_a", "custom_", "given_name"]),
            "allow_all": st.booleans(),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "admin_users": _USERS,
            "allowed_users": _USERS,
            "username_pattern": st.just("^x"),
            "allow_all": st.booleans(),
        },
    ),
)
CONFIG = st.builds(
    lambda name, sections: (
        {"JupyterHub": {"authenticator_class": name}, **sections} if name is not None else sections
    ),
    st.none() | st.sampled_from(CLASSES),
    st.dictionaries(
        st.sampled_from(SECTIONS),
        st.dictionaries(st.sampled_from(TRAITS), _TRAIT, max_size=5),
        max_size=3,
    ),
)
_ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "proxy": st.fixed_dictionaries(
            {
                "service": st.fixed_dictionaries(
                    {},
                    optional={
                        "loadBalancerSourceRanges": st.lists(st.just("10.0.0.0/8"), max_size=2),
                        "type": st.sampled_from(["ClusterIP", "LoadBalancer"]),
                        "annotations": st.dictionaries(
                            st.sampled_from(
                                ["service.beta.kubernetes.io/aws-load-balancer-ssl-cert", "x"]
                            ),
                            TEXTS,
                            max_size=2,
                        ),
                    },
                )
            }
        ),
        "ingress": st.fixed_dictionaries(
            {
                "enabled": st.booleans(),
                "hosts": st.lists(TEXTS, max_size=2),
                "annotations": st.dictionaries(
                    st.sampled_from(["nginx.ingress.kubernetes.io/whitelist-source-range", "a"]),
                    TEXTS,
                    max_size=2,
                ),
            }
        ),
    },
)


@cache
def by_schema() -> st.SearchStrategy[dict[str, Any]]:
    """Whatever the chart's schema allows."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return _object(schema)


def _together(
    base: dict[str, Any], config: Any, profiles: Any, entry: dict[str, Any]
) -> dict[str, Any]:
    values = {**base, **entry}
    hub = values.get("hub") if isinstance(values.get("hub"), dict) else {}
    values["hub"] = {**hub, "config": config}
    if profiles is not None:
        single = values.get("singleuser") if isinstance(values.get("singleuser"), dict) else {}
        values["singleuser"] = {**single, "profileList": profiles}
    return values


@cache
def chart_values() -> st.SearchStrategy[dict[str, Any]]:
    """The same, with traits of authenticators, profiles and ways in as hubs have them."""
    return st.builds(_together, by_schema(), CONFIG, st.none() | PROFILES, _ENTRY)

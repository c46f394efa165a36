"""What keeps users out of something: options whose loss would let more of them in, or further. They
never go without a loud word.

Sources: the configurable traits of jupyterhub 5.5 (auth.py), oauthenticator 17.4 and
ldapauthenticator 2.0 that narrow who may come in; the chart's `loadBalancerSourceRanges` and
`egressAllowRules`; annotations of ingress-nginx (whitelist-source-range, denylist-source-range,
auth-*) and of the AWS Load Balancer Controller (inbound-cidrs, auth-*); `allowed_groups` of
profiles and choices, as 2i2c's hubs and KubeSpawner's filters have it.
"""

from __future__ import annotations

import re
from typing import Any

from jupyterhub_aws.config.tree import Path

#: Traits that narrow. Those that let in by themselves (allowed_groups …) are not among them:
#: without them fewer come in.
NARROWING = frozenset(
    "blocked_users hosted_domain hostedDomain allowed_idps idp_whitelist idp identity_provider"
    " username_pattern valid_username_regex search_filter lookup_dn_search_filter validRegex"
    " allowed_domains allowed_domains_claim allow_unverified_email shown_idps github_url github_api".split()
)
#: A word that makes a key of a profile, or of a choice inside it, a rule of who may have it.
GATE = re.compile(
    r"(?i)(allow|deny|denied|block|restrict|require|permit|only|group|team|user|role|scope|member)"
)
_RANGES = re.compile(
    r"(?i)(whitelist|denylist|blacklist|inbound-cidrs|allow-source|source-range|auth-|oauth|security-groups|wafv?2?-acl)"
)
_EGRESS = frozenset(
    ("cloudMetadataServer", "dnsPortsCloudMetadataServer", "nonPrivateIPs", "privateIPs")
)


def restricts(path: Path, value: Any) -> bool:
    """Whether a value of the chart's keeps somebody out of something. `value` is not looked at
    where it is None.
    """
    names = [part for part in path if isinstance(part, str)]
    if "annotations" in names:
        return bool(names[-1:] and _RANGES.search(names[-1]))
    if "profileList" in names:
        return _of_a_profile(names[names.index("profileList") + 1 :])
    if names[-1:] and names[-1] in _EGRESS and "singleuser" in names:
        return value is False
    if "loadBalancerSourceRanges" in names or "allowedIngressPorts" in names:
        return True
    if names[:4] == ["auth", "ldap", "dn", "search"] and "filter" in names:
        return True
    return names[:1] in (["hub"], ["auth"]) and any(name in NARROWING for name in names)


def _of_a_profile(below: list[str]) -> bool:
    """A key of a profile, of one of its options, or of a choice there: elsewhere such a word is
    a name that somebody gave.
    """
    if below[:1] != ["profile_options"]:
        return bool(below and below[0] != "kubespawner_override" and GATE.search(below[0]))
    return bool(
        (below[2:3] and below[2] != "choices" and GATE.search(below[2]))
        or (below[2:3] == ["choices"] and below[4:5] and GATE.search(below[4]))
    )

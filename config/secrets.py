"""Which secrets a stack needs, by the flat keys that `pulumi config set --secret` gives them.
Never their values.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.sign_in import CognitoSignIn, GitHubSignIn, LdapSignIn, OidcSignIn
from jupyterhub_aws.config.sign_in_common import PublicProvider
from jupyterhub_aws.config.stack import file_key

#: How a secret's key ends; it begins with `hub-` and the hub's name.
SECRET_ENDINGS = (_CLIENT_SECRET, _SEARCH_PASSWORD, _TLS_KEY) = (
    "client-secret",
    "ldap-search-password",
    "tls-key",
)
#: The same for the token of a service, by the service's name.
SERVICE_TOKEN_ENDING = r"service-[a-z][a-z0-9-]*-token"  # noqa: S105 -- how a key ends


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretKey:
    """A key of the stack file that has to be encrypted, and the secret that it holds."""

    key: str
    hub: str
    what: str

    @property
    def in_file(self) -> str:
        """The key as it is in the stack file."""
        return file_key(self.key)


def required_secrets(hubs: Mapping[str, Hub]) -> tuple[SecretKey, ...]:
    """Every secret that the hubs of a stack need, by hub."""
    return tuple(secret for name, hub in sorted(hubs.items()) for secret in _of_hub(name, hub))


def missing_secrets(hubs: Mapping[str, Hub], given: Collection[str]) -> list[SecretKey]:
    """Those of them that are not among the encrypted keys of the stack file."""
    return [needed for needed in required_secrets(hubs) if needed.in_file not in given]


def client_secret_key(hub: str) -> str:
    """The key of an OAuth application's client secret."""
    return f"hub-{hub}-{_CLIENT_SECRET}"


def search_password_key(hub: str) -> str:
    """The key of the password of the LDAP account that searches."""
    return f"hub-{hub}-{_SEARCH_PASSWORD}"


def tls_key_key(hub: str) -> str:
    """The key of the private key of a hub's certificate."""
    return f"hub-{hub}-{_TLS_KEY}"


def service_token_key(hub: str, service: str) -> str:
    """The key of a service's token, where the stack does not make it."""
    return f"hub-{hub}-service-{service}-token"


def is_hub_secret(key: str) -> bool:
    """Whether a key of the stack file is that of some hub's secret."""
    return key.startswith("hub-") and ends_as_secret(key)


def ends_as_secret(key: str) -> bool:
    """Whether a key ends as those of hubs' secrets do."""
    return key.endswith(SECRET_ENDINGS) or bool(re.search(rf"{SERVICE_TOKEN_ENDING}\Z", key))


def _of_hub(name: str, hub: Hub) -> Iterator[SecretKey]:
    if isinstance(hub.sign_in, (GitHubSignIn, OidcSignIn, CognitoSignIn, PublicProvider)):
        yield SecretKey(
            key=client_secret_key(name), hub=name, what="client secret of the OAuth application"
        )
    if isinstance(hub.sign_in, LdapSignIn) and hub.sign_in.lookup is not None:
        yield SecretKey(
            key=search_password_key(name),
            hub=name,
            what="password of the LDAP account that searches",
        )
    if own_certificate(hub.entry) is not None:
        yield SecretKey(
            key=tls_key_key(name), hub=name, what="private key of the certificate, in PEM form"
        )
    for service, options in sorted(hub.services.items()):
        if options.token == "given":  # noqa: S105 -- where it comes from
            yield SecretKey(
                key=service_token_key(name, service), hub=name, what=f"token of service {service}"
            )

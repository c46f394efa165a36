"""The secrets of a hub: generated ones, encrypted ones of the stack file, and the one Kubernetes
Secret that holds them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pulumi
from pulumi_kubernetes.core.v1 import Secret
from pulumi_random import RandomBytes, RandomPassword

from jupyterhub_aws.checks.certificates import key_fault
from jupyterhub_aws.components.base import Component
from jupyterhub_aws.components.hub.values.hub import secret_values
from jupyterhub_aws.components.hub.values.services import token_key
from jupyterhub_aws.components.hub.values.sign_in import sign_in_values
from jupyterhub_aws.config.entry import own_certificate
from jupyterhub_aws.config.secrets import (
    client_secret_key,
    search_password_key,
    service_token_key,
    tls_key_key,
)
from jupyterhub_aws.config.specs.hub import HubSpec
from jupyterhub_aws.config.specs.names import SECRETS, TLS_SECRET
from jupyterhub_aws.config.specs.services import ServiceSpec

#: JupyterHub's documentation: 32 bytes for cookies, for the encryption of auth state, and for the
#: proxy's token.
_BYTES = 32
#: Length of generated passwords. An administrator's shared password has at least 32 characters
#: (jupyterhub/authenticators/shared.py).
PASSWORD_LENGTH = 32
#: Of a service's token that is given. JupyterHub itself takes eight (jupyterhub/orm.py 5.5,
#: APIToken.new), which a program tries out.
_SHORTEST_TOKEN = 32
#: Secret traits that are not configured: the stack generates them, and `jhub open` shows them.
_MADE_HERE = ("user_password", "admin_password")


@dataclass(frozen=True, kw_only=True, eq=False)
class HubSecretsArgs:
    """`hub` is the hub's specification, `namespace` that of its Secret, `given` the encrypted
    values of the stack file by key.

    `database_password` is that of PostgreSQL, a secret; None with another database.
    """

    hub: HubSpec
    namespace: pulumi.Input[str]
    given: Mapping[str, pulumi.Input[str]]
    database_password: pulumi.Output[str] | None = None


class HubSecrets(Component):
    """Generated secrets are stored in the state, so that they never change: a changed token
    would restart hub and proxy and sign all users out.
    """

    token: ClassVar[str] = "jupyterhub-aws:hub:HubSecrets"
    auth_token: pulumi.Output[str]
    cookie_secret: pulumi.Output[str]
    auth_state_key: pulumi.Output[str]
    operator_token: pulumi.Output[str]
    checksum: pulumi.Output[str]
    passwords: Mapping[str, pulumi.Output[str]]
    service_tokens: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: HubSecretsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self.auth_token = self._random("proxy-token")
        self.cookie_secret = self._random("cookie-secret")
        self.auth_state_key = self._random("auth-state-key")
        self.operator_token = self._random("operator-token")
        self.passwords = {which: self._password(which) for which in self._wanted_passwords()}
        self.service_tokens = {spec.name: self._service_token(spec) for spec in args.hub.services}
        data = self._data()
        secret = Secret(
            f"{name}-secret",
            metadata={"name": SECRETS, "namespace": args.namespace},
            type="Opaque",
            string_data=data or None,  # the API keeps no empty map: each preview would find it new
            immutable=False,
            opts=self.child(),
        )
        self.ready: list[pulumi.Resource] = [secret, *self._certificate()]
        # The chart does not watch a Secret that it did not make: this tells the hub to restart.
        # Keyed, so that the annotation cannot be used to guess passwords.
        self.checksum = pulumi.Output.all(self.cookie_secret, pulumi.Output.from_input(data)).apply(
            lambda known: _checksum(known[0], known[1])
        )
        self.register_outputs({"secret": SECRETS})

    def _random(self, which: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(
            RandomBytes(f"{self._name}-{which}", length=_BYTES, opts=self.child()).hex
        )

    def _password(self, which: str) -> pulumi.Output[str]:
        return pulumi.Output.secret(
            RandomPassword(
                f"{self._name}-{which}", length=PASSWORD_LENGTH, special=False, opts=self.child()
            ).result
        )

    def _service_token(self, spec: ServiceSpec) -> pulumi.Output[str]:
        given = self._args.given.get(service_token_key(self._args.hub.name, spec.name))
        if spec.options.token == "given" and given is not None:
            return pulumi.Output.secret(given).apply(
                lambda text: _long_enough(text, f"hubs.{self._args.hub.name}.services.{spec.name}")
            )
        return self._random(f"service-{spec.name}-token")

    def _wanted_passwords(self) -> list[str]:
        hub = self._args.hub
        traits = sign_in_values(hub.options, hub.url).secret_traits
        return [trait.replace("_", "-") for _, trait in traits if trait in _MADE_HERE]

    def _data(self) -> dict[str, pulumi.Output[str]]:
        """What the chart takes from a Secret of ours (templates/hub/_helpers-passwords.tpl,
        files/hub/z2jh.py).
        """
        data: dict[str, pulumi.Output[str]] = {}
        if self._args.database_password is not None:
            data["hub.db.password"] = self._args.database_password
        for service, token in self.service_tokens.items():
            data[token_key(service)] = token
        traits = self._traits()
        if traits:
            keys = list(traits)
            data["values.yaml"] = pulumi.Output.secret(
                pulumi.Output.all(*traits.values()).apply(
                    lambda known: _values(self._args.hub, dict(zip(keys, known, strict=True)))
                )
            )
        return data

    def _traits(self) -> dict[tuple[str, str], pulumi.Output[str]]:
        hub, given = self._args.hub, self._args.given
        known = {
            "client_secret": _sealed(given.get(client_secret_key(hub.name))),
            "lookup_dn_search_password": _sealed(given.get(search_password_key(hub.name))),
            "user_password": self.passwords.get("user-password"),
            "admin_password": self.passwords.get("admin-password"),
        }
        wanted = sign_in_values(hub.options, hub.url).secret_traits
        return {
            (owner, trait): value for owner, trait in wanted if (value := known[trait]) is not None
        }

    def _certificate(self) -> list[pulumi.Resource]:
        own = own_certificate(self._args.hub.options.entry)
        if own is None:
            return []
        name = self._args.hub.name
        path, secret = f"hubs.{name}.entry.tls", tls_key_key(name)
        key = pulumi.Output.secret(self._args.given[secret]).apply(
            lambda text: _key_of(own.certificate, text, path, secret)
        )
        return [
            Secret(
                f"{self._name}-tls",
                metadata={"name": TLS_SECRET, "namespace": self._args.namespace},
                type="kubernetes.io/tls",
                string_data={"tls.crt": own.certificate, "tls.key": key},
                opts=self.child(),
            )
        ]


def _sealed(value: pulumi.Input[str] | None) -> pulumi.Output[str] | None:
    return None if value is None else pulumi.Output.secret(value)


def _long_enough(token: str, path: str) -> str:
    """A token of a service as it was given, without the line's end that a file has. Raises
    pulumi.RunError, which contains nothing of the token.
    """
    found = token.strip()
    if len(found) < _SHORTEST_TOKEN or not found.isascii() or not found.isprintable():
        raise pulumi.RunError(
            f"{path}.token: the secret is no token: it has fewer than {_SHORTEST_TOKEN} characters,"
            " or others than printable ASCII; set it again, for example: openssl rand -hex 32"
        )
    return found


def _key_of(certificate: str, key: str, path: str, secret: str) -> str:
    """The key, once it is known to be the certificate's. Raises pulumi.RunError, which contains
    nothing of the key.
    """
    wrong = key_fault(certificate, key)
    if wrong is not None:
        raise pulumi.RunError(
            f"{path}: the secret {secret} is not the key of the certificate: {wrong}; set it again:"
            f" pulumi config set --secret {secret}"
        )
    return key


def _values(hub: HubSpec, secrets: Mapping[tuple[str, str], Any]) -> str:
    return json.dumps(secret_values(hub, secrets), sort_keys=True)  # JSON is YAML


def _checksum(key: str, data: Mapping[str, str]) -> str:
    return hmac.new(
        key.encode(), json.dumps(data, sort_keys=True).encode(), hashlib.sha256
    ).hexdigest()

"""Services of a hub: programs beside it that call its API, or that users open behind its proxy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from jupyterhub_aws.config.errors import did_you_mean, refuse, shown
from jupyterhub_aws.config.model import Model, option
from jupyterhub_aws.config.scopes import (
    FILTERS,
    MEANINGLESS,
    OWN_SCOPES,
    RESERVED_SERVICES,
    base_scope,
    is_wide,
    known_scopes,
)
from jupyterhub_aws.config.values import ShortName

_RESTARTS = "The hub restarts."
_EXAMPLE_URL = "http://announcement.hub-main.svc.cluster.local:8080"
#: A label of pods (Kubernetes, "Labels and Selectors"): name with an optional prefix, and value.
_LABEL_KEY = re.compile(
    r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
#: `NAME`, `NAME.NAMESPACE`, and the longer names of a Kubernetes service (Kubernetes, "DNS for
#: Services and Pods").
_SERVICE_HOST = re.compile(
    r"(?P<name>[a-z]([a-z0-9-]{0,61}[a-z0-9])?)"
    r"(\.(?P<namespace>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.svc(\.cluster\.local)?)?)?"
)
_HTTP = 80
_ADDRESS = re.compile(
    r"http://(?P<host>[A-Za-z0-9.-]+)(:(?P<port>[0-9]{1,5}))?(?P<path>/[^?#\s]*)?"
)
_REDIRECT = re.compile(r"(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?)?(/[^?#\s]*)?")
_LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class ServiceAddress:
    """Where the proxy finds a service: `namespace` None is the hub's own."""

    name: str
    namespace: str | None
    port: int


def service_address(url: str) -> ServiceAddress:
    """The parts of a service's address. Raises a refusal where it is none."""
    fix = f"write it like {_EXAMPLE_URL}"
    if "@" in url:
        what = "holds a user name or a password, which would be in the plan and in the proxy"
        raise refuse("services.url-credentials", what, fix)
    parts = _ADDRESS.fullmatch(url)
    port = int(parts["port"] or _HTTP) if parts else 0
    if parts is None or not 0 < port <= _LAST_PORT:
        what = f"is not a plain http address (got {shown(url)})"
        raise refuse("services.url", what, f"{fix}; the proxy ends TLS")
    if parts["path"] not in (None, "", "/"):
        what = f"has a path, which JupyterHub drops (got {shown(parts['path'])})"
        fix = "write host and port only; the service gets requests under /services/NAME/"
        raise refuse("services.url-path", what, fix)
    host = _SERVICE_HOST.fullmatch(parts["host"])
    if host is None or host["name"] == "localhost":
        what = f"is not the name of a service in the cluster (got {shown(parts['host'])})"
        raise refuse("services.url-outside", what, fix)
    return ServiceAddress(name=host["name"], namespace=host["namespace"], port=port)


def _url(value: str) -> str:
    service_address(value)
    return value.rstrip("/")


def _token(value: object) -> object:
    if value in ("generated", "given"):
        return value
    raise refuse(
        "services.token-in-clear",
        "must say where the token comes from, and never be the token itself",
        "write generated, or given and: pulumi config set --secret hub-HUB-service-NAME-token;"
        " replace a token that was here, it was exposed",
    )


def _redirect(value: str) -> str:
    if value.startswith(("/services/", "https://")) and _REDIRECT.fullmatch(value):
        return value
    what = f"is neither below /services/ nor an https address (got {shown(value)})"
    raise refuse(
        "services.redirect", what, "write it like https://grades.example.org/oauth_callback"
    )


def _labels(value: dict[str, str]) -> dict[str, str]:
    if not value:
        what = "is empty: the policies would be about every pod of the namespace"
        raise refuse("services.pod-labels", what, "write a label of its pods, such as app: NAME")
    for key, text in value.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(text):
            what = f"has what is no label of a pod (got {shown(f'{key}: {text}')})"
            raise refuse("services.pod-labels", what, "write name: value as on the pods")
    return value


def _scopes(value: tuple[str, ...]) -> tuple[str, ...]:
    seen: set[str] = set()
    for scope in value:
        _check_scope(scope)
        if scope in seen:
            raise refuse("services.scope-twice", f"has {shown(scope)} twice", "write it once")
        seen.add(scope)
    return value


def _check_scope(scope: str) -> None:
    base, _, condition = scope.partition("!")
    if base in MEANINGLESS:
        what = f"has a scope that means nothing for a service (got {shown(scope)})"
        raise refuse("services.scope-meaningless", what, "name what the service may do")
    if base not in known_scopes() and not base.startswith("custom:"):
        fix = did_you_mean(base, known_scopes(), "choose from JupyterHub's list of scopes")
        raise refuse(
            "services.scope-unknown", f"is no scope of JupyterHub (got {shown(base)})", fix
        )
    if condition or "!" in scope:
        kind, equals, name = condition.partition("=")
        if kind not in FILTERS or not equals or not name:
            what = f"limits a scope in a way that JupyterHub does not know (got {shown(scope)})"
            fix = f"write one of {', '.join(f'!{item}=NAME' for item in FILTERS)}"
            raise refuse("services.scope-filter", what, fix)


def _narrow(value: tuple[str, ...]) -> tuple[str, ...]:
    wide = next((scope for scope in _scopes(value) if is_wide(scope)), None)
    if wide is not None:
        what = f"has {shown(wide)}, with which a service can act as users or change who may do what"
        fix = "choose a narrower scope, or write it under wide_scopes if that is intended"
        raise refuse("services.scope-wide", what, fix)
    return value


def _wide(value: tuple[str, ...]) -> tuple[str, ...]:
    other = next((scope for scope in _scopes(value) if not is_wide(scope)), None)
    if other is not None:
        what = f"has {shown(other)}, which is not a wide scope"
        raise refuse("services.scope-not-wide", what, "write it under scopes")
    return value


ServiceUrl = Annotated[
    str, AfterValidator(_url), Field(json_schema_extra={"examples": [_EXAMPLE_URL]})
]
Scope = Annotated[str, Field(min_length=1, max_length=200)]
_Member = Annotated[str, Field(min_length=1, max_length=255)]


class ServicePods(Model):
    """The pods of a service: network policies let these pods, and no others, reach the hub's API,
    and the proxy reach these pods.
    """

    labels: Annotated[dict[str, str], AfterValidator(_labels)] = option(
        help="Labels that all pods of the service have, and no other pods of the namespace.",
        changing="At once, in network policies.",
        max_length=10,
    )
    namespace: ShortName | None = option(
        None,
        help="Their namespace. Default: that of `url`, or the hub's own (hub-NAME).",
        changing="At once, in network policies.",
    )
    port: int | None = option(
        None,
        help="Port of the pods, where it is another than that of `url`.",
        changing="At once, in network policies.",
        ge=1,
        le=_LAST_PORT,
    )


class ServiceSignIn(Model):
    """How a service signs users in with the hub, by OAuth. Its client id is `service-NAME`, its
    client secret the service's token.
    """

    redirect_uri: Annotated[str, Field(max_length=500), AfterValidator(_redirect)] | None = option(
        None,
        help=(
            "Where the hub sends a user back to. Default: /services/NAME/oauth_callback behind the"
            " proxy; needed without `url`."
        ),
        changing=_RESTARTS,
    )
    confirm: bool = option(
        True,
        help="Each user is asked once whether the service may know who they are.",
        changing=_RESTARTS,
    )


class Service(Model):
    """A program beside the hub, which the hub does not start: it calls the hub's API with a token,
    is opened by users behind the hub's proxy, or both.
    """

    scopes: Annotated[tuple[Scope, ...], AfterValidator(_narrow)] = option(
        (),
        help=(
            "What its token may do in the hub's API, by JupyterHub's scopes, such as"
            " `read:users:activity` or `delete:servers`. Empty: nothing."
        ),
        changing=_RESTARTS,
        max_length=30,
    )
    wide_scopes: Annotated[tuple[Scope, ...], AfterValidator(_wide)] = option(
        (),
        help=(
            "Scopes with which it can act as users, or change who may do what, such as"
            " `admin:users`, `servers` or `tokens`."
        ),
        changing=_RESTARTS,
        max_length=30,
    )
    token: Annotated[Literal["generated", "given"], BeforeValidator(_token)] = option(
        "generated",
        help=(
            "Where its token comes from. `generated`: the stack makes one. `given`: the secret"
            " hub-HUB-service-NAME-token of the stack."
        ),
        changing="The hub restarts, and the service needs the other token.",
    )
    url: ServiceUrl | None = option(
        None,
        help="Its http address in the cluster, which the hub proxies at /services/NAME/.",
        changing=_RESTARTS,
    )
    pods: ServicePods | None = option(
        None,
        help="Its pods, for network policies; needed with `url`. Without it no way is opened.",
        changing="See its options.",
    )
    groups: tuple[_Member, ...] = option(
        (),
        help="Users of these groups may open it, as the sign-in names groups.",
        changing=_RESTARTS,
        max_length=50,
    )
    users: tuple[_Member, ...] = option(
        (), help="These users may open it.", changing=_RESTARTS, max_length=200
    )
    all_users: bool = option(
        False,
        help="Every user may open it. Without users, groups and this only administrators may.",
        changing=_RESTARTS,
    )
    from_servers: bool = option(
        False,
        help=(
            "Users' servers reach it in the cluster, and the token of a server opens it where its"
            " user may: for programs such as Dask Gateway, which users call from notebooks."
        ),
        changing="The hub restarts; for servers that start later.",
    )
    oauth: ServiceSignIn | None = option(
        None, help="How it signs users in with the hub.", changing="See its options."
    )
    display: bool = option(
        True, help="Whether the hub's pages list it under Services.", changing=_RESTARTS
    )

    @model_validator(mode="after")
    def _complete(self) -> Service:
        """What belongs together."""
        if self.url is None:
            if self.opened_by_users or self.from_servers:
                what = "says who may open it, and has no url"
                fix = "write url, or remove users, groups and from_servers"
                raise refuse("services.no-url", what, fix)
            if self.oauth is not None and self.oauth.redirect_uri is None:
                what = "signs users in, and has neither url nor oauth.redirect_uri"
                raise refuse("services.no-redirect", what, "write one of them")
            if self.pods is not None and self.pods.port is not None:
                what = "has a port of its pods, and no url that the proxy would reach there"
                raise refuse("services.port-unused", what, "write url, or remove pods.port")
        elif self.pods is None:
            what = "has a url, and does not say which pods answer there: the proxy may not reach it"
            raise refuse("services.no-pods", what, "write pods.labels as on its pods")
        else:
            inside = service_address(self.url).namespace
            if self.pods.namespace is not None and self.pods.namespace != (
                inside or self.pods.namespace
            ):
                what = f"are in {self.pods.namespace}, and url leads to {inside}"
                raise refuse("services.namespace", f"has pods that {what}", "write one of them")
        if self.all_users and (self.groups or self.users):
            what = "is for all users, and lists some"
            raise refuse("services.all-and-some", what, "remove all_users, or the lists")
        if not (self.scopes or self.wide_scopes or self.url or self.oauth):
            what = "neither has a scope, nor a url, nor signs users in"
            raise refuse("services.idle", what, "write what it may do, or remove it")
        return self

    @property
    def opened_by_users(self) -> bool:
        """Whether some users besides administrators may open it."""
        return bool(self.groups or self.users or self.all_users)


def _names(values: dict[str, Service]) -> dict[str, Service]:
    taken = next((name for name in values if name in RESERVED_SERVICES), None)
    if taken is not None:
        what = f"has the name of a service that every hub has ({taken})"
        raise refuse("services.reserved", what, "give it another name")
    return values


Services = Annotated[dict[ShortName, Service], AfterValidator(_names)]


def custom_scopes(service: Service) -> tuple[str, ...]:
    """Its scopes that JupyterHub does not define itself, and that not every hub of ours has."""
    return tuple(
        scope
        for scope in (*service.scopes, *service.wide_scopes)
        if base_scope(scope).startswith("custom:") and base_scope(scope) not in OWN_SCOPES
    )

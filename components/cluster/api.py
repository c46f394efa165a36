"""Whether the Kubernetes API answers from here: checked before it is used.

The provider itself would try for minutes, for each object anew, and `pulumi_eks` for five minutes
before that. One line says instead which address does not answer, why, and what to do: the usual
reason is a machine outside of the networks that a cluster allows, and their errors do not say so.
"""

from __future__ import annotations

import base64
import contextlib
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

#: Seconds for one check, name resolution and proxy included. A lost packet of a connection is sent
#: again after 1 and 3 seconds (Linux, RFC 6298).
SECONDS = 4.0
_HTTPS = 443
_SOCKS = 1080


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of an API."""

    host: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Proxy(Address):
    """A proxy. `speaks_http`: it can be asked whether it reaches the API; of another kind (TLS,
    SOCKS) only whether it answers. `credentials` of its URL.
    """

    speaks_http: bool = True
    credentials: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class ApiFault:
    """Why it does not answer. `early`: a new cluster may still answer so, because its DNS name
    is new.
    """

    why: str
    early: bool


def address_in(config: Mapping[str, Any], context: str | None = None) -> Address | None:
    """Where the API of a kubeconfig's context (None: the current one) answers; None where it
    names none, or a proxy of its own.
    """
    try:
        wanted = context or config.get("current-context")
        contexts = {
            item["name"]: item["context"]["cluster"] for item in config.get("contexts") or []
        }
        clusters = {item["name"]: item["cluster"] for item in config["clusters"]}
        cluster = clusters[contexts[wanted]] if wanted else next(iter(clusters.values()))
        parts = urlsplit(str(cluster["server"]))
        port = parts.port or (_HTTPS if parts.scheme == "https" else 80)
    except (AttributeError, KeyError, StopIteration, TypeError, ValueError):
        return None
    return (
        None
        if "proxy-url" in cluster or parts.hostname is None
        else Address(host=parts.hostname, port=port)
    )


def callers_kubeconfig(path: str | None) -> dict[str, Any]:
    """The kubeconfig at a path; None: of KUBECONFIG, whose files are read together, or
    ~/.kube/config. A file that cannot be read is empty: its consumer reports the error.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    listed = (
        [path] if path else (os.environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep)
    )
    together: dict[str, Any] = {"clusters": [], "contexts": []}
    for file in filter(None, listed):
        found: object = None
        with contextlib.suppress(OSError, UnicodeDecodeError, YAMLError):
            found = YAML(typ="safe").load(Path(file).expanduser().read_text(encoding="utf-8"))
        if isinstance(found, dict):
            together["current-context"] = together.get("current-context") or found.get(
                "current-context"
            )
            for key in ("clusters", "contexts"):  # the first of a name wins, as kubectl has it
                known = {item.get("name") for item in together[key]}
                listed_here = found.get(key)
                together[key] += [
                    item
                    for item in listed_here or []
                    if isinstance(item, dict) and item.get("name") not in known
                ]
    return together


def fault(
    address: Address, environment: Mapping[str, str] | None = None, seconds: float = SECONDS
) -> ApiFault | None:
    """Why the API does not answer, through the proxy of the environment where one applies; None
    where it does. Takes little more than `seconds` at most.
    """
    environment = os.environ if environment is None else environment
    proxy = proxy_for(address, environment)
    target = proxy or address
    try:
        with socket.create_connection((target.host, target.port), timeout=seconds) as link:
            return (
                None if proxy is None or not proxy.speaks_http else _through(link, address, proxy)
            )
    except socket.gaierror as error:
        return ApiFault(
            why=f"the name {target.host} is not known here: {error.strerror}", early=proxy is None
        )
    except OSError as error:
        said = error.strerror or str(error)
        behind = "" if proxy is None else f"the proxy {proxy.host}:{proxy.port}: "
        return ApiFault(
            why=behind + said[:1].lower() + said[1:],
            early=proxy is None and not isinstance(error, TimeoutError),
        )


def _through(link: socket.socket, address: Address, proxy: Proxy) -> ApiFault | None:
    where = f"{address.host}:{address.port}"
    who = (
        f"Proxy-Authorization: Basic {base64.b64encode(proxy.credentials.encode()).decode()}\r\n"
        if proxy.credentials
        else ""
    )
    link.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n{who}\r\n".encode())
    first = link.recv(4096).split(b"\r\n", 1)[0].decode("latin-1").strip()
    if first.startswith("HTTP/") and first.split(" ")[1:2] == ["200"]:
        return None
    fix = f"put {address.host} into NO_PROXY where it is reached without"
    return ApiFault(
        why=f"the proxy {proxy.host}:{proxy.port} answers {first[:60]!r}; {fix}", early=False
    )


def proxy_for(address: Address, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy that HTTPS_PROXY names, unless NO_PROXY takes the address out: read as the
    Kubernetes plugin, a Go program, reads both.

    Rules: golang.org/x/net/http/httpproxy, `config.useProxy` and `init`. This machine itself is
    never asked through a proxy.
    """
    text = environment.get("HTTPS_PROXY") or environment.get("https_proxy") or ""
    if (
        not text
        or _local(address.host)
        or _excepted(address, environment.get("NO_PROXY") or environment.get("no_proxy") or "")
    ):
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or {"https": _HTTPS, "http": 80}.get(parts.scheme, _SOCKS)
    except ValueError:
        return None
    if parts.hostname is None:
        return None
    credentials = (
        f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    )
    return Proxy(
        host=parts.hostname, port=port, speaks_http=parts.scheme == "http", credentials=credentials
    )


def _local(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _excepted(address: Address, listed: str) -> bool:
    return any(
        _matches(address, entry.strip().lower()) for entry in listed.split(",") if entry.strip()
    )


def _matches(address: Address, entry: str) -> bool:
    host = address.host.lower()
    if entry == "*":
        return True
    with contextlib.suppress(ValueError):
        network = ip_network(entry, strict=False)
        try:
            return ip_address(host) in network
        except ValueError:
            return False  # a name is in no range
    name, _, port = (
        entry.rpartition(":")
        if entry.rpartition(":")[2].isdigit() and ":" in entry
        else (entry, "", "")
    )
    if port and int(port) != address.port:
        return False
    if name.startswith("*."):
        name = name[1:]
    return (
        host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")
    )

"""`proxy.https`, `proxy.service` and `ingress` as the hub's `entry`: a port of the nodes, for
the stack makes nothing in AWS around a cluster that is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Taking, restricts
from jupyterhub_aws.checks.resources import SECRET
from jupyterhub_aws.config.entry import FIRST_NODE_PORT, HOSTNAME, LAST_NODE_PORT
from jupyterhub_aws.config.stack_text import fill

_HTTPS = ("proxy", "https")
_CERTIFICATE = (
    "-----BEGIN CERTIFICATE-----\nFILL IN the certificate of the hub's name, and its"
    " chain\n-----END CERTIFICATE-----\n"
)
#: AWS's balancers, cert-manager, and the controllers of GKE and Azure: a certificate at what is in
#: front.
_CERTIFICATES = re.compile(
    r"(?i)(ssl-cert|certificate-arn|cert-manager\.io|managed-certificates|pre-shared-cert|tls-acme|appgw-ssl)"
)
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.+-----END CERTIFICATE-----", re.DOTALL)


def entry_of(taking: Taking) -> dict[str, Any]:
    """The section."""
    tls_hosts = _hosts_of_tls(taking)
    places = (*_HTTPS, "hosts"), ("ingress", "hosts"), ("httpRoute", "hostnames")
    hosts = [*(host for place in places for host in taking.texts(*place)), *tls_hosts]
    names = list(dict.fromkeys(name.lower() for name in hosts if HOSTNAME.fullmatch(name.lower())))
    if len(names) > 1:
        taking.notes.append(
            f"the hub had {len(names)} names ({', '.join(names)[:120]}), and has the first one now"
        )
    if len(names) < len({name.lower() for name in hosts}):
        others = ", ".join(name for name in hosts if not HOSTNAME.fullmatch(name.lower()))
        taking.notes.append(f"no name of a host, and left out: {others[:120]}")
    hostname = names[0] if names else fill("hub.example.org", "the name that users type")
    closed = _narrowed(taking)
    kind: Any = fill("node_port", closed) if closed else "node_port"
    entry: dict[str, Any] = {"kind": kind, "hostname": hostname}
    addresses = taking.texts("proxy", "service", "externalIPs")
    port = _port(taking)
    entry |= {
        **({"node_port": port} if port else {}),
        **({"external_ips": addresses} if addresses else {}),
    }
    front = _in_front(taking)
    _service(taking)
    return {**entry, "tls": _tls(taking, front)}


def _hosts_of_tls(taking: Taking) -> list[str]:
    given = taking.look("ingress", "tls")
    items = given if isinstance(given, list) else []
    return [
        str(host)
        for item in items
        if isinstance(item, Mapping)
        for host in item.get("hosts") or ()
        if isinstance(host, str) and host != SECRET
    ]


def _narrowed(taking: Taking) -> str | None:
    """What kept users out on the way to the hub: ranges of a balancer, rules of an ingress. No
    option of a port of the nodes does.
    """
    ranges = taking.texts("proxy", "service", "loadBalancerSourceRanges")
    rules = [
        (*place, str(key))
        for place in (("proxy", "service", "annotations"), ("ingress", "annotations"), ("httpRoute", "annotations"))
        for key in taking.look(*place) or () if isinstance(taking.look(*place), Mapping) and restricts((*place, str(key)), None)
    ]  # fmt: skip
    why = (
        "kept users out on their way: the new hub is reached by a port of the nodes, whose firewall"
        " has to do it now"
    )
    for rule in rules:
        taking.drop_all(*rule, why=why)
    if ranges:
        taking.drop(("proxy", "service", "loadBalancerSourceRanges"), why, access=True)
        return (
            f"only {', '.join(ranges)[:120]} came in: open the port in the nodes' firewall for"
            " those only"
        )
    if rules:
        return (
            f"{rules[0][-1][:80]} kept users out on their way: see that whatever leads to the"
            " nodes' port does too"
        )
    return None


def _port(taking: Taking) -> int | None:
    ports = [taking.number("proxy", "service", "nodePorts", name) for name in ("https", "http")]
    for port in ports:
        if port and FIRST_NODE_PORT <= port <= LAST_NODE_PORT:
            return int(port)
    if any(ports):
        why = f"is outside {FIRST_NODE_PORT} to {LAST_NODE_PORT}"
        taking.drop(("proxy", "service", "nodePorts"), why)
    return None


def _in_front(taking: Taking) -> str | None:
    """What terminates TLS in front of the proxy, in words; None where the values name nothing that
    does.
    """
    secrets = [
        item.get("secretName")
        for item in taking.look("ingress", "tls") or ()
        if isinstance(item, Mapping)
    ]
    named = next((name for name in secrets if isinstance(name, str) and name != SECRET), None)
    if secrets:
        name = (named or "")[:60]
        secret = f", with the Secret {name} (kubectl get secret {name} -o yaml)" if named else ""
        return f"the ingress encrypted{secret}"
    annotations = [
        *taking.keys("ingress", "annotations"),
        *taking.keys("proxy", "service", "annotations"),
    ]
    if any(_CERTIFICATES.search(str(key)) for key in annotations):
        return "a balancer in front encrypted, with a certificate of its own (see the annotations)"
    if taking.look("httpRoute", "enabled") is True:
        return "the gateway in front encrypted, if anything did (httpRoute)"
    return None


def _service(taking: Taking) -> None:
    kind = taking.text("proxy", "service", "type") or "LoadBalancer"
    if kind == "LoadBalancer":
        taking.notes.append(
            "users came in by a balancer of Kubernetes: point it, or the hub's name, to the nodes'"
            " port"
        )
    why = (
        "the balancer of Kubernetes goes with the old release; who may come in, the nodes' own"
        " firewall says"
    )
    for name in ("annotations", "loadBalancerIP"):
        taking.drop_all("proxy", "service", name, why=why)
    why = "users come in by a port of the nodes: let your ingress, gateway or balancer lead there"
    for name in ("ingress", "httpRoute"):
        if taking.look(name) is not None:
            taking.drop_all(name, why=why)


def _tls(taking: Taking, front: str | None) -> dict[str, Any]:
    """What terminates TLS. `type: letsencrypt` has no counterpart: a certificate that renews itself
    needs a proxy or balancer in front that does it.
    """
    enabled = taking.flag(*_HTTPS, "enabled")
    kind = taking.text(*_HTTPS, "type") or "letsencrypt"
    certificate = taking.text(*_HTTPS, "manual", "cert")
    if enabled and kind == "manual":
        taking.secret("tls-key", *_HTTPS, "manual", "key")
        if certificate is not None and _PEM.fullmatch(certificate.strip()):
            return {"kind": "certificate", "certificate": f"{certificate.strip()}\n"}
        if certificate is not None:
            taking.to_fill_in(*_HTTPS, "manual", "cert", where="entry.tls.certificate")
        return {"kind": "certificate", "certificate": _CERTIFICATE}
    if certificate is not None:
        taking.drop((*_HTTPS, "manual", "cert"), "had no effect: the proxy did not encrypt with it")
    if enabled and kind == "secret":
        name = taking.text(*_HTTPS, "secret", "name") or "NAME"
        taking.notes.append(
            f"certificate and key are in the Secret {name[:60]}: kubectl get secret {name[:60]} -o"
            " yaml; the key is a secret of the stack now"
        )
    elif enabled and kind == "letsencrypt":
        why = (
            "hubs here request no certificates from the internet: use one of yours, or let a"
            " balancer in front encrypt"
        )
        taking.drop_all(*_HTTPS, "letsencrypt", why=why)
        taking.notes.append(
            "Let's Encrypt is not carried over: `jhub certificate new HOSTNAME --request` makes a"
            " key and what an authority has to sign"
        )
    elif enabled and kind == "offload":
        taking.notes.append(
            "a balancer in front encrypted (offload): the proxy does now, with a certificate of"
            " yours; the balancer passes TCP on"
        )
    elif front is not None:
        taking.notes.append(
            f"{front}: the proxy does now, with a certificate of yours (that one, or jhub"
            " certificate new); what is in front passes TCP on"
        )
    else:
        taking.notes.append(
            "nothing in these values encrypts: unless something in front did, passwords travelled"
            " in clear text. The hub needs a certificate now (jhub certificate new)"
        )
    return {"kind": "certificate", "certificate": _CERTIFICATE}

"""`proxy.https`, `proxy.service` and `ingress` as the hub's `entry`: a port of the nodes, for the stack makes nothing in AWS around a cluster that is there."""

from __future__ import annotations

import re
from typing import Any

from config.entry import FIRST_NODE_PORT, HOSTNAME, LAST_NODE_PORT
from ops.adopt.written import fill
from ops.adopt.z2jh.taken import Taking

_HTTPS = ("proxy", "https")
_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nFILL IN the certificate of the hub's name, and its chain\n-----END CERTIFICATE-----\n"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----\s.+-----END CERTIFICATE-----", re.DOTALL)


def entry_of(taking: Taking) -> dict[str, Any]:
    """The section."""
    hosts = [*taking.texts(*_HTTPS, "hosts"), *taking.texts("ingress", "hosts")]
    names = [name.lower() for name in hosts if HOSTNAME.fullmatch(name.lower())]
    if len(names) > 1:
        taking.notes.append(f"the hub had {len(names)} names, and has the first one now")
    entry: dict[str, Any] = {"kind": "node_port", "hostname": names[0] if names else fill("hub.example.org", "the name that people type")}
    addresses = taking.texts("proxy", "service", "externalIPs")
    port = _port(taking)
    entry |= {**({"node_port": port} if port else {}), **({"external_ips": addresses} if addresses else {})}
    _service(taking)
    return {**entry, "tls": _tls(taking)}


def _port(taking: Taking) -> int | None:
    ports = [taking.number("proxy", "service", "nodePorts", name) for name in ("https", "http")]
    return next((int(port) for port in ports if port and FIRST_NODE_PORT <= port <= LAST_NODE_PORT), None)


def _service(taking: Taking) -> None:
    kind = taking.text("proxy", "service", "type") or "LoadBalancer"
    if kind == "LoadBalancer":
        taking.notes.append("people came in by a balancer of Kubernetes: point it, or the hub's name, to the nodes' port")
    for name in ("annotations", "loadBalancerIP", "loadBalancerSourceRanges"):
        taking.drop_all("proxy", "service", name, why="the balancer of Kubernetes goes with the old release; who may come in, the nodes' own firewall says")
    if taking.look("ingress") is not None:
        taking.drop_all("ingress", why="people come in by a port of the nodes: let your ingress or balancer lead there")


def _tls(taking: Taking) -> dict[str, Any]:
    """Who encrypts. `type: letsencrypt` has no counterpart: a certificate that renews itself needs somebody in front who does it."""
    enabled = taking.take(*_HTTPS, "enabled") in (True, "true", "True")
    kind = taking.text(*_HTTPS, "type") or "letsencrypt"
    certificate = taking.text(*_HTTPS, "manual", "cert")
    if enabled and kind == "manual":
        taking.secret("tls-key", *_HTTPS, "manual", "key")
        good = certificate is not None and _PEM.fullmatch(certificate.strip()) is not None
        return {"kind": "certificate", "certificate": f"{certificate.strip()}\n" if good and certificate else _CERTIFICATE}
    if enabled and kind == "secret":
        name = taking.text(*_HTTPS, "secret", "name") or "NAME"
        taking.notes.append(f"certificate and key are in the Secret {name[:60]}: kubectl get secret {name[:60]} -o yaml; the key is a secret of the stack now")
    elif enabled and kind == "letsencrypt":
        taking.drop_all(
            *_HTTPS, "letsencrypt", why="hubs here ask nobody on the internet for certificates: use one of yours, or let a balancer in front encrypt"
        )
        taking.notes.append("Let's Encrypt is not carried over: `jhub certificate new HOSTNAME --request` makes a key and what an authority has to sign")
    elif enabled and kind == "offload":
        taking.notes.append("a balancer in front encrypted (offload): the proxy does now, with a certificate of yours; the balancer passes TCP on")
    else:
        taking.notes.append("passwords travelled in clear text: the hub needs a certificate now (jhub certificate new)")
    return {"kind": "certificate", "certificate": _CERTIFICATE}

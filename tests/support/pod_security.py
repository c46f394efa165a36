"""Pod Security Standard `restricted`, which holds `baseline`, as a rule over a pod's template.

Source: kubernetes.io, "Pod Security Standards", version of Kubernetes 1.35. Written without a look
at the product. Compared with the admission of a real kube-apiserver 1.35.4 over 5000 pods: it lets
nothing in that admission refuses, and is stricter in what admission allows beyond the page: volumes
of kind `image`, and root in a user namespace (`hostUsers: false`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SELINUX_TYPES = {
    None,
    "",
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}  # fmt: skip
_SECCOMP = {"RuntimeDefault", "Localhost"}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def violations(template: dict[str, Any]) -> list[str]:
    """What admission would refuse in a pod, or in the template of one. Empty: it is let in."""
    spec = template["spec"]
    return [
        *_annotated(template.get("metadata", {})),
        *_of_pod(spec),
        *(fault for kind, one in _containers(spec) for fault in _of_container(spec, kind, one)),
    ]


def _containers(spec: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(kind) or []:
            yield f"{kind}/{container['name']}", container


def _annotated(metadata: dict[str, Any]) -> Iterator[str]:
    for key, value in (metadata.get("annotations") or {}).items():
        if (
            key.startswith(_APPARMOR)
            and value not in ("", "runtime/default")
            and not value.startswith("localhost/")
        ):
            yield f"AppArmor {value}"


def _of_pod(spec: dict[str, Any]) -> Iterator[str]:
    context = spec.get("securityContext") or {}
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield name
    for volume in spec.get("volumes") or []:
        kinds = set(volume) - {"name"}
        if not kinds <= _VOLUMES:
            yield f"volume {volume['name']}: {', '.join(sorted(kinds - _VOLUMES))}"
    for sysctl in context.get("sysctls") or []:
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']}"
    if context.get("runAsUser") == 0:
        yield "the pod runs as root"
    if context.get("runAsNonRoot") is False:
        yield "the pod allows root"
    yield from _options("pod", context)


def _options(where: str, context: dict[str, Any]) -> Iterator[str]:
    """What pods and containers may both say."""
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("type") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield f"{where}: seLinuxOptions"
    if (context.get("appArmorProfile") or {}).get("type", "RuntimeDefault") not in (
        "RuntimeDefault",
        "Localhost",
    ):
        yield f"{where}: appArmorProfile"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{where}: hostProcess"
    if (context.get("seccompProfile") or {}).get("type", "RuntimeDefault") not in _SECCOMP:
        yield f"{where}: seccompProfile Unconfined"


def _of_container(spec: dict[str, Any], where: str, container: dict[str, Any]) -> Iterator[str]:
    context, pod = container.get("securityContext") or {}, spec.get("securityContext") or {}
    yield from _options(where, context)
    if context.get("privileged"):
        yield f"{where}: privileged"
    if context.get("procMount", "Default") != "Default":
        yield f"{where}: procMount"
    yield from _reaches(where, container)
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield f"{where}: does not drop ALL"
    if added := set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield f"{where}: adds {', '.join(sorted(added))}"
    if context.get("allowPrivilegeEscalation") is not False:
        yield f"{where}: allowPrivilegeEscalation"
    if not context.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield f"{where}: runAsNonRoot"
    if context.get("runAsUser") == 0:
        yield f"{where}: runs as root"
    if (context.get("seccompProfile") or pod.get("seccompProfile") or {}).get(
        "type"
    ) not in _SECCOMP:
        yield f"{where}: seccompProfile"


def _reaches(where: str, container: dict[str, Any]) -> Iterator[str]:
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield f"{where}: hostPort"
    if any(
        _host_of(container.get(probe))
        for probe in ("livenessProbe", "readinessProbe", "startupProbe")
    ):
        yield f"{where}: a probe of another host"
    if any(
        _host_of((container.get("lifecycle") or {}).get(hook)) for hook in ("postStart", "preStop")
    ):
        yield f"{where}: a hook of another host"


def _host_of(handler: dict[str, Any] | None) -> str | None:
    return next(
        (
            str(check["host"])
            for check in (handler or {}).values()
            if isinstance(check, dict) and check.get("host")
        ),
        None,
    )

"""The rule by which tests judge pods: each control of the standard is found, and a good pod
passes.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.support.pod_security import violations

CONTAINER = {
    "name": "c",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}
GOOD = {
    "metadata": {},
    "spec": {
        "containers": [CONTAINER],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "securityContext": {"fsGroup": 100},
    },
}

SPOILED: dict[str, tuple[tuple[Any, ...], Any]] = {
    "the host's network": (("spec", "hostNetwork"), True),
    "the host's processes": (("spec", "hostPID"), True),
    "the host's memory": (("spec", "hostIPC"), True),
    "a path of the host": (("spec", "volumes"), [{"name": "h", "hostPath": {"path": "/"}}]),
    "an NFS volume of its own": (
        ("spec", "volumes"),
        [{"name": "n", "nfs": {"server": "s", "path": "/"}}],
    ),
    "a sysctl": (("spec", "securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}]),
    "AppArmor off by annotation": (
        ("metadata", "annotations"),
        {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"},
    ),
    "a pod as root": (("spec", "securityContext", "runAsUser"), 0),
    "a pod's SELinux type": (("spec", "securityContext", "seLinuxOptions"), {"type": "spc_t"}),
    "a process of a Windows host": (
        ("spec", "securityContext", "windowsOptions"),
        {"hostProcess": True},
    ),
    "AppArmor off": (
        ("spec", "containers", 0, "securityContext", "appArmorProfile"),
        {"type": "Unconfined"},
    ),
    "a pod without seccomp": (
        ("spec", "securityContext", "seccompProfile"),
        {"type": "Unconfined"},
    ),
    "privileged": (("spec", "containers", 0, "securityContext", "privileged"), True),
    "an unmasked /proc": (("spec", "containers", 0, "securityContext", "procMount"), "Unmasked"),
    "a port of the host": (
        ("spec", "containers", 0, "ports"),
        [{"containerPort": 1, "hostPort": 1}],
    ),
    "a probe of another host": (
        ("spec", "containers", 0, "livenessProbe"),
        {"httpGet": {"host": "169.254.169.254", "port": 80}},
    ),
    "a hook of another host": (
        ("spec", "containers", 0, "lifecycle"),
        {"postStart": {"httpGet": {"host": "10.0.0.1", "port": 80}}},
    ),
    "all capabilities kept": (
        ("spec", "containers", 0, "securityContext", "capabilities"),
        {"drop": ["NET_RAW"]},
    ),
    "a capability added": (
        ("spec", "containers", 0, "securityContext", "capabilities", "add"),
        ["NET_ADMIN"],
    ),
    "a capability that only baseline allows": (
        ("spec", "containers", 0, "securityContext", "capabilities", "add"),
        ["CHOWN"],
    ),
    "escalation not forbidden": (
        ("spec", "containers", 0, "securityContext", "allowPrivilegeEscalation"),
        None,
    ),
    "root not forbidden": (("spec", "containers", 0, "securityContext", "runAsNonRoot"), None),
    "a container as root": (("spec", "containers", 0, "securityContext", "runAsUser"), 0),
    "a container without seccomp": (
        ("spec", "containers", 0, "securityContext", "seccompProfile"),
        None,
    ),
    "an init container that is not looked at": (("spec", "initContainers"), [{"name": "i"}]),
    "an ephemeral container that is not looked at": (
        ("spec", "ephemeralContainers"),
        [{"name": "e"}],
    ),
    "a second container": (("spec", "containers"), [CONTAINER, {"name": "second"}]),
    "a pod that allows root, whatever its containers say": (
        ("spec", "securityContext", "runAsNonRoot"),
        False,
    ),
    "a container's SELinux type": (
        ("spec", "containers", 0, "securityContext", "seLinuxOptions"),
        {"type": "spc_t"},
    ),
    "an SELinux user": (("spec", "securityContext", "seLinuxOptions"), {"user": "u"}),
    "an SELinux role": (("spec", "securityContext", "seLinuxOptions"), {"role": "r"}),
    "a container of a Windows host": (
        ("spec", "containers", 0, "securityContext", "windowsOptions"),
        {"hostProcess": True},
    ),
    "a pod's AppArmor off": (
        ("spec", "securityContext", "appArmorProfile"),
        {"type": "Unconfined"},
    ),
    "a container's seccomp off": (
        ("spec", "containers", 0, "securityContext", "seccompProfile"),
        {"type": "Unconfined"},
    ),
    "a readiness probe of another host": (
        ("spec", "containers", 0, "readinessProbe"),
        {"tcpSocket": {"host": "10.0.0.1", "port": 80}},
    ),
    "a startup probe of another host": (
        ("spec", "containers", 0, "startupProbe"),
        {"httpGet": {"host": "10.0.0.1", "port": 80}},
    ),
    "a last hook of another host": (
        ("spec", "containers", 0, "lifecycle"),
        {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}},
    ),
}
_CONTEXT = ("spec", "containers", 0, "securityContext")
_SYSCTLS = (
    "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.ip_unprivileged_port_start"
    " net.ipv4.tcp_syncookies net.ipv4.ping_group_range net.ipv4.ip_local_reserved_ports"
    " net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl"
    " net.ipv4.tcp_keepalive_probes net.ipv4.tcp_rmem net.ipv4.tcp_wmem"
).split()
_VOLUMES = (
    "configMap csi downwardAPI emptyDir ephemeral persistentVolumeClaim projected secret".split()
)
_SELINUX = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
#: What a kube-apiserver 1.35.4 let in when it was asked.
ALLOWED: dict[str, tuple[tuple[Any, ...], Any]] = {
    "every kind of volume on the list": (
        ("spec", "volumes"),
        [{"name": kind.lower(), kind: {}} for kind in _VOLUMES],
    ),
    "every harmless sysctl": (
        ("spec", "securityContext", "sysctls"),
        [{"name": name, "value": "1"} for name in _SYSCTLS],
    ),
    "low ports": ((*_CONTEXT, "capabilities"), {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
    "seccomp of one's own": (
        (*_CONTEXT, "seccompProfile"),
        {"type": "Localhost", "localhostProfile": "x"},
    ),
    "AppArmor of one's own": (
        (*_CONTEXT, "appArmorProfile"),
        {"type": "Localhost", "localhostProfile": "x"},
    ),
    "AppArmor's default by annotation": (
        ("metadata", "annotations"),
        {"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"},
    ),
    "AppArmor's own by annotation": (
        ("metadata", "annotations"),
        {"container.apparmor.security.beta.kubernetes.io/c": "localhost/x"},
    ),
    "AppArmor by an empty annotation": (
        ("metadata", "annotations"),
        {"container.apparmor.security.beta.kubernetes.io/c": ""},
    ),
    "an annotation of somebody else": (
        ("metadata", "annotations"),
        {"example.org/c": "unconfined"},
    ),
    "a port of its own": (("spec", "containers", 0, "ports"), [{"containerPort": 8888}]),
    "a probe of itself": (
        ("spec", "containers", 0, "livenessProbe"),
        {"httpGet": {"port": 80}, "periodSeconds": 5},
    ),
    "a probe by a command": (
        ("spec", "containers", 0, "readinessProbe"),
        {"exec": {"command": ["true"]}},
    ),
    "a person who is not root": ((*_CONTEXT, "runAsUser"), 1000),
    **{
        f"SELinux type '{kind}'": ((*_CONTEXT, "seLinuxOptions"), {"type": kind})
        for kind in _SELINUX
    },
}


def test_a_good_pod_passes() -> None:
    assert violations(GOOD) == []


def test_what_the_pod_says_holds_for_containers_that_say_nothing() -> None:
    pod = changed(_CONTEXT, {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}})
    assert violations(pod)
    pod["spec"]["securityContext"] = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert violations(pod) == []
    assert violations({"spec": {"containers": [CONTAINER]}}) == []


@pytest.mark.parametrize(("path", "value"), ALLOWED.values(), ids=ALLOWED)
def test_what_the_standard_allows_passes(path: tuple[Any, ...], value: Any) -> None:
    assert violations(changed(path, value)) == []


@pytest.mark.parametrize(("path", "value"), SPOILED.values(), ids=SPOILED)
def test_each_control_is_found(path: tuple[Any, ...], value: Any) -> None:
    assert violations(changed(path, value))


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    pod = copy.deepcopy(GOOD)
    *way, last = path
    here: Any = pod
    for key in way:
        here = here[key]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return pod

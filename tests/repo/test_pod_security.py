"""The rule by which tests judge pods: each control of the standard is found, and a good pod passes."""

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
GOOD = {"metadata": {}, "spec": {"containers": [CONTAINER], "volumes": [{"name": "v", "emptyDir": {}}], "securityContext": {"fsGroup": 100}}}

SPOILED: dict[str, tuple[tuple[Any, ...], Any]] = {
    "the host's network": (("spec", "hostNetwork"), True),
    "the host's processes": (("spec", "hostPID"), True),
    "the host's memory": (("spec", "hostIPC"), True),
    "a path of the host": (("spec", "volumes"), [{"name": "h", "hostPath": {"path": "/"}}]),
    "an NFS volume of its own": (("spec", "volumes"), [{"name": "n", "nfs": {"server": "s", "path": "/"}}]),
    "a sysctl": (("spec", "securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}]),
    "AppArmor off by annotation": (("metadata", "annotations"), {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}),
    "a pod as root": (("spec", "securityContext", "runAsUser"), 0),
    "a pod's SELinux type": (("spec", "securityContext", "seLinuxOptions"), {"type": "spc_t"}),
    "a process of a Windows host": (("spec", "securityContext", "windowsOptions"), {"hostProcess": True}),
    "AppArmor off": (("spec", "containers", 0, "securityContext", "appArmorProfile"), {"type": "Unconfined"}),
    "a pod without seccomp": (("spec", "securityContext", "seccompProfile"), {"type": "Unconfined"}),
    "privileged": (("spec", "containers", 0, "securityContext", "privileged"), True),
    "an unmasked /proc": (("spec", "containers", 0, "securityContext", "procMount"), "Unmasked"),
    "a port of the host": (("spec", "containers", 0, "ports"), [{"containerPort": 1, "hostPort": 1}]),
    "a probe of another host": (("spec", "containers", 0, "livenessProbe"), {"httpGet": {"host": "169.254.169.254", "port": 80}}),
    "a hook of another host": (("spec", "containers", 0, "lifecycle"), {"postStart": {"httpGet": {"host": "10.0.0.1", "port": 80}}}),
    "all capabilities kept": (("spec", "containers", 0, "securityContext", "capabilities"), {"drop": ["NET_RAW"]}),
    "a capability added": (("spec", "containers", 0, "securityContext", "capabilities", "add"), ["NET_ADMIN"]),
    "a capability that only baseline allows": (("spec", "containers", 0, "securityContext", "capabilities", "add"), ["CHOWN"]),
    "escalation not forbidden": (("spec", "containers", 0, "securityContext", "allowPrivilegeEscalation"), None),
    "root not forbidden": (("spec", "containers", 0, "securityContext", "runAsNonRoot"), None),
    "a container as root": (("spec", "containers", 0, "securityContext", "runAsUser"), 0),
    "a container without seccomp": (("spec", "containers", 0, "securityContext", "seccompProfile"), None),
    "an init container that is not looked at": (("spec", "initContainers"), [{"name": "i"}]),
}


def test_a_good_pod_passes() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(("path", "value"), SPOILED.values(), ids=SPOILED)
def test_each_control_is_found(path: tuple[Any, ...], value: Any) -> None:
    pod = copy.deepcopy(GOOD)
    *way, last = path
    here: Any = pod
    for key in way:
        here = here[key]
    if value is None:
        del here[last]
    else:
        here[last] = value
    assert violations(pod)

#!/usr/bin/env python3
"""`kubectl` against a file: nodes, the EFS driver's pods, and what is applied. A Job runs its
program at once, on the folder that is the file system.

$STAND_IN holds `cluster.json` (the objects), `associations.json` (service accounts with a role) and
`file-system`.
"""

import json
import os
import sys

FOLDER = os.environ.get("STAND_IN", "/nonexistent")
STATE = f"{FOLDER}/cluster.json"
READY = [{"type": "Ready", "status": "True"}]


def text(path):
    with open(path) as file:
        return file.read()


def main(arguments):
    arguments = [
        item
        for item in arguments
        if not item.startswith("--request-timeout") and item != "--wait=true"
    ]
    options = {}
    for name in ("--namespace", "--selector", "--filename", "-o", "--context"):
        if name in arguments:
            index = arguments.index(name)
            options[name] = arguments[index + 1]
            del arguments[index : index + 2]
    state = json.loads(text(STATE))
    with open(f"{FOLDER}/kubectl.log", "a") as log:
        log.write(" ".join(sys.argv[1:]) + "\n")
    here = text(f"{FOLDER}/kubectl.log").count("\n") == int(os.environ.get("STAND_IN_KILL", "0"))
    said = done(state, arguments[0], arguments[1:], options)
    with open(f"{STATE}.part", "w") as half:
        json.dump(state, half)
    os.replace(f"{STATE}.part", STATE)
    if here:  # it is done, and who asked never hears of it
        os.kill(os.getppid(), 9)
    print(said, end="")


def done(state, verb, rest, options):
    """What a command prints, once it is done."""
    if verb == "get":
        return (
            "ok\n"
            if rest[:1] == ["--raw"]
            else json.dumps({"items": found(state, rest[0], options)})
        )
    if verb == "logs":
        return state["logs"][rest[0].partition("/")[2]]
    if verb == "apply":
        for item in json.loads(text(options["--filename"]))["items"]:
            put(state, item)
        return ""
    assert verb == "delete", verb
    delete(state, rest, options)
    return ""


def found(state, kind, options):
    if kind == "nodes":
        return state["nodes"]
    if kind == "pods":
        return state["pods"]
    wanted = {
        "jobs": "Job",
        "namespaces": "Namespace",
        "persistentvolumes": "PersistentVolume",
        "persistentvolumeclaims": "PersistentVolumeClaim",
    }[kind]
    items = [item for item in state["objects"] if item["kind"] == wanted]
    return [
        item
        for item in items
        if options.get("--namespace") in (None, item["metadata"].get("namespace"))
    ]


def put(state, item):
    same = [
        other
        for other in state["objects"]
        if (other["kind"], other["metadata"]) == (item["kind"], item["metadata"])
    ]
    if same:
        return
    state["objects"].append(item)
    if item["kind"] == "Job":
        run(state, item)


def run(state, job):
    """As the node would: the claim's volume has to be mounted with an identity that may."""
    spec = job["spec"]["template"]["spec"]
    node = spec["nodeSelector"]["kubernetes.io/hostname"]
    driver = next(pod for pod in state["pods"] if pod["spec"]["nodeName"] == node)
    assert has_role(driver) and associated(), "the mount would be refused: access denied by server"
    (volume,) = [item for item in state["objects"] if item["kind"] == "PersistentVolume"]
    assert (
        volume["spec"]["mountOptions"] == ["tls", "iam"]
        and "::fsap-" in volume["spec"]["csi"]["volumeHandle"]
    )
    (programs,) = [item["data"] for item in state["objects"] if item["kind"] == "ConfigMap"]
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, program in programs.items():
            with open(f"{folder}/{name}", "w") as file:
                file.write(program)
        (container,) = spec["containers"]
        command = [
            part.replace("/program/", f"{folder}/") if part.startswith("/program/") else part
            for part in container["command"]
        ]
        command = [f"{FOLDER}/file-system" if part == "/homes" else part for part in command]
        done = subprocess.run(
            [sys.executable, "-B", *command[1:]], capture_output=True, text=True, check=False
        )
    job["status"] = {"succeeded": 1} if done.returncode == 0 else {"failed": 1}
    state["logs"][job["metadata"]["name"]] = done.stdout or done.stderr


def associated(folder=FOLDER):
    path = f"{folder}/associations.json"
    return os.path.exists(path) and "efs-csi-node-sa" in json.loads(text(path))


def has_role(pod):
    return any(
        entry["name"] == "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        for container in pod["spec"]["containers"]
        for entry in container["env"]
    )


def pod_of(node):
    env = (
        [
            {
                "name": "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "value": "http://169.254.170.23/v1/credentials",
            }
        ]
        if associated()
        else []
    )
    spec = {"nodeName": node, "containers": [{"name": "efs-plugin", "env": env}]}
    return {
        "metadata": {"name": f"efs-csi-node-{os.urandom(3).hex()}"},
        "spec": spec,
        "status": {"conditions": READY},
    }


def delete(state, rest, options):
    kind, name = rest[0], rest[1]
    if kind == "pod":
        (pod,) = [item for item in state["pods"] if item["metadata"]["name"] == name]
        state["pods"] = [item for item in state["pods"] if item is not pod] + [
            pod_of(pod["spec"]["nodeName"])
        ]
        return
    if kind == "namespace":
        state["objects"] = [
            item
            for item in state["objects"]
            if name not in (item["metadata"].get("namespace"), item["metadata"]["name"])
        ]
        state["logs"] = {}
        return
    assert kind == "persistentvolume", kind
    state["objects"] = [
        item
        for item in state["objects"]
        if (item["kind"], item["metadata"]["name"]) != ("PersistentVolume", name)
    ]


def fresh(folder):
    """A cluster with two core nodes, of which one is not ready, and the driver on each node."""
    nodes = [
        {
            "metadata": {"name": name},
            "spec": {},
            "status": {"conditions": [{"type": "Ready", "status": ready}]},
        }
        for name, ready in (("core-0.internal", "False"), ("core-1.internal", "True"))
    ]
    pods = [pod_of(name) for name in ("core-0.internal", "core-1.internal", "user-0.internal")]
    with open(f"{folder}/cluster.json", "w") as file:
        json.dump({"nodes": nodes, "pods": pods, "objects": [], "logs": {}}, file)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The URNs of this repository's stacks and examples, as each minor version of the library had them.

Write today's: python -m tests.support.record_urns. It refuses where a URN is gone that no alias
leads to: `pulumi up` would delete what is there. Where that is meant, name it with --forget, and
write in CHANGELOG.md what becomes of it. Lists of a version that nobody has yet: remove its folder
first.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from jupyterhub_aws.changes.compare import predecessors
from jupyterhub_aws.checks.resources import Resources
from jupyterhub_aws.config.project import project_of
from jupyterhub_aws.config.stack_file import read
from jupyterhub_aws.plan.evaluate import PlannedProgram, evaluate
from jupyterhub_aws.version import __version__
from tests.support.stack_files import ROOT, engine_values, read_yaml
from tests.support.stacks import recorded_once

#: A folder for each minor version, in it a file for each stack: the part of each URN behind stack
#: and project, sorted.
FOLDER = ROOT / "tests" / "fixtures" / "urns"
MINOR = __version__.rpartition(".")[0]


def stacks() -> dict[str, Path]:
    """By a name of their own: stack files that a program of this library reads, and programs of
    components in folders of examples.
    """
    found = {path.name.split(".")[1]: path for path in sorted(ROOT.glob("Pulumi.*.yaml"))}
    for path in sorted(ROOT.glob("examples/*/Pulumi.*.yaml")):
        names = {key.rpartition(":")[2] for key in read_yaml(path).get("config", {})}
        if names & {"cluster", "cloud_stack"}:
            found[path.parent.name] = path
    programs = (
        path
        for path in sorted(ROOT.glob("examples/*/__main__.py"))
        if "jupyterhub_aws" in path.read_text(encoding="utf-8")
    )
    return {**{path.parent.name: path for path in programs}, **found}


def registered(path: Path) -> Resources:
    """What the program registers for a stack file, or by itself: with what stands in a file
    beside it, and a stand-in for each secret.
    """
    if path.suffix == ".yaml":
        return recorded_once(read(path))[1].resources
    project = project_of(path.parent)
    secrets = {
        f"{project.name}:{key}"
        for key in re.findall(r'require_secret\("([\w-]+)"\)', path.read_text(encoding="utf-8"))
    }
    where = PlannedProgram(
        project=project.name, stack="dev", folder=path.parent, program=project.program()
    )
    files = [read_yaml(file)["config"] for file in sorted(path.parent.glob("Pulumi.*.yaml"))]
    values, _ = engine_values({"aws:region": "us-east-1", **(files[0] if files else {})})
    return evaluate(values, secret=secrets, where=where).resources


def tails(resources: Resources) -> list[str]:
    """The end of each URN: chain of types, and name."""
    return sorted(resource.urn.split("::", 2)[2] for resource in resources)


def vanished(resources: Resources, listed: Iterable[str]) -> list[str]:
    """Those of the listed ends that no resource has, neither as its own nor by an alias."""
    head = "::".join(next(iter(resources)).urn.split("::", 2)[:2])
    old = {f"{head}::{tail}" for tail in listed}
    known = {resource.urn for resource in resources} | set(predecessors(resources, old).values())
    return sorted(urn.split("::", 2)[2] for urn in old - known)


def lists() -> Mapping[tuple[str, str], list[str]]:
    """What is listed, by minor version and stack."""
    return {
        (path.parent.name, path.stem): path.read_text(encoding="utf-8").splitlines()
        for path in sorted(FOLDER.glob("*/*.txt"))
    }


def main(arguments: list[str]) -> int:
    """Write the lists of this minor version, and take forgotten ends out of all of them."""
    forgotten = (
        set(arguments[arguments.index("--forget") + 1 :]) if "--forget" in arguments else set()
    )
    found = {name: registered(path) for name, path in stacks().items()}
    gone = {
        key: [tail for tail in vanished(found[key[1]], listed) if tail not in forgotten]
        for key, listed in lists().items()
        if key[1] in found
    }
    lost = [f"{minor}/{stack}: {tail}" for (minor, stack), ends in gone.items() for tail in ends]
    if lost:
        print(
            "gone without an alias, and not named with --forget:",
            *lost,
            sep="\n  ",
            file=sys.stderr,
        )
        return 1
    for (minor, stack), listed in lists().items():
        _write(minor, stack, [tail for tail in listed if tail not in forgotten])
    for stack, resources in found.items():
        _write(MINOR, stack, tails(resources))
    return 0


def _write(minor: str, stack: str, ends: list[str]) -> None:
    path = FOLDER / minor / f"{stack}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{tail}\n" for tail in ends), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

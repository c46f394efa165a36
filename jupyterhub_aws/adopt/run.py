"""The three commands of `jhub adopt`, from their options to their exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyterhub_aws.cli.output import to_file
from jupyterhub_aws.config.errors import ConfigError, Problem

_SCAN, _CONFIG = "jhub adopt scan", "jhub adopt config"
_STACK = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)


def scanned(stack: str, options: Mapping[str, Any]) -> int:
    """Scan, write, report. 0: nothing left to do; 1: something is. Raises ConfigError."""
    path = _target(_SCAN, stack, options["out"], again=options["again"])
    _region(options["region"])
    from jupyterhub_aws.adopt.scan import scan
    from jupyterhub_aws.operate.live.account import connect

    account = connect(_SCAN, options["region"], expected=options["account"], changes=False)
    live = scan(account, options["cluster"], options["file_system"])
    # service models take more memory than the scan does, and the program's evaluation follows
    account.clients.clear()
    from jupyterhub_aws.adopt.adopt import adopted, again
    from jupyterhub_aws.adopt.show import ScanReport, as_json
    from jupyterhub_aws.cli.console import Terminal

    found = again(live, path) if options["again"] else adopted(live, path)
    if found.text:
        to_file(_SCAN, "--out", str(path), found.text)
    if options["json_file"]:
        to_file(
            _SCAN,
            "--json",
            options["json_file"],
            json.dumps(as_json(found, live), indent=2, sort_keys=True, default=str) + "\n",
        )
    ScanReport(Terminal()).show(found, live, path.name)
    return 0 if found.finished and not live.unseen else 1


def converted(files: Sequence[Path], stack: str, options: Mapping[str, Any]) -> int:
    """Convert, write, report. 0: nothing left to fill in, and no rule of access lost; 1:
    something is. Raises ConfigError.
    """
    if not files:
        raise ConfigError(
            _CONFIG,
            [
                Problem(
                    path="FILE",
                    what="is missing",
                    fix="name the config.yaml that `helm upgrade --values` is given",
                )
            ],
        )
    path = _target(_CONFIG, stack, options["out"], again=False)
    from jupyterhub_aws.adopt.z2jh.convert import convert
    from jupyterhub_aws.adopt.z2jh.read import read_values
    from jupyterhub_aws.adopt.z2jh.show import as_json, show

    found = convert(
        read_values(files, options["under"]),
        hub=options["hub"],
        stack=stack,
        source=", ".join(file.name for file in files),
    )
    to_file(_CONFIG, "--out", str(path), found.text)
    if options["json_file"]:
        to_file(
            _CONFIG, "--json", options["json_file"], json.dumps(as_json(found), indent=2) + "\n"
        )
    show(found, path.name)
    return 0 if found.finished else 1


def checked(stack: str, preview_file: str | None) -> int:
    """Judge a preview. 0: it adopts and nothing else, or changes nothing; 1: it does more.
    Raises ConfigError.
    """
    from jupyterhub_aws.adopt.check import judged, previewed
    from jupyterhub_aws.adopt.check_show import show
    from jupyterhub_aws.cli.arguments import stack_file

    file = stack_file(stack)
    verdict = judged(file, previewed(file, preview_file))
    show(verdict, file.stack)
    return 0 if verdict.good else 1


def _target(command: str, stack: str, out: Path | None, *, again: bool) -> Path:
    """Where the file goes. Raises ConfigError for a name that is none, a folder that is not
    there, and a file that somebody has written.
    """
    if not _STACK.fullmatch(stack):
        raise ConfigError(
            command,
            [
                Problem(
                    path="--name",
                    what=f"is not the name of a stack (got {stack[:40]!r})",
                    fix="use letters, digits, dots and dashes",
                )
            ],
        )
    folder = out or Path.cwd()
    if not folder.is_dir():
        raise ConfigError(
            command,
            [
                Problem(
                    path="--out",
                    what=f"there is no folder {folder}",
                    fix="make it, or name another",
                )
            ],
        )
    path = folder / f"Pulumi.{stack}.yaml"
    if path.exists() and not again:
        fix = (
            "--again keeps it and looks for its imports; or choose another --name or --out"
            if command == _SCAN
            else "choose another --name or --out"
        )
        raise ConfigError(
            command, [Problem(path=path.name, what="is there already, and stays as it is", fix=fix)]
        )
    if again and not path.is_file():
        raise ConfigError(
            command,
            [
                Problem(
                    path="--again",
                    what=f"there is no {path}",
                    fix="leave --again out: the scan writes one",
                )
            ],
        )
    return path


def _region(region: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from jupyterhub_aws.config.values import Region

    try:
        TypeAdapter(Region).validate_python(region)
    except ValidationError:
        problem = Problem(
            path="--region",
            what=f"is not a region (got {region[:40]!r})",
            fix="write a region's name, such as us-east-1",
        )
        raise ConfigError(_SCAN, [problem]) from None

"""Removing one hub, and bringing it back: every protected resource at once, and the ids that only
the state knows.

The engine names protected resources as it meets them, and forgets what it retains: afterwards no
state has the id of a hub's homes.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.checks.resources import made_here
from jupyterhub_aws.config.errors import refused
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import file_key
from jupyterhub_aws.config.stack_file import StackFile
from jupyterhub_aws.operate.open import require

COMMAND = "jhub destroy hub"
FORMAT = "jupyterhub-aws/destroy-hub/1"
_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Something of a hub that outlives it. `protected`: the engine asks before it forgets it."""

    urn: str
    id: str
    protected: bool

    @property
    def entry(self) -> str:
        """TYPE::NAME, as `imports` writes it."""
        *_, types, name = self.urn.split("::")
        return f"{types.rpartition('$')[2]}::{name}"


@dataclass(frozen=True, kw_only=True)
class OneHub:
    """What of a hub stays when it is taken out of a stack file."""

    hub: str
    file: StackFile
    kept: tuple[Kept, ...]

    @property
    def lets_go(self) -> list[str]:
        """The lines that say that you mean it: one for each protected resource."""
        return [
            f"pulumi state unprotect {shlex.quote(item.urn)} -s {self.file.stack} --yes"
            for item in self.kept
            if item.protected
        ]

    @property
    def imports(self) -> dict[str, str]:
        """The entries that bring it back."""
        return {item.entry: item.id for item in self.kept}

    def as_json(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "format": FORMAT,
            "stack": self.file.stack,
            "hub": self.hub,
            "unprotect": self.lets_go,
            "imports": self.imports,
        }

    def as_text(self) -> str:
        """The steps out and back, to be kept: after the `up` that takes it out, no state knows
        the ids.
        """
        names = HubNames(stack="", hub=self.hub)
        lines = [
            (
                f"# Hub {self.hub} of {self.file.stack}: out, and back. Keep this: after step 3"
                " nothing else knows these ids."
            ),
            "",
            (
                f"# 1. Take hubs.{self.hub} out of {self.file.source}, and its secrets: pulumi"
                f" config rm hub-{self.hub}-… -s {self.file.stack}"
            ),
            "# 2. Say that you mean it. Nothing below is deleted: it is only forgotten.",
            *self.lets_go,
            f"# 3. pulumi up -s {self.file.stack}",
            "",
            (
                f"# Back: put hubs.{self.hub} and its secrets into the stack file again as they"
                " were, and this beside them; then `pulumi up`."
            ),
            (
                f"# The namespace {names.namespace} is still there with users' claims, so without"
                " these lines `up` stops at «already exists»."
            ),
            f"{file_key('imports')}:",
            *(
                f"  {json.dumps(entry)}: {json.dumps(identity)}"
                for entry, identity in self.imports.items()
            ),
            (
                "# When a preview shows no change any more, take the lines out: left, they keep all"
                " this from ever being deleted."
            ),
        ]
        return "\n".join(lines) + "\n"


def one_hub(file: StackFile, hub: str) -> OneHub:
    """Look a hub up in the stack's state. Raises ConfigError where the state has nothing of it,
    or cannot be read.
    """
    require("pulumi")
    line = ["pulumi", "stack", "export", "--stack", file.stack, "--non-interactive"]
    done = subprocess.run(  # noqa: S603
        line, cwd=file.home.folder, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        said = [text.strip() for text in done.stderr.splitlines() if text.strip()]
        fix = f"try it yourself: {shlex.join(line)}"
        what = f"its state is not readable ({(said[-1] if said else 'no reason given')[:200]})"
        raise refused(COMMAND, "teardown.state-unreadable", file.stack, what, fix)
    resources = (json.loads(done.stdout).get("deployment") or {}).get("resources") or []
    kept = kept_of(resources, hub)
    if not kept:
        what = f"the state of {file.stack} has nothing of it"
        fix = "look at what there is: pulumi stack -s " + file.stack
        raise refused(COMMAND, "teardown.not-in-state", f"hubs.{hub}", what, fix)
    return OneHub(hub=hub, file=file, kept=tuple(kept))


def kept_of(resources: Sequence[Mapping[str, Any]], hub: str) -> list[Kept]:
    """Of a state's resources, those of the hub that stay when the program no longer names them:
    retained on delete, and real.
    """
    # As components name them: `hub-NAME-…` of both parts, and the access point of its homes.
    mine = re.compile(
        rf"hub-{re.escape(hub)}-(?:cloud|namespace|homes|database)\b.*|homes-access-point-{re.escape(hub)}"
    )
    found = [
        Kept(urn=item["urn"], id=str(item["id"]), protected=bool(item.get("protect")))
        for item in resources
        if item.get("custom")
        and item.get("id")
        and item.get("retainOnDelete")
        and not item.get("delete")
        if made_here(item["urn"]) and mine.fullmatch(item["urn"].rpartition("::")[2])
    ]
    return sorted(found, key=lambda item: item.urn)

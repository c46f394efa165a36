"""Words of a plan as markup: commands that one can copy, and where the documentation says more."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from jupyterhub_aws.documentation import address_of, path_of

#: A command in a sentence: between backticks; or after a colon, `run` or nothing, up to where the
#: sentence goes on.
_COMMAND = re.compile(
    r"`(?P<quoted>[^`\n]+)`"
    r"|(?:(?<=: )|(?<=^))(?P<plain>(?:pulumi|jhub|aws|kubectl|make|helm) [^;,]*?)"
    r"(?=;|, |$| shows | asks | in the )"
)
_PROGRAMS = ("pulumi ", "jhub ", "aws ", "kubectl ", "make ", "helm ")


def is_command(text: str) -> bool:
    """Whether a text is a command of a shell, whole: not a name, and no ellipsis in it."""
    return text.startswith(_PROGRAMS) and "…" not in text


def command(text: str) -> Markup:
    """A command that one can copy: the page's script puts a button beside it."""
    return Markup('<code class="cmd">{}</code>').format(text)


def marked(text: str, to_run: bool = True) -> Markup:
    """A sentence with its commands and names as code. `to_run`: one does what it says, so commands
    can be copied.
    """
    parts, end = [], 0
    for match in _COMMAND.finditer(text):
        found = match["quoted"] or match["plain"]
        parts.append(escape(text[end : match.start()]))
        parts.append(
            command(found)
            if to_run and is_command(found)
            else Markup("<code>{}</code>").format(found)
        )
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def commands(text: str) -> list[str]:
    """The commands in a sentence."""
    found = (match["quoted"] or match["plain"] for match in _COMMAND.finditer(text))
    return [item for item in found if is_command(item)]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Where more is said about a finding: an address, where the environment names a built site;
    else a command.
    """

    address: str | None
    command: str


def explanation(identifier: str) -> Explanation:
    """Where more is said about the id of a finding."""
    address = address_of(path_of(identifier))
    return Explanation(address=address, command=f"jhub explain {identifier}")

"""The errors of a wrong stack file: every problem at once, each with path, fault and remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydantic_core import PydanticCustomError

_LONGEST = 60  # characters of a value that a message quotes
#: Characters that a path may have as they are. Everything else is quoted: a path is always one
#: short line.
_PLAIN_KEY = re.compile(r"[\w.:/@-]{1,60}")
_SECRET_NAME = re.compile(
    r"(?i)(password|passwd|secret|token|api_?key|private_?key|access_?key|crypt_?keeper)"
)
#: Names with such a word that hold no secret: of Secrets, of their keys, switches, addresses and
#: methods.
_HARMLESS = re.compile(
    r"(?i)(existingSecret|secretName|secret_name.*|secret_mount_path|secrets_?provider|automount.*|secretSync|.*_(url|method|file|scopes)|imagePullSecrets?|pullSecrets)$"
)


@dataclass(frozen=True, kw_only=True, order=True)
class Problem:
    """One problem of a stack file, of arguments, or of a command.

    `path` is the dotted path as the user wrote it (`pools.memory.size.max`), `what` says what is
    wrong and what was found, `fix` says what to do about it. `id` names the kind of problem
    (`pools.max-below-min`): it stays the same when the wording changes (docs/problems.md lists
    all).
    """

    path: str
    what: str
    fix: str
    id: str

    def line(self, source: str) -> str:
        """Return the problem as the one line that is printed: `Pulumi.dev.yaml:
        pools.memory.size.max: …; … [pools.max-below-min]`.
        """
        place = f"{source}: {self.path}" if self.path else source
        return f"{place}: {self.what}; {self.fix} [{self.id}]"

    def as_json(self) -> dict[str, str]:
        """The problem as commands print it with `--json`."""
        return {"id": self.id, "path": self.path, "what": self.what, "fix": self.fix}


#: Rules between sections of a stack file, each with the sections that it needs.
Rules = tuple[tuple[tuple[str, ...], Callable[..., Iterator[Problem]]], ...]


class ConfigError(Exception):
    """A stack file that cannot be used. Carries all problems that were found, in the order of
    their paths.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        """Collect the problems of one source (a file name such as `Pulumi.dev.yaml`); duplicates
        are dropped.
        """
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.line(source) for problem in self.problems))


def refused(source: str, id: str, path: str, what: str, fix: str) -> ConfigError:
    """Make the error of exactly one problem. The arguments after `source` are Problem's."""
    problem = Problem(id=id, path=path, what=what, fix=fix)
    return ConfigError(source, [problem])


class SectionError(ValueError):
    """A section that a program made of wrong options. Carries all problems that were found, in
    the order of their paths.
    """

    def __init__(self, section: str, problems: Iterable[Problem]) -> None:
        """Collect the problems of one section, called by its class."""
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.line(section) for problem in self.problems))


def refuse(id: str, what: str, fix: str) -> PydanticCustomError:
    """Make the error that a validator raises: the problem's id, what is wrong, and what to do.
    pydantic adds the path.
    """
    return PydanticCustomError("refused", "{what}", {"id": id, "what": what, "fix": fix})


def shown(value: object) -> str:
    """Return a value as it is quoted in a message: short, one line, never an object dump."""
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, dict):
        text = "a map" if value else "an empty map"
    elif isinstance(value, (list, tuple)):
        text = "a list" if value else "an empty list"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}…"


@lru_cache(maxsize=4096)  # asked of every key of every resource, and there are few different ones
def names_secret(name: str) -> bool:
    """Whether the value under a name is probably a secret."""
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS.match(name)


def shown_at(path: Iterable[int | str], value: object) -> str:
    """Return a value as it is quoted in a message about its path: not at all where the path
    names a secret.
    """
    return (
        "a value that is not shown"
        if any(isinstance(part, str) and names_secret(part) for part in path)
        else shown(value)
    )


def dotted(parts: Iterable[int | str]) -> str:
    """Join a path as a user writes it: `network.zones[1]`. A key that is not plain text is
    quoted.
    """
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _PLAIN_KEY.fullmatch(part) else shown(part)
            text += f".{key}" if text else key
    return text


def closest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word that a misspelt one most probably means, in whatever case it was
    written, or None. `cutoff` as difflib's: 1 is equal.
    """
    from difflib import get_close_matches

    by_fold = {candidate.casefold(): candidate for candidate in known}
    matches = get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=cutoff)
    return by_fold[matches[0]] if matches else None


def did_you_mean(
    word: str, known: Iterable[str], otherwise: str, *, cutoff: float = 0.6, form: str = "{}"
) -> str:
    """The fix for a word that does not exist: the known one that it most probably means, written
    as in `form`; else `otherwise`.
    """
    guess = closest(word, known, cutoff=cutoff)
    return f"did you mean {form.format(guess)}?" if guess else otherwise


def some(names: Sequence[str], most: int = 4) -> str:
    """The first names, and how many more there are: `a, b and 3 more`."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

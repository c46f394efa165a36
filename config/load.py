"""From what the engine hands over (strings, some of them JSON) to a validated stack, or to every
problem at once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from jupyterhub_aws.config.errors import ConfigError, Problem, closest, did_you_mean, dotted
from jupyterhub_aws.config.explain import no_value, problems_of
from jupyterhub_aws.config.formats import new_name, newer, outdated
from jupyterhub_aws.config.keys import foreign
from jupyterhub_aws.config.secrets import required_secrets
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig, broken_rules, file_key

__all__ = ["PROJECT", "load"]


def load(values: Mapping[str, str], *, secret: Collection[str] = (), source: str) -> StackConfig:
    """Validate a stack's configuration as the Pulumi engine gives it.

    `values` maps full keys (`jupyterhub-aws:pools`, `aws:region`) to strings: scalars as they are,
    maps and lists as JSON. `secret` are the keys whose values are encrypted; they are never read.
    `source` names the file in messages. Raises ConfigError, and nothing else, with every problem
    that can be found.
    """
    plain = {key: value for key, value in values.items() if key not in secret}
    return _validated(tuple(sorted(plain.items())), tuple(sorted(secret)), source)


@lru_cache(
    maxsize=1
)  # a plan validates before it loads the SDK, and the program does again: it is the same file
def _validated(
    items: tuple[tuple[str, str], ...], secret: tuple[str, ...], source: str
) -> StackConfig:
    values = dict(items)
    if other := _of_another_format(values, source):
        raise ConfigError(source, [other])
    problems: list[Problem] = []
    sections: dict[str, Any] = {}
    for name, field in StackConfig.model_fields.items():
        full = file_key(name)
        shown_name = full if name in PROVIDER_KEYS else name
        if full in secret:
            problems.append(
                Problem(
                    id="secret.none-there",
                    path=shown_name,
                    what=(
                        "is encrypted (`secure:`), whole or in part, but none of its options is a"
                        " secret"
                    ),
                    fix="write plain values there; a secret has a key of its own",
                )
            )
        elif full in values:
            section = _section(name, values[full], shown_name)
            problems += section if isinstance(section, list) else []
            sections.update({} if isinstance(section, list) else {name: section})
        elif field.is_required():
            problems.append(
                Problem(
                    id="option.missing",
                    path=shown_name,
                    what="is missing",
                    fix=f"add it: {field.description}",
                )
            )
        else:
            sections[name] = field.default
    problems += foreign((*values, *secret), sealed=secret)
    problems += _strangers(values, secret, sections)
    problems += broken_rules(sections)
    if problems:
        raise ConfigError(source, problems)
    return StackConfig.model_construct(**sections)


def _of_another_format(values: Mapping[str, str], source: str) -> Problem | None:
    """The only problem to report of a file in another format: all other problems would be
    consequences of old names.
    """
    sections = {
        key.partition(":")[2]: _decoded_or_text(text)
        for key, text in values.items()
        if key.startswith(f"{PROJECT}:")
    }
    stack = source.removeprefix("Pulumi.").removesuffix(".yaml").removesuffix(".yml")
    return newer(sections.get("format")) or outdated(sections, stack)


def _strangers(
    values: Mapping[str, str], secret: Collection[str], sections: Mapping[str, Any]
) -> Iterator[Problem]:
    """Find the keys that are neither a section nor a secret that a hub needs, and the secrets
    that are stored in clear text.
    """
    known = [PROVIDER_KEYS.get(section, section) for section in StackConfig.model_fields]
    outer = sections.get("parts") == "cloud"
    wanted = (
        [needed.key for needed in required_secrets({} if outer else sections["hubs"])]
        if "hubs" in sections
        else None
    )
    for key in (*values, *secret):
        namespace, _, name = key.partition(":")
        if namespace != PROJECT or (name in StackConfig.model_fields and name not in PROVIDER_KEYS):
            continue
        if wanted is None and name.startswith(
            "hub-"
        ):  # which of them are needed cannot be known while `hubs` is wrong
            continue
        if wanted is not None and name in wanted:
            if key not in secret:
                fix = f"rotate it (it was exposed), then: pulumi config set --secret {name}"
                yield Problem(
                    id="secret.clear-text",
                    path=name,
                    what="is a secret, but is stored in clear text",
                    fix=fix,
                )
            continue
        if key in secret and name.startswith("hub-") and not closest(name, wanted or ()):
            what = (
                "belongs to the stack inside the cluster"
                if outer
                else "is a secret that no hub of this stack needs"
            )
            yield Problem(
                id="secret.unused",
                path=name,
                what=what,
                fix=f"remove it{' here' if outer else ''}: pulumi config rm {name}",
            )
            continue
        if (section := name.partition(".")[0]) != name and section in StackConfig.model_fields:
            what = "is one key with dots in its name, not an option inside a section"
            yield Problem(
                id="key.dotted",
                path=dotted((name,)),
                what=what,
                fix=(
                    f"nest it below {section}; to write such a path: pulumi config set --path"
                    f" '{name}' VALUE"
                ),
            )
            continue
        among = f"remove it; the sections are {', '.join(known)}"
        fix = did_you_mean(name, [*known, *(wanted or ())], among)
        if today := new_name(name, known):
            fix = f"write {today}: its name since format 2"
        yield Problem(
            id="option.unknown",
            path=dotted((name,)),
            what="is not an option of this program",
            fix=fix,
        )


_HOLDERS: dict[str, type[BaseModel]] = {}


def _holder(name: str) -> type[BaseModel]:
    """Make a model with this one section, so that each section is validated by itself and
    reports its own problems.
    """
    if name not in _HOLDERS:
        field = StackConfig.model_fields[name]
        fields: dict[str, Any] = {name: (field.rebuild_annotation(), field)}
        _HOLDERS[name] = create_model(f"Only_{name}", __base__=_Plain, **fields)
    return _HOLDERS[name]


class _Plain(BaseModel):
    model_config = StackConfig.model_config


def _section(name: str, raw: str, path: str) -> Any:
    holder = _holder(name)
    if not raw:  # the engine also makes this of a key without a value
        what, fix = no_value(StackConfig.model_fields[name])
        return [Problem(id="option.no-value", path=path, what=what, fix=fix)]
    try:
        document = json.dumps({name: _decoded(raw)})
        return getattr(holder.model_validate_json(document), name)
    except RecursionError:
        return [
            Problem(
                id="option.too-deep",
                path=path,
                what="is nested too deeply to be read",
                fix="compare it with the reference",
            )
        ]
    except ValidationError as error:
        found = problems_of(error, holder)
        return [replace(problem, path=path + problem.path.removeprefix(name)) for problem in found]


def _decoded_or_text(raw: str) -> object:
    """The same for a first look at names: a value that is nested too deeply is refused with its
    section.
    """
    try:
        return _decoded(raw)
    except RecursionError:
        return raw


def _decoded(raw: str) -> object:
    """Decode maps and lists, which come as JSON. Scalars remain strings (the engine turns `5`
    and `true` into strings).
    """
    if raw[:1] in "{[":
        try:
            return json.loads(raw)
        except ValueError:
            return raw
    return raw

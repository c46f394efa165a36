"""`jhub explain ID`: the page of a problem, a finding or an option, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from jupyterhub_aws.cli import complete
from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.options import as_json
from jupyterhub_aws.cli.output import data_to_standard_output, say
from jupyterhub_aws.config.errors import closest

if TYPE_CHECKING:
    from jupyterhub_aws.config.explanations import Explained, ExplainedOption

#: So alike (difflib's measure) an unknown word is a misspelt id rather than the path of an option.
_ALIKE = 0.88
_EXAMPLES = (
    ("jhub explain pools.max-below-min", "a message that ends with [pools.max-below-min]"),
    ("jhub explain core-nodes-fit", "a warning of a plan"),
    ("jhub explain pools.core.size.max", "an option: its values, and what a change does"),
)


@command("explain", examples=_EXAMPLES)
@click.argument("id", required=False, shell_complete=complete.ids)
@as_json()
def explain_command(id: str | None, as_json: bool) -> int:
    """Say what a message means, why it matters and what to do, by its id.

    ID is what a message ends with (`[pools.max-below-min]`), a finding of a plan (`core-nodes-fit`),
    a section of problems (`pools`), or the path of an option. Without ID: all sections and findings.
    """
    from jupyterhub_aws.config import explanations

    if id is None:
        _overview(as_json=as_json)
        return 0
    wanted = id.strip("[]")
    known = explanations.known_ids()
    option = None if wanted in _only_ids() else explanations.explained_option(wanted)
    if option is not None and option.is_free and closest(wanted, known, cutoff=_ALIKE):
        option = None  # `pools.max-belw-min` could be a pool of that name, and is not
    if option is not None and wanted not in known:
        if as_json:
            data_to_standard_output(option.as_json())
        else:
            _print(_option_lines(option))
        return 0
    found = explanations.explained(wanted)
    if as_json:
        data = found.as_json()
        data_to_standard_output(data if option is None else {**data, "option": option.as_json()})
        return 0
    _print(_lines(found))
    if found.kind == "finding" and wanted in explanations.sections():
        say("")
        _print(_lines(explanations.explained_section(wanted)))
    if option is not None:
        say("")
        _print(_option_lines(option))
    return 0


def _only_ids() -> set[str]:
    """The ids that are not also a word of stack files: nothing is looked up there for them."""
    from jupyterhub_aws.config.explanations import known_ids, sections

    return set(known_ids()) - set(sections())


def _overview(*, as_json: bool) -> None:
    from jupyterhub_aws.config.explanations import finding_ids, sections

    if as_json:
        data_to_standard_output({"sections": sections(), "findings": finding_ids()})
        return
    say("Sections of problems. One of them: jhub explain SECTION")
    width = max(map(len, sections()))
    for name, says in sections().items():
        say(says.partition(". ")[0].rstrip("."), begins=f"  {name:<{width}}  ")
    say("")
    say("Findings of a plan. One of them: jhub explain ID")
    for name in finding_ids():
        say(name, begins="  ")


def _print(lines: Iterator[tuple[str, str]]) -> None:
    for begins, text in lines:
        say(text, begins=begins, further=" " * len(begins))


def _lines(about: Explained) -> Iterator[tuple[str, str]]:
    """Each line with what it begins with."""
    from jupyterhub_aws.documentation import address_of, path_of, path_of_section

    kind = {"problem": "a problem", "finding": "a finding of a plan", "section": "problems"}
    yield "", f"{about.id}: {kind[about.kind]}"
    if about.kind == "finding":
        yield "", ""
        yield "", f"{about.checks} {about.why}"
        yield "", ""
        yield "→ ", about.cure
    else:
        yield "", ""
        yield "", about.says
    if about.options:
        yield "", ""
        yield "", f"Options: {', '.join(about.options)}. One of them: jhub explain OPTION"
    shown = [item for item in about.wordings if item.status != "pass"]
    if shown:
        yield "", ""
        yield "", "What it says:"
    for item in shown:
        yield "  ", f"{item.status}: {item.what}" if item.status else item.what
        if item.fix:
            yield "    → ", item.fix
    if about.ids:
        yield "", ""
        yield "", "Its problems:"
        yield from (("  ", which) for which in about.ids)
    path = path_of_section(about.id) if about.kind == "section" else path_of(about.id)
    where = address_of(path)
    if where is not None:
        yield "", ""
        yield "", f"More: {where}"


def _option_lines(option: ExplainedOption) -> Iterator[tuple[str, str]]:
    from jupyterhub_aws.documentation import address_of, path_of_option

    yield "", f"{option.path}: an option of stack files"
    yield "", ""
    yield "", option.says
    if option.kinds:
        yield "Values:  ", ", ".join(option.kinds)
    yield "Default: ", option.default
    if option.changing:
        yield "Change:  ", option.changing
    if option.inside:
        yield "Options: ", ", ".join(option.inside)
    where = address_of(path_of_option(option.path))
    if where is not None:
        yield "More:    ", where

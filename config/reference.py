"""The reference pages of the documentation, generated from the models: docs/reference.md has every
section of a stack file, docs/reference/SECTION.md every option of one, under a heading and an
anchor of its own; docs/versions.md has the pinned versions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from jupyterhub_aws.config.schema import Node, flow, models_schema, variants
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS
from jupyterhub_aws.config.versions import kubernetes_versions, pins

_GENERATED = """<!-- Generated from config/*.py and config/data/versions.toml by `jhub docs`. Do not edit: run `make docs`. -->
"""
_HEAD = f"""{_GENERATED}
# Options of a stack file

Every option of `Pulumi.<stack>.yaml`, with its default and with what a change does to a running hub.
Each section has a page of its own; the options that are no section are further down on this one.

## How to read it

- A path such as `pools.core.size` means: in `Pulumi.<stack>.yaml`, below `config:` and there under
  `pools`, the option `core`, and in it `size`. `<name>` in a path is a name of your choice, `[]` an
  entry of a list.
- **Value** is the type with its limits. **Default** is what holds where the file says nothing;
  **required** has none. **A change** tells what happens to a running hub when you change the option and
  run `pulumi up`.
- Pulumi reads `pools` and `PROJECT:pools` as one key, where PROJECT is the `name` in Pulumi.yaml (here
  `{PROJECT}`). Write each key once, in either form.
- `pulumi stack init` and `pulumi config set` write the prefix themselves, and drop the comments below
  keys that have none: commit the file first.
- Keys of providers keep their prefix: `aws:region`.
"""
_MINOR_COLUMNS = ("Kubernetes", "standard support until", "extended support until")
#: Wider cells do not stretch their column, so that in a terminal the others are still aligned.
_WIDEST = 34
_PARAGRAPH = "\n\n"
#: HTML and GitHub know six levels of headings.
_DEEPEST = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class _OptionPlace:
    """A place in a stack file: its path, the page's anchor for it, and the schema of its value."""

    path: str
    anchor: str
    node: Node

    def below(self, name: str, node: Node) -> _OptionPlace:
        path = f"{self.path}{name}" if name == "[]" or not self.path else f"{self.path}.{name}"
        return _OptionPlace(
            path=path, anchor=f"{self.anchor}.{name.strip('<[]>')}".strip("."), node=node
        )


def reference_pages() -> dict[str, str]:
    """The generated pages by their paths below docs/."""
    schema = models_schema()
    definitions: Node = schema["$defs"]
    places = [
        _OptionPlace(path=PROVIDER_KEYS.get(name, name), anchor=name, node=node)
        for name, node in schema["properties"].items()
    ]
    sections = [place for place in places if _is_section(place.node, definitions)]
    pages = {"reference.md": _overview(schema["description"], places, sections, definitions)}
    for place in sections:
        lines = [_GENERATED.rstrip(), *_section(place, definitions, 1)]
        pages[f"reference/{place.anchor}.md"] = "\n".join(lines).rstrip() + "\n"
    pages["versions.md"] = "\n".join(_versions()) + "\n"
    return pages


def _overview(
    said: str,
    places: Sequence[_OptionPlace],
    sections: Sequence[_OptionPlace],
    definitions: Node,
) -> str:
    lines = [_HEAD, "## The whole stack", "", said, ""]
    lines += _table(
        ("option", "what it says"),
        (
            [
                (
                    # The anchors of the whole page that this one was.
                    f'<a id="{place.anchor}"></a>[`{place.path}`](reference/{place.anchor}.md)'
                    if place in sections
                    else f"[`{place.path}`](#{place.anchor})"
                ),
                place.node["description"],
            ]
            for place in places
        ),
    )
    lines += ["", "## Options that are no section"]
    for place in places:
        if place not in sections:
            lines += _option(place, definitions, 3)
    return "\n".join(lines) + "\n"


def _heading(text: str, anchor: str, level: int) -> tuple[str, str, str]:
    """A heading with an anchor that is the option's path: GitHub would leave out its dots."""
    return ("", f'{"#" * min(level, _DEEPEST)} {text} <a id="{anchor}"></a>', "")


def _option(place: _OptionPlace, definitions: Node, level: int) -> Iterator[str]:
    """One option: what it does, what it takes, its default, what a change does."""
    inside = _entry(place).node
    does = place.node["description"]
    if _is_section(place.node, definitions) and not _choices(inside, definitions):
        does = f"{does} {_model(inside, definitions)['description']}"
    yield from _heading(f"`{place.path}`", place.anchor, level)
    yield from (does, "")
    yield from _facts(place, definitions)


def _facts(place: _OptionPlace, definitions: Node) -> Iterator[str]:
    node = place.node
    default = (
        f"`{flow(node['default'])}`"
        if node.get("default") is not None
        else ("not set" if "default" in node else "**required**")
    )
    yield f"- Value: {_kind(node, definitions)}"
    yield f"- Default: {default}"
    yield f"- A change: {node['changing']}"


def _section(place: _OptionPlace, definitions: Node, level: int) -> Iterator[str]:
    """Say in a section why this part exists, then give its options."""
    yield from _heading(f"`{place.path}`", place.anchor, level)
    base = _entry(place)
    is_option = "changing" in place.node  # entries under names of your choice have no facts
    if choices := _choices(base.node, definitions):
        if is_option:
            yield from (place.node["description"], "", *_facts(place, definitions), "")
        yield from _union(base, choices, definitions, level)
        return
    model = _model(base.node, definitions)
    named = _names(place.node if base is not place else model)
    yield " ".join(filter(None, (model["description"], named)))
    if is_option:
        yield from ("", *_facts(place, definitions))
    yield from _options_of(base, model, definitions, level)


def _union(
    place: _OptionPlace, choices: Sequence[tuple[str, str, Node]], definitions: Node, level: int
) -> Iterator[str]:
    """List the choices, the options that all of them share, then the options of each alone."""
    key = choices[0][0]
    yield from (f"`{key}` chooses what it is:", "")
    yield from (
        f"- [`{value}`](#{place.anchor}.{value}): {member['description'].partition(_PARAGRAPH)[0]}"
        for _, value, member in choices
    )
    members = [member["properties"] for _, _, member in choices]
    shared = {
        name: option
        for name, option in members[0].items()
        if all(member.get(name) == option for member in members)
    }
    if shared:
        yield from _heading(f"Options with every `{key}`", f"{place.anchor}.every-{key}", level + 1)
        yield f"`{place.path}` takes these whatever its `{key}` is."
        yield from _options_of(place, {"properties": shared}, definitions, level + 1)
    for _, value, member in choices:
        own = {name: option for name, option in member["properties"].items() if name not in shared}
        variant = _OptionPlace(path=place.path, anchor=f"{place.anchor}.{value}", node=member)
        yield from _heading(f"`{place.path}` with `{key}: {value}`", variant.anchor, level + 1)
        yield member["description"]
        yield from _options_of(variant, {"properties": own}, definitions, level + 1)


def _options_of(place: _OptionPlace, model: Node, definitions: Node, level: int) -> Iterator[str]:
    """Give a model's options in their order, each followed by what is inside it, then the entries
    under names of your choice.
    """
    for name, node in model["properties"].items():
        option = place.below(name, node)
        inside = _entry(option)
        if _choices(inside.node, definitions):
            yield from _section(option, definitions, level + 1)
            continue
        yield from _option(option, definitions, level + 1)
        if _is_section(node, definitions):
            yield from _options_of(inside, _model(inside.node, definitions), definitions, level + 1)
    if isinstance(model.get("additionalProperties"), dict):
        yield from _section(
            place.below("<name>", model["additionalProperties"]), definitions, level + 1
        )


def _entry(place: _OptionPlace) -> _OptionPlace:
    """The schema of the value at a place, or of each entry of the map or list there."""
    node = _given(place.node)
    if isinstance(node.get("additionalProperties"), dict):
        return place.below("<name>", node["additionalProperties"])
    if "items" in node:
        return place.below("[]", node["items"])
    return place


def _given(node: Node) -> Node:
    """The schema of an option that is set; its default describes an option that is not."""
    return next((choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"), node)


def _choices(node: Node, definitions: Node) -> list[tuple[str, str, Node]]:
    return variants(_given(node), definitions)


def _model(node: Node, definitions: Node) -> Node:
    model: Node = definitions[_given(node)["$ref"].rpartition("/")[2]]
    return model


def _is_section(node: Node, definitions: Node) -> bool:
    inside = _entry(_OptionPlace(path="", anchor="", node=node)).node
    return "$ref" in _given(inside) or bool(_choices(inside, definitions))


def _kind(node: Node, definitions: Node) -> str:
    """The type of a value, with limits and unit."""
    unit, node = node.get("unit", ""), _given(node)
    if choices := _choices(node, definitions):
        return f"section, by `{choices[0][0]}`: {_listed(value for _, value, _ in choices)}"
    if "enum" in node or "const" in node:
        return f"{_listed(node.get('enum', [node.get('const')]))} {unit}".rstrip()
    match node.get("type", "section"):
        case "array":
            parts = [
                f"list of {_kind(node['items'], definitions)}",
                _limits(node, "Items", "entries"),
            ]
        case "object":
            values = node["additionalProperties"]  # `true`: any value that the other program takes
            parts = [
                (
                    f"map of text to {_kind(values, definitions)}"
                    if isinstance(values, dict)
                    else "map"
                ),
                _limits(node, "Properties", "entries"),
            ]
        case "integer":
            parts = ["whole number", _limits(node, "imum", unit) or unit]
        case "number":
            above = f"more than {node['exclusiveMinimum']}" if "exclusiveMinimum" in node else ""
            parts = ["number", above, _limits(node, "imum", unit) or unit]
        case "string":
            parts = ["text", _form(node), _limits(node, "Length", "characters"), unit]
        case "boolean":
            parts = ["`true` or `false`"]
        case other:
            parts = [str(other)]
    return _joined(*parts)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _form(node: Node) -> str:
    if "examples" in node:
        return f"such as {_listed(map(flow, node['examples']))}"
    return f"matching `{node['pattern']}`" if "pattern" in node else ""


def _limits(node: Node, what: str, unit: str) -> str:
    least, most = node.get(f"min{what}"), node.get(f"max{what}")
    if most is None:
        return f"at least {least} {unit}".rstrip() if least is not None else ""
    return (f"at most {most} {unit}" if least is None else f"{least} to {most} {unit}").rstrip()


def _names(node: Node) -> str:
    """The allowed names of a map's entries."""
    keys = node.get("propertyNames")
    return (
        f"`<name>` is a name of your choice: {_joined(_kind({'type': 'string', **keys}, {}))}."
        if keys
        else ""
    )


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a Markdown table that reads in a terminal too: columns in line, long texts last."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    widths = [
        min(max(len(row[index]) for row in [columns, *cells]), _WIDEST)
        for index in range(len(columns))
    ]
    widths[-1] = 3
    for row in (columns, ["-" * width for width in widths], *cells):
        yield (
            f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        )


def _versions() -> Iterator[str]:
    yield from (_GENERATED, "# Versions and support dates", "")
    yield from (
        (
            "What this version of the library installs: the Kubernetes minors of `cluster.version`"
            " with the days on which AWS ends their support, and what each brings with it. From"
            " `config/data/versions.toml`. `jhub versions STACK` says which of them a stack runs, what"
            " is near its end and what is insecure."
        ),
        "",
        "## Kubernetes",
        "",
    )
    minors = kubernetes_versions()
    yield from _table(
        _MINOR_COLUMNS,
        (
            [minor, str(row.standard_support_until), str(row.extended_support_until)]
            for minor, row in minors.items()
        ),
    )
    sources = dict.fromkeys(row.source for row in minors.values())
    yield from ("", f"Source: {'; '.join(sources)}.")
    yield from (
        "",
        ("To move a stack to the next minor: [Upgrading Kubernetes](upgrading-kubernetes.md)."),
    )
    kinds = list(dict.fromkeys(row.kind for row in pins()))
    for minor in ("", *minors):
        rows = [row for row in pins() if (row.kubernetes or "") == minor]
        if not rows:
            continue
        yield from (
            "",
            f"## {f'With Kubernetes {minor}' if minor else 'With every Kubernetes'}",
            "",
        )
        yield from (
            f"- {row.kind} `{row.name}`: {row.version} ({row.source}, {row.date}"
            f"{'' if row.verified else '; not verified'})"
            for row in sorted(rows, key=lambda row: kinds.index(row.kind))
        )
    yield from (
        "",
        (
            "Not verified means taken by analogy: the source does not name this version for this"
            " minor, and every plan that uses it warns."
        ),
    )

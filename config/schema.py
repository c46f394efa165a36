"""The stack file as JSON Schema for editors and CI: the models are the source, this file only
writes them in plain keywords.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import TypeAdapter

from jupyterhub_aws.config.pools import Pools
from jupyterhub_aws.config.secrets import SECRET_ENDINGS, SERVICE_TOKEN_ENDING
from jupyterhub_aws.config.stack import PROJECT, PROVIDER_KEYS, StackConfig, file_key
from jupyterhub_aws.config.values import ShortName

Node = dict[str, Any]

_MAPS = ("$defs", "properties")
_LISTS = ("anyOf", "oneOf")
_SINGLES = ("additionalProperties", "items", "propertyNames")
#: Written by us or by pydantic, unknown to a validator: their content goes into the hover text, and
#: the tags are `const`s.
_OURS = ("changing", "discriminator", "unit")

#: What the engine itself writes beside `config`.
_ENGINE: Node = {
    "secretsprovider": {
        "type": "string",
        "description": (
            "The key that encrypts this stack's secrets, such as awskms://alias/pulumi. Written by"
            " the engine."
        ),
    },
    "encryptedkey": {
        "type": "string",
        "description": (
            "The stack's data key, encrypted by the secrets provider. Written by the engine: never"
            " edit it."
        ),
    },
    "encryptionsalt": {
        "type": "string",
        "description": "Salt of the stack's passphrase. Written by the engine: never edit it.",
    },
    "environment": {
        "type": ["array", "object"],
        "description": "Pulumi ESC environments. This program needs none.",
    },
}


_EXISTING: Node = {"properties": {"kind": {"const": "existing"}}, "required": ["kind"]}

#: What `pulumi config set --secret` writes.
_SECRET: Node = {
    "description": "A secret of a hub. Write it with: pulumi config set --secret",
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def models_schema() -> Node:
    """Describe the models as pydantic does, `changing` and `unit` included, but every map in one
    way.

    A map is `additionalProperties` for its values and `propertyNames` for its keys. pydantic turns
    a key's pattern into `patternProperties`, which lets every other key pass, and forgets the keys
    of a model's extra fields.
    """
    schema = _changed(
        StackConfig.model_json_schema(mode="validation"),
        lambda node: _on_one_line(_with_required_tags(_one_kind_of_map(node))),
    )
    pools = schema["$defs"][Pools.__name__]
    pools["propertyNames"] = TypeAdapter(ShortName).json_schema()
    choices = variants(pools["additionalProperties"], schema["$defs"])
    pools["additionalProperties"]["description"] = " ".join(
        f"`{key}: {value}`: {member['description']}" for key, value, member in choices
    )
    return schema


def stack_schema() -> Node:
    """Build the JSON Schema of a whole stack file, `config:` and the engine's own keys included."""
    models = models_schema()
    prefixed = [name for name in models["properties"] if name not in PROVIDER_KEYS]
    config = {
        "description": models["description"],
        "type": "object",
        "properties": {
            **{
                PROVIDER_KEYS.get(name, name): _as_the_engine_takes_it(_changed(node, _plain))
                for name, node in models["properties"].items()
            },
            **{
                file_key(name): {"$ref": f"#/properties/config/properties/{name}"}
                for name in prefixed
            },  # Pulumi reads both as one key
        },
        "patternProperties": {
            rf"^(?!{PROJECT}:)[a-z][a-z0-9-]*:": {},  # providers validate their own keys
            rf"^({PROJECT}:)?hub-[a-z0-9-]+-({'|'.join((*SECRET_ENDINGS, SERVICE_TOKEN_ENDING))})$": _SECRET,
        },
        "additionalProperties": False,
        "allOf": [{"not": {"required": [name, file_key(name)]}} for name in prefixed],
        "anyOf": [
            {
                "allOf": [_either(name) for name in models["required"]],
                "if": {
                    "anyOf": [
                        {"properties": {key: _EXISTING}, "required": [key]}
                        for key in ("cluster", file_key("cluster"))
                    ]
                },
                "else": {"required": [file_key("region")]},
            },
            _either("cloud_stack"),  # an inner stack takes everything from its outer one
        ],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": (
            "Generated from config/*.py by `jhub schema`: change the models, then run `make docs`."
        ),
        "title": f"Stack file of {PROJECT}",
        "description": (
            "One stack: its hubs and infrastructure, and the key that encrypts its secrets."
        ),
        "type": "object",
        "properties": {"config": config, **_ENGINE},
        "additionalProperties": False,
        "required": ["config"],
        "$defs": {name: _changed(node, _plain) for name, node in models["$defs"].items()},
    }


def _either(name: str) -> Node:
    """A section is present, with the project's prefix or without."""
    return {"anyOf": [{"required": [name]}, {"required": [file_key(name)]}]}


def render_schema() -> str:
    """Write the text of config/stack.schema.json."""
    return json.dumps(stack_schema(), indent=2, ensure_ascii=False) + "\n"


def flow(value: object) -> str:
    """Write a default as a user would, on one line of a stack file; `not set` where an absent
    option has a meaning of its own.
    """
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        inside = ", ".join(f"{key}: {flow(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str) and not re.search(
        r"[A-Za-z/]", value
    ):  # text of digits only stays text by its quotes
        return json.dumps(value)
    return str(value)


def variants(node: Node, definitions: Node) -> list[tuple[str, str, Node]]:
    """List the members of a discriminated union: the option that tells them apart, its value,
    and the member's schema.
    """
    if "discriminator" not in node:
        return []
    key = node["discriminator"]["propertyName"]
    members = [definitions[member["$ref"].rpartition("/")[2]] for member in node["oneOf"]]
    return [(key, member["properties"][key]["const"], member) for member in members]


def _below(node: Node) -> Iterator[tuple[dict[Any, Any] | list[Any], Any, Node]]:
    """Every schema directly inside a schema, with its place: (container, key or index, schema)."""
    for keyword in _MAPS:
        inner = node.get(keyword, {})
        yield from ((inner, name, child) for name, child in inner.items())
    for keyword in _LISTS:
        members = node.get(keyword, [])
        yield from ((members, index, child) for index, child in enumerate(members))
    for keyword in _SINGLES:
        if isinstance(node.get(keyword), dict):  # additionalProperties may be `false`
            yield node, keyword, node[keyword]


def _changed(node: Node, change: Callable[[Node], Node]) -> Node:
    """`change` applied to every schema in a schema, the innermost first. Works in place: callers
    pass a fresh copy.
    """
    for container, key, child in list(_below(node)):
        container[key] = _changed(child, change)
    return change(node)


def _one_kind_of_map(node: Node) -> Node:
    patterns = node.pop("patternProperties", {})
    for pattern, values in patterns.items():
        node["propertyNames"] = {**node.get("propertyNames", {}), "pattern": pattern}
        node["additionalProperties"] = values
    return node


def _with_required_tags(node: Node) -> Node:
    """A program knows a section's kind by its class, a stack file only by the option that says
    it.
    """
    properties = node.get("properties", {})
    tags = [name for name, option in properties.items() if option.pop("tag", False)]
    for name in tags:
        del properties[name]["default"]
    if tags:
        node["required"] = [
            name for name in properties if name in tags or name in node.get("required", ())
        ]
    return node


def _on_one_line(node: Node) -> Node:
    """A docstring's lines are those of the source: one for each paragraph is what is meant."""
    if isinstance(node.get("description"), str):
        node["description"] = "\n\n".join(
            " ".join(paragraph.split()) for paragraph in node["description"].split("\n\n")
        )
    return node


def _plain(node: Node) -> Node:
    """Only keywords that every validator knows; an option's reasons as hover text, without a
    title that repeats its name.
    """
    if "changing" in node:
        node = {
            **_hover_text(node),
            **{key: value for key, value in node.items() if key not in ("title", "description")},
        }
    # A `null` default would make an editor insert `option: null`.
    return {
        key: value
        for key, value in node.items()
        if key not in _OURS and not (key == "default" and value is None)
    }


def _hover_text(option: Node) -> Node:
    """Write `description` for every editor, and the same with accents for VS Code. Without a
    default an option is required.
    """
    said, changing, unit = option["description"], option["changing"], option.get("unit")
    default = flow(option["default"]) if "default" in option else None
    plain, accented = (
        (f"Default: {default}.", f"**Default:** `{default}`")
        if default
        else ("Required.", "**Required**")
    )
    if unit:
        plain, accented = f"{plain} Unit: {unit}.", f"{accented}, **unit:** {unit}"
    return {
        "description": f"{said} {plain} Changing it: {changing}",
        "markdownDescription": f"{said}\n\n{accented}\n\n**Changing it:** {changing}",
    }


def _as_the_engine_takes_it(node: Node) -> Node:
    """`pulumi config set` writes top-level scalars as text: `true` and `"true"`, `2` and `"2"`
    reach the program as the same string.
    """
    if node.get("type") == "integer" and "enum" in node:
        return {
            **{key: value for key, value in node.items() if key != "type"},
            "enum": [*node["enum"], *map(str, node["enum"])],
        }
    if node.get("type") != "boolean":
        return node
    return {
        **{key: value for key, value in node.items() if key != "type"},
        "enum": [True, False, "true", "false"],
    }

"""The schema and the reference say what the models say: nothing stale, nothing left out, nothing
allowed that is refused.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.load import PROJECT, load
from jupyterhub_aws.config.model import is_tag
from jupyterhub_aws.config.pools import AnyUserPool, Pools
from jupyterhub_aws.config.reference import reference_pages
from jupyterhub_aws.config.schema import (
    _as_the_engine_takes_it,
    flow,
    models_schema,
    render_schema,
    stack_schema,
)
from jupyterhub_aws.config.stack import PROVIDER_KEYS, StackConfig
from jupyterhub_aws.config.versions import kubernetes_versions, pins
from tests.support.json_schema import Draft7Validator, Draft202012Validator
from tests.support.stack_files import engine_key

ROOT = Path(__file__).parents[2]
Keys = tuple[str | int, ...]


@pytest.fixture(scope="module")
def schema():
    return stack_schema()


@pytest.fixture(scope="module")
def pages():
    return reference_pages()


@pytest.fixture
def dev():
    return YAML(typ="safe").load((ROOT / "Pulumi.dev.yaml").read_text(encoding="utf-8"))


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for argument in get_args(annotation):
            yield from models_in(argument)


def entry_of(annotation: Any) -> str:
    """What stands between a map or a list of models and an option of its entries, behind `|
    None` too.
    """
    own = {dict: ".<name>", tuple: "[]"}.get(get_origin(annotation), "")
    return own or "".join(
        entry_of(argument)
        for argument in get_args(annotation)
        if get_origin(argument) in (dict, tuple)
    )


def options(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel], str]]:
    """Every option below a model: its path in a stack file, and where it is declared.
    Independent of any schema.
    """
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else PROVIDER_KEYS.get(name, name)
        yield here, model, name
        for inner in models_in(field.annotation):
            yield from options(inner, here + entry_of(field.annotation))
    if model is Pools:
        for inner in models_in(AnyUserPool):
            yield from options(inner, f"{path}.<name>")


OPTIONS = list(options(StackConfig))
MODELS = {model.__name__: model for _, model, _ in OPTIONS}


def refusals(schema: dict[str, Any], document: object) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def as_the_engine_gives_it(document: dict[str, Any]) -> dict[str, str]:
    config = document["config"].items()
    return {
        engine_key(key): value if isinstance(value, str) else json.dumps(value)
        for key, value in config
    }


def changed(document: dict[str, Any], path: Keys, value: object) -> dict[str, Any]:
    """The document with one value set, or taken away where `value` is `...`."""
    document = copy.deepcopy(document)
    *above, last = path
    place: Any = document
    for part in above:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def section(name: str, *below: str | int) -> Keys:
    return ("config", name, *below)


@pytest.mark.parametrize(
    ("file", "render"),
    [
        ("config/stack.schema.json", render_schema),
        *(
            (f"docs/{name}", lambda name=name: reference_pages()[name])
            for name in ("reference.md", "reference/pools.md", "versions.md")
        ),
    ],
)
def test_the_committed_file_is_what_the_models_say(file, render):
    text = render()
    assert text == render() and text.endswith("\n") and not text.endswith("\n\n")
    assert (ROOT / file).read_text(encoding="utf-8") == text, (
        f"{file} is stale: the models changed. Run `make docs` and commit the result."
    )


def test_the_schema_is_a_schema(schema):
    Draft202012Validator.check_schema(schema)


def test_the_dev_stack_is_valid(schema, dev):
    assert refusals(schema, dev) == []


def test_keys_of_the_engine_and_of_providers_are_taken(schema, dev):
    dev |= {
        "secretsprovider": "awskms://alias/pulumi",
        "encryptedkey": "AQ==",
        "encryptionsalt": "v1:AA==",
        "environment": ["shared"],
    }
    dev["config"] |= {
        "aws:profile": "lab",
        "aws:allowedAccountIds": ["123456789012"],
        "kubernetes:context": "x",
        "eks:token": {"secure": "v1:AA=="},
    }
    assert refusals(schema, dev) == []


WRONG = {
    "an unknown section": (section("netwrok"), {}),
    "a section that is the provider's": (section("region"), "us-east-1"),
    "a section that is missing": (section("cluster"), ...),
    "no region": (("config", "aws:region"), ...),
    "a wrong enum": (section("network", "nat"), "none"),
    "a wrong tag": (section("pools", "memory", "capacity"), "cheap"),
    "no tag": (section("pools", "memory", "capacity"), ...),
    "a missing option": (section("pools", "memory", "size", "max"), ...),
    "max_price on demand": (
        section("pools", "memory"),
        {
            "capacity": "on_demand",
            "max_price": "0.40",
            "instance_types": ["m7i.large"],
            "size": {"max": 1},
        },
    ),
    "a price as a number": (section("pools", "memory", "max_price"), 0.4),
    "a version as a number": (section("cluster", "version"), 1.35),
    "an unknown option in a nested map": (section("pools", "core", "disk", "size_gb"), 50),
    "a number beyond its limit": (section("pools", "core", "disk", "size_gib"), 5),
    "a share of nothing": (section("hubs", "main", "profiles", "small", "guarantee"), 0),
    "a share of more than all": (section("hubs", "main", "profiles", "small", "guarantee"), 1.5),
    "a number in quotes": (section("hubs", "main", "profiles", "small", "cpu"), "2"),
    "a number that is a truth": (section("hubs", "main", "profiles", "small", "cpu"), True),
    "one zone": (section("network", "zones"), ["us-east-1a"]),
    "a pool with an impossible name": (
        section("pools", "Big_Pool"),
        {"capacity": "spot", "instance_types": ["m7i.large"], "size": {"max": 1}},
    ),
    "a pool with a long name": (
        section("pools", "a" * 21),
        {"capacity": "spot", "instance_types": ["m7i.large"], "size": {"max": 1}},
    ),
    "a hub with an impossible name": (section("hubs"), {"Big_Hub": {}}),
    "homes of no kind": (section("homes"), {}),
    "a name with capitals": (section("name"), "Hub"),
}


@pytest.mark.parametrize(("path", "value"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_by_the_schema_and_by_the_models(schema, dev, path, value):
    wrong = changed(dev, path, value)
    assert refusals(schema, wrong)
    with pytest.raises(ConfigError):
        load(as_the_engine_gives_it(wrong), source="Pulumi.dev.yaml")


@pytest.mark.parametrize(
    "document",
    [{}, {"config": None}, {"config": {}, "resources": {}}],
    ids=["no config", "empty config", "unknown key beside config"],
)
def test_a_file_that_is_no_stack_file_is_refused(schema, document):
    assert refusals(schema, document)


RIGHT = {
    "homes of another kind": (section("homes"), {"kind": "ebs"}),
    "a hub": (
        section("hubs"),
        {
            "physics": {
                "sign_in": {"kind": "shared_password"},
                "entry": {"kind": "port_forward"},
                "pools": ["memory"],
            }
        },
    ),
    "a fraction of a core": (section("hubs", "main", "profiles", "small", "cpu"), 0.5),
    "all of what one asks for": (section("hubs", "main", "profiles", "small", "guarantee"), 1),
    "an option left out by null": (section("pools", "memory", "max_price"), None),
    "flow logs": (section("network", "flow_logs"), {"traffic": "ALL"}),
    "a pool on demand": (
        section("pools", "steady"),
        {"capacity": "on_demand", "instance_types": ["m7i.large"], "size": {"max": 1}},
    ),
    "an import": (section("imports"), {"aws:ec2/vpc:Vpc::network-vpc": "vpc-0123456789abcdef0"}),
}


@pytest.mark.parametrize(("path", "value"), RIGHT.values(), ids=RIGHT)
def test_what_is_right_is_taken_by_the_schema_and_by_the_models(schema, dev, path, value):
    right = changed(dev, path, value)
    assert refusals(schema, right) == []
    load(as_the_engine_gives_it(right), source="Pulumi.dev.yaml")


def test_the_sections_are_the_models(schema):
    config = schema["properties"]["config"]
    names = {
        PROVIDER_KEYS.get(name, name): field.is_required()
        for name, field in StackConfig.model_fields.items()
    }
    assert set(config["properties"]) == {
        *names,
        *(f"{PROJECT}:{name}" for name in names if ":" not in name),
    }
    whole, inner = config["anyOf"]
    either = [
        {"anyOf": [{"required": [name]}, {"required": [f"{PROJECT}:{name}"]}]}
        for name, required in names.items()
        if required
    ]
    assert whole["allOf"] == either
    assert whole["else"] == {"required": ["aws:region"]} and inner["anyOf"][0] == {
        "required": ["cloud_stack"]
    }
    assert config["additionalProperties"] is False


@pytest.mark.parametrize("name", ["name", "cluster", "hubs"])
def test_a_section_is_taken_in_either_form_and_not_in_both(schema, dev, name):
    config = dev["config"]
    config[f"{PROJECT}:{name}"] = config[name]
    assert refusals(schema, dev)
    del config[name]
    assert refusals(schema, dev) == []
    config[f"{PROJECT}:{name}"] = ["no such thing"]
    assert refusals(schema, dev)


def test_a_cluster_that_exists_needs_no_region_in_either_form(schema):
    for prefix in ("", f"{PROJECT}:"):
        config = {f"{prefix}{key}": value for key, value in _KUBEADM.items()}
        assert refusals(schema, {"config": config}) == []
        config[f"{prefix}cluster"] = {"kind": "eks", "version": "1.35"}
        assert refusals(schema, {"config": config})


_KUBEADM = YAML(typ="safe").load(
    (ROOT / "examples/kubeadm/Pulumi.kubeadm.yaml").read_text(encoding="utf-8")
)["config"]


def test_every_model_has_a_definition_and_every_definition_a_model(schema):
    assert set(schema["$defs"]) == set(MODELS) - {StackConfig.__name__}


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(set(MODELS) - {StackConfig.__name__}))
def test_a_definition_has_the_options_of_its_model(schema, name):
    definition, fields = schema["$defs"][name], MODELS[name].model_fields
    assert set(definition["properties"]) == set(fields)
    assert set(definition.get("required", [])) == {
        option for option, field in fields.items() if field.is_required() or is_tag(field)
    }
    # Hover text and reference call an option required where the schema has no default.
    assert {
        option
        for option, node in models_schema()["$defs"][name]["properties"].items()
        if "default" not in node
    } == set(definition.get("required", []))
    if name == Pools.__name__:
        assert len(definition["additionalProperties"]["oneOf"]) == len(get_args(AnyUserPool))
        assert definition["propertyNames"]["pattern"]
    else:
        assert definition["additionalProperties"] is False


def test_the_choices_of_a_union_are_told_apart_by_constants(schema):
    homes = schema["properties"]["config"]["properties"]["homes"]
    for union, key in (
        (schema["$defs"]["Pools"]["additionalProperties"], "capacity"),
        (homes, "kind"),
    ):
        members = [schema["$defs"][member["$ref"].rpartition("/")[2]] for member in union["oneOf"]]
        assert all(key in member["required"] for member in members)
        assert len({member["properties"][key]["const"] for member in members}) == len(members) > 1


def test_the_schema_has_only_keywords_that_a_validator_knows():
    judging = set(
        "$ref additionalProperties allOf anyOf const enum exclusiveMinimum items maxItems maxLength"
        " maxProperties maximum minItems".split()
    )
    judging |= set(
        "minLength not else if minProperties minimum oneOf pattern patternProperties properties"
        " propertyNames required type".split()
    )
    # The yaml-language-server of editors reads draft 7, where `exclusiveMinimum` is a number
    # already.
    assert judging - {"else"} <= set(Draft202012Validator.VALIDATORS) & set(
        Draft7Validator.VALIDATORS
    )  # `else` is judged with its `if`
    known = judging | {
        "markdownDescription",
        *"$comment $defs $schema default description examples title".split(),
    }

    def keywords(node: Any) -> Iterator[str]:
        yield from node
        for key, value in node.items():
            if key in ("properties", "$defs", "patternProperties"):
                for child in value.values():
                    yield from keywords(child)
            elif key in ("allOf", "anyOf", "oneOf"):
                for child in value:
                    yield from keywords(child)
            elif key in ("items", "additionalProperties", "propertyNames") and isinstance(
                value, dict
            ):
                yield from keywords(value)

    assert set(keywords(stack_schema())) <= known


def test_hover_text_says_default_unit_and_what_a_change_does(schema):
    size = schema["$defs"]["Size"]["properties"]["min"]
    assert size["description"].endswith(" Default: 0. Unit: nodes. Changing it: In place.")
    assert size["markdownDescription"].endswith(
        "\n\n**Default:** `0`, **unit:** nodes\n\n**Changing it:** In place."
    )
    assert (
        " Required. Changing it: "
        in schema["properties"]["config"]["properties"]["name"]["description"]
    )
    price = schema["$defs"]["SpotPool"]["properties"]["max_price"]
    assert " Default: not set. Unit: USD per hour. " in price["description"]
    assert "default" not in price  # or an editor would insert `max_price: null`


def test_a_boolean_at_top_level_may_be_text_because_the_engine_writes_it_so():
    widened = _as_the_engine_takes_it({"type": "boolean", "description": "x"})
    assert (
        not refusals(widened, True)
        and not refusals(widened, "true")
        and refusals(widened, "yes")
        and refusals(widened, 1)
    )
    assert _as_the_engine_takes_it({"type": "string"}) == {"type": "string"}


SHOWN = {
    "not set": None,
    "true": True,
    "3000": 3000,
    '"0.35"': "0.35",
    "172.20.0.0/16": "172.20.0.0/16",
    "[]": [],
    "{}": {},
    "[a, b]": ["a", "b"],
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *SHOWN.items(),
        ("{ kind: efs, deep: { on: false } }", {"kind": "efs", "deep": {"on": False}}),
    ],
)
def test_a_default_is_shown_as_a_person_writes_it(text, value):
    assert flow(value) == text
    assert value is None or YAML(typ="safe").load(text) == value


@pytest.mark.real
@pytest.mark.parametrize(
    ("model", "name"), sorted({(model.__name__, name) for _, model, name in OPTIONS})
)
def test_every_option_says_what_it_does_and_what_changing_it_does(model, name):
    field = MODELS[model].model_fields[name]
    extra = field.json_schema_extra
    assert field.description and field.description.strip(), (
        f"{model}.{name} has no description: declare it with option(help=…)"
    )
    assert isinstance(extra, dict) and str(extra.get("changing", "")).strip(), (
        f"{model}.{name} has no `changing`: declare it with option(changing=…)"
    )


@pytest.mark.real
@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_says_what_it_is_for(name):
    assert MODELS[name].__doc__ and MODELS[name].__doc__ != BaseModel.__doc__
    assert name == StackConfig.__name__ or models_schema()["$defs"][name]["description"]


@pytest.mark.real
@pytest.mark.parametrize("path", sorted({path for path, _, _ in OPTIONS}))
def test_every_option_has_a_heading_in_the_reference(pages, path):
    page = pages.get(f"reference/{path.partition('.')[0]}.md", pages["reference.md"])
    heading = re.search(
        rf'^#+ `{re.escape(path)}` <a id="[^"]+"></a>\n\n(.+?)(?=^#|\Z)',
        page,
        re.MULTILINE | re.DOTALL,
    )
    assert heading, path
    assert all(f"\n- {fact}: " in heading[1] for fact in ("Value", "Default", "A change"))


def test_the_schema_order_is_that_of_the_overview_and_each_section_has_a_page(pages):
    listed = re.findall(r"^\| (?:<a id=\"[^\"]+\"></a>)?\[`([^`]+)`\]", pages["reference.md"], re.M)
    assert [name.removeprefix("aws:") for name in listed[:2]] == ["region", "allowedAccountIds"]
    assert len(listed) == len(StackConfig.model_fields)
    sections = {
        name.removeprefix("reference/").removesuffix(".md") for name in pages if "/" in name
    }
    assert sections <= set(listed) and len(sections) > 10
    assert set(pages) == {"reference.md", "versions.md", *(f"reference/{n}.md" for n in sections)}


def test_every_row_has_the_cells_of_its_table_and_no_raw_pipe(pages):
    columns = None
    for line in "\n".join(pages.values()).splitlines():
        if not line.startswith("|"):
            columns = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line)) - 1
        columns = columns or cells
        assert cells == columns, line


def test_a_page_says_that_it_is_generated_and_its_links_find_their_anchors(pages):
    for name, page in pages.items():
        assert "by `jhub docs`" in page.partition("\n")[0], name
        anchors = re.findall(r'<a id="([^"]+)"></a>', page)
        assert len(anchors) == len(set(anchors)), name
        assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(anchors), name
        levels = [len(marks) for marks in re.findall(r"^(#+) ", page, re.MULTILINE)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), name


def test_every_pinned_version_is_listed(pages):
    page = pages["versions.md"]
    rows = list(pins())
    assert rows
    assert all(f"- {row.kind} `{row.name}`: {row.version} (" in page for row in rows)
    assert len(re.findall(r"^- (addon|ami|chart|image|plugin) ", page, re.MULTILINE)) == len(rows)
    assert page.count("; not verified)") == sum(not row.verified for row in rows)
    for minor, row in kubernetes_versions().items():
        line = re.search(rf"^\| {re.escape(minor)} .*$", page, re.MULTILINE)[0]
        assert str(row.standard_support_until) in line and str(row.extended_support_until) in line

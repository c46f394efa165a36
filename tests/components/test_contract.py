"""The contract of every component, held by reflection: a new component is held to it without a
word here.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import sys
import typing
from pathlib import Path
from unittest import mock

import pulumi
import pytest

from jupyterhub_aws.checks.resources import PLATFORM
from jupyterhub_aws.components.base import Component
from tests.support.stack_files import ROOT
from tests.support.stacks import ALL_STACKS, record, record_anew

PACKAGE = ROOT / "jupyterhub_aws"
#: Run in the pods of hubs and people, and import what is there.
FOR_PODS = PACKAGE / "components" / "hub" / "files"
#: Components of programs of their own, which tests/repo/test_ci_example.py and
#: tests/components/test_dask_gateway.py run.
ELSEWHERE = (
    PACKAGE / "components" / "ci.py",
    PACKAGE / "components" / "dask_gateway.py",
)
PROGRAM = [
    *sorted(
        path
        for path in (PACKAGE / "components").rglob("*.py")
        if path.parent != FOR_PODS and path not in ELSEWHERE
    ),
    ROOT / "__main__.py",
]


def _subclasses(cls):
    for found in cls.__subclasses__():
        yield found
        yield from _subclasses(found)


#: Those without a token are bases that nobody makes.
_OURS = {
    cls
    for cls in _subclasses(Component)
    if cls.__module__.startswith("jupyterhub_aws.components.") and hasattr(cls, "token")
}
COMPONENTS = sorted(_OURS, key=lambda cls: cls.__name__)
every_component = pytest.mark.parametrize(
    "component", COMPONENTS, ids=[cls.__name__ for cls in COMPONENTS]
)
STACKS = ALL_STACKS
every_stack = pytest.mark.parametrize("settings", STACKS.values(), ids=STACKS)


def test_reflection_finds_the_components():
    assert {"Network", "Cluster", "NodePools", "UserGroup", "ClusterAutoscaler"} <= {
        cls.__name__ for cls in COMPONENTS
    } and len(COMPONENTS) >= 11


@every_component
def test_the_token_is_the_package_a_module_and_the_name_of_the_class(component):
    assert re.fullmatch(r"jupyterhub-aws:[a-z]+:[A-Z][A-Za-z]+", component.token)
    assert component.token.rpartition(":")[2] == component.__name__
    assert [other.token for other in COMPONENTS].count(component.token) == 1
    assert component.__doc__


@every_component
def test_the_constructor_takes_a_name_arguments_and_options(component):
    parameters = inspect.signature(component.__init__).parameters
    assert list(parameters) == ["self", "name", "args", "opts"]
    assert (
        parameters["opts"].default is None and parameters["args"].default is inspect.Parameter.empty
    )
    assert typing.get_type_hints(component.__init__)["opts"] == pulumi.ResourceOptions | None


@every_component
def test_arguments_are_a_frozen_keyword_only_dataclass_compared_by_identity(component):
    hint = typing.get_type_hints(component.__init__)["args"]
    for args in typing.get_args(hint) or (hint,):
        assert (
            dataclasses.is_dataclass(args)
            and args.__name__.endswith(("Args", "Parts"))
            and args.__doc__
        )
        assert args.__dataclass_params__.frozen is True
        assert args.__dataclass_params__.eq is False, "an Output refuses to be compared"
        assert all(field.kw_only for field in dataclasses.fields(args))


@every_stack
def test_every_component_registers_outputs_and_each_has_a_value(settings):
    recording = record(*settings)
    made = [
        resource for resource in recording.resources if resource.type.startswith("jupyterhub-aws:")
    ]
    for resource in made:
        outputs = recording.component_outputs.get(resource.urn)
        assert outputs, (
            f"{resource.label} registers no outputs: the engine would never know that it is complete"
        )
        assert all(value not in (None, "", [], {}) for value in outputs.values()), (
            f"{resource.label}: {outputs}"
        )


def test_the_stacks_make_every_component():
    made = {
        resource.type for settings in STACKS.values() for resource in record(*settings).resources
    }
    assert {component.token for component in COMPONENTS} - {
        "jupyterhub-aws:ci:Roles",
        "jupyterhub-aws:index:DaskGateway",
    } <= made


@every_stack
def test_every_child_has_its_component_as_parent_and_its_name_as_prefix(settings):
    recording = record(*settings)
    components = {resource.urn: resource for resource in recording.resources if not resource.custom}
    parts = recording.resources.parts()
    for resource in recording.resources:
        if resource.type == PLATFORM or resource in parts:
            assert resource.urn in components or resource.type == "pulumi:providers:kubernetes", (
                f"{resource.label} hangs on no component"
            )
            continue
        assert resource.parent in components, (
            f"{resource.label} hangs on something that is no component"
        )
        assert resource.name.startswith(components[resource.parent].name + "-"), (
            f"{resource.label} under {components[resource.parent].name}"
        )
        longest = max(
            (
                other.name
                for other in components.values()
                if resource.name.startswith(other.name + "-")
            ),
            key=len,
        )
        assert components[resource.parent].name == longest, (
            f"{resource.label} is named like a child of {longest}"
        )


@every_stack
def test_whatever_has_no_provider_is_a_component_of_ours_or_the_control_planes(settings):
    for resource in record(*settings).resources:
        assert (
            resource.custom
            or resource.type.startswith("jupyterhub-aws:")
            or resource.type == "eks:index:Cluster"
        )


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _makes_resource(call: ast.Call, names: dict[str, object]) -> bool:
    """Whether a call constructs a resource class, as far as its name can be looked up in its
    module.
    """
    found: object = None
    way = []
    node: ast.expr = call.func
    while isinstance(node, ast.Attribute):
        way.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        found = names.get(node.id)
        for part in reversed(way):
            found = getattr(found, part, None)
    return isinstance(found, type) and issubclass(found, pulumi.Resource)


def _names_of(path: Path, tree: ast.Module) -> dict[str, object]:
    if path.name != "__main__.py":
        return vars(importlib.import_module(_module_name(path)))
    names: dict[str, object] = {}
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), str(path), "exec"), names)  # noqa: S102 -- the program's own imports, nothing else of it
    return names


def _called(node: ast.AST) -> set[str]:
    """Names of everything that is called or handed over anywhere inside."""
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name)} | {
        item.attr for item in ast.walk(node) if isinstance(item, ast.Attribute)
    }


def _applied_functions_that_make_resources(sources: dict[Path, str]) -> list[str]:
    trees = {path: ast.parse(text) for path, text in sources.items()}
    functions: dict[str, list[tuple[ast.AST, dict[str, object]]]] = {}
    for path, tree in trees.items():
        names = _names_of(path, tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                functions.setdefault(node.name, []).append((node, names))
    bad = []
    for path, tree in trees.items():
        names = _names_of(path, tree)
        for node in ast.walk(tree):
            if not (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "apply"
            ):
                continue
            reached: list[tuple[ast.AST, dict[str, object]]] = [
                (argument, names) for argument in node.args
            ]
            seen: set[str] = set()
            while reached:
                body, scope = reached.pop()
                bad += [
                    f"{path.name}:{node.lineno}"
                    for item in ast.walk(body)
                    if isinstance(item, ast.Call) and _makes_resource(item, scope)
                ]
                for name in _called(body) - seen:
                    seen.add(name)
                    reached += functions.get(name, [])
    return bad


@pytest.mark.real
def test_no_resource_is_made_inside_apply():
    """Such a resource would be missing in every preview whose outputs are unknown."""
    assert (
        _applied_functions_that_make_resources(
            {path: path.read_text(encoding="utf-8") for path in PROGRAM}
        )
        == []
    )


@pytest.mark.parametrize(
    "applied", ["lambda _: kms.Key('x')", "self._key", "lambda _: self._key()"]
)
def test_the_check_for_apply_sees_a_resource_made_directly_or_through_a_method(applied):
    path = PACKAGE / "components" / "cluster" / "cluster.py"
    text = path.read_text(encoding="utf-8").replace(
        "self._administrators(made.name)", f"made.name.apply({applied})", 1
    )
    assert _applied_functions_that_make_resources({path: text}) != []


def _lines_that_make_a_resource(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = _names_of(path, tree)
    # What a program adds by a call is held by tests/components/test_additions.py: no stack file
    # says it.
    added = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name.startswith("add_")
        for node in ast.walk(function)
    }
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and id(node) not in added and _makes_resource(node, names)
    ]
    return {f"{path.relative_to(ROOT)}:{call.lineno}" for call in calls}


def _lines_on_the_way_to_a_resource(settings: tuple[str, ...]) -> set[str]:
    """Every line of the program that a stack's evaluation was at while it made a resource."""
    reached: set[str] = set()
    program, make = (
        {str(path): path.relative_to(ROOT) for path in PROGRAM},
        pulumi.Resource.__init__,
    )

    def noted(*args: object, **options: object) -> None:
        frame = sys._getframe(1)
        while frame is not None:
            if frame.f_code.co_filename in program:
                reached.add(f"{program[frame.f_code.co_filename]}:{frame.f_lineno}")
            frame = frame.f_back
        make(*args, **options)

    with mock.patch.object(pulumi.Resource, "__init__", noted):
        record_anew(*settings)
    return reached


@pytest.mark.real
def test_the_stacks_of_the_tests_reach_every_line_that_makes_a_resource():
    """Else what a new branch makes would be held to nothing: let FULL or INSTEAD
    (tests/support/stacks.py) take it.
    """
    makes = set().union(*map(_lines_that_make_a_resource, PROGRAM))
    reached = set().union(*map(_lines_on_the_way_to_a_resource, STACKS.values()))
    assert len(makes) > 80
    assert sorted(makes - reached) == []


def _dataclasses_of_components() -> set[type]:
    modules = [
        importlib.import_module(_module_name(path))
        for path in PROGRAM
        if path.name != "__main__.py"
    ]
    return {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type)
        and dataclasses.is_dataclass(found)
        and found.__module__ == module.__name__
    }


def test_no_arguments_and_no_handle_hold_a_whole_stack():
    """What follows from a stack is decided in config/specs; a component that is given the stack
    could ask it again, and could not stand alone.
    """
    found = _dataclasses_of_components()
    assert len(found) > 60
    assert (
        sorted(
            f"{cls.__name__}.{field.name}"
            for cls in found
            for field in dataclasses.fields(cls)
            if "StackConfig" in str(field.type)
        )
        == []
    )

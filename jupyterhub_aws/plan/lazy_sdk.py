"""Loading of `pulumi_aws` service packages piece by piece, in a process that only plans.

A service package imports every resource of its service when it is touched: `ec2` alone has some 300
modules, of which a stack needs twelve. Here the package object is the same, but a class is loaded
from its own module when somebody asks for it. What is not found that way makes the package load as
usual, so nothing can be missing; a test compares the plans of both ways. It saves a third of the
time that the SDK takes (benchmarks/).
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

#: Service packages: `pulumi_aws.ec2`, `pulumi_kubernetes.core.v1`.
_PACKAGE = re.compile(
    r"pulumi_aws\.[a-z]\w*|pulumi_kubernetes\.(?!yaml|kustomize|helm\.v4)\w+\.v\w+"
)
#: Modules of a package that hold what is not a resource: nested types and enumerations.
_SHARED = ("_inputs", "_enums", "outputs")


class _LazyModule(Loader):
    """Executes a package by giving it a `__getattr__` instead of running its `__init__`."""

    def __init__(self, real: Loader) -> None:
        self._real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def found(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            value = _from_its_module(module.__name__, name)
            if value is None:
                del module.__dict__["__getattr__"]
                self._real.exec_module(module)
                return getattr(module, name)
            setattr(module, name, value)
            return value

        module.__dict__["__getattr__"] = found


def _from_its_module(package: str, name: str) -> Any:
    """A submodule of that name, or a class from the module that is named after it or holds
    nested types; else None.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    for module in dict.fromkeys((name, snake, *_SHARED)):
        if importlib.util.find_spec(f"{package}.{module}") is None:
            continue
        loaded = importlib.import_module(f"{package}.{module}")
        value = getattr(loaded, name, None)  # the Kubernetes SDK names modules like their classes
        if value is None and module == name:
            value = loaded
        if value is not None:
            return value
    return None


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _PACKAGE.fullmatch(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if (
            spec is not None
            and spec.loader is not None
            and spec.submodule_search_locations is not None
        ):
            spec.loader = _LazyModule(spec.loader)
        return spec


def install() -> None:
    """Load service packages lazily from here on; those that are loaded already stay as they are."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())

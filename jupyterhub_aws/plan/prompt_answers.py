"""Answers to look-ups in their prompt form (`aws.ec2.get_ami(…).id`), of which only the provider
knows the real ones.

A program goes on with the answer at once, so there has to be one: text is a placeholder that names
the look-up, a list has one item and gives more when asked, a map gives whatever key it is asked
for. Numbers and switches are None: there is no placeholder for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin

from pulumi import _types

#: Types inside of types are answered so deep.
_DEPTH = 4


class PromptList(list[Any]):
    """A list of unknown length: it holds one item, and has a placeholder at every other place."""

    def __init__(self, path: str, kind: Any, depth: int) -> None:
        self._path, self._kind, self._depth = path, kind, depth
        super().__init__([self._make(0)])

    def _make(self, index: int) -> Any:
        return _of_type(self._kind, f"{self._path}[{index}]", self._depth)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            stop = index.stop if isinstance(index.stop, int) and index.stop >= 0 else 1
            return [
                self[place]
                for place in range(*slice(index.start, stop, index.step).indices(max(stop, 1)))
            ]
        return self._make(index)


class PromptMap(dict[str, Any]):
    """A map of unknown keys: empty, with a placeholder at every key that it is asked for."""

    def __init__(self, path: str, kind: Any, depth: int) -> None:
        super().__init__()
        self._path, self._kind, self._depth = path, kind, depth

    def _make(self, key: str) -> Any:
        return _of_type(self._kind, f"{self._path}.{key}", self._depth)

    def __missing__(self, key: str) -> Any:
        return self._make(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The placeholder of a key, whatever the default."""
        del default
        return self._make(key)


def prompt_answer(token: str, kind: type | None) -> Any:
    """What stands for the answer of a look-up: an instance of its result type. None where the
    SDK has no type for it.
    """
    return None if kind is None else _of_type(kind, token.rpartition(":")[2] or token, _DEPTH)


def _of_type(kind: Any, path: str, depth: int) -> Any:
    kind = _types.unwrap_optional_type(kind) if kind is not None else None
    if kind is None or depth < 0:
        return None
    if isinstance(kind, type) and _types.is_output_type(kind):
        values = {
            name: _of_type(inner, f"{path}.{name}", depth - 1)
            for name, inner in _types.output_type_types(kind).items()
        }
        return _types.output_type_from_dict(kind, values)
    if kind is str or kind is Any:
        return "${" + path + "}"
    origin = get_origin(kind) or kind
    arguments = get_args(kind)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return PromptMap(
            path, arguments[1] if len(arguments) == 2 else str, depth - 1
        )  # of keys and of values
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return PromptList(path, arguments[0] if arguments else str, depth - 1)
    return None

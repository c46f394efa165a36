"""What every component shares: its type token, its children's options, and how names and tags
reach them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar
from weakref import WeakSet

import pulumi
from pulumi.runtime.settings import get_monitor

from jupyterhub_aws.config.errors import Problem, shown

A = TypeVar("A")


class ArgumentError(pulumi.RunError):
    """Invalid arguments of a component. `problems` has all of them, each with its path;
    the engine prints them without a traceback.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        """Collect the problems of one source: a stack file's name, or the component's class and
        name.
        """
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.line(source) for problem in self.problems))


def checked(component: type[Component], name: object, args: object, kind: type[A]) -> A:
    """The arguments of a component, where they are of its own class and its name is text. Raises
    ArgumentError where not.
    """
    problems = []
    if not isinstance(name, str) or not name:
        problems.append(
            Problem(
                id="name.not-text",
                path="name",
                what=f"must be text (got {shown(name)})",
                fix="give the component a name of its own",
            )
        )
    if not isinstance(args, kind):
        fix = f"write {component.__name__}({name!r}, {kind.__name__}(...))"
        problems.append(
            Problem(
                id="argument.kind",
                path="args",
                what=f"must be {kind.__name__} (got {type(args).__name__})",
                fix=fix,
            )
        )
    if problems or not isinstance(args, kind):
        raise ArgumentError(f"{component.__name__} {name!r}", problems)
    return args


Change = Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult]
#: Changes to resources that remote components make, by type and name: options of a Pulumi program
#: do not reach them.
_CHANGES: dict[tuple[str, str], Change] = {}
#: The engines (of several runs in one process) that were told to ask for changes.
_LISTENING: WeakSet[Any] = WeakSet()


def change_below(kind: str, name: str, change: Change) -> None:
    """Change the inputs or options of a resource that a remote component is about to make. It is
    the only one of that type and name.
    """
    _CHANGES[kind, name] = change


def _listen() -> None:
    """Have the engine ask. A transform of the whole stack waits for all that is being
    registered, so it is registered before our first component.
    """
    monitor = get_monitor()
    if monitor is not None and monitor not in _LISTENING:
        _LISTENING.add(monitor)
        pulumi.runtime.register_resource_transform(
            lambda args: (
                _CHANGES[args.type_, args.name](args)
                if (args.type_, args.name) in _CHANGES
                else None
            )
        )


class Component(pulumi.ComponentResource):
    """Subclasses set `token` (`jupyterhub-aws:<module>:<Type>`), make children in their
    constructor only, and end with `register_outputs`.
    """

    token: ClassVar[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component itself under its token; `opts` belong to it alone and are never
        handed to children.
        """
        _listen()
        super().__init__(self.token, name, {}, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child: this parent, and whatever this one child needs besides."""
        return pulumi.ResourceOptions(parent=self, **options)

    def protected_options(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a stateful child, whose loss would be a loss of users' data: neither
        `destroy` nor a change of the program deletes it.
        """
        return self.child(protect=True, retain_on_delete=True, **options)

    def retained_options(self, *, protected: bool, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child inside the cluster through which pods reach stateful resources: it is
        retained when the program no longer has it.

        `protected` as the cluster is: a protected object would block the teardown of its cluster,
        and the data behind it is protected by itself.
        """
        return self.child(protect=protected, retain_on_delete=True, **options)


def account_of(given: pulumi.Input[str] | None) -> pulumi.Output[str]:
    """The number of the AWS account: the argument, or the account of the provider's credentials."""
    if given is not None:
        return pulumi.Output.from_input(given)
    from pulumi_aws import get_caller_identity_output  # late: not every component is of AWS

    return get_caller_identity_output().account_id


def named(tags: Mapping[str, str], name: str) -> dict[str, str]:
    """The stack's tags with the Name that the AWS console shows."""
    return {**tags, "Name": name}

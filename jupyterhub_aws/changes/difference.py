"""The whole comparison: what changes, its effects, what it costs, and what could not be known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jupyterhub_aws.changes.compare import Change, called_as_now, compared, images
from jupyterhub_aws.changes.effect import CLASSES, Effect, EffectContext, sorted_effects
from jupyterhub_aws.changes.effects.all import effects
from jupyterhub_aws.changes.effects.cost import cost, raised
from jupyterhub_aws.changes.mask import masked_text
from jupyterhub_aws.changes.properties import Comparison, PropertyChange
from jupyterhub_aws.changes.side import OPS, Op, Side, before
from jupyterhub_aws.config.errors import refused, some

FORMAT = "jupyterhub-aws/diff/1"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """From `old` to `new`. `limits` says in whole sentences what this comparison could not know."""

    old: Side
    new: Side
    changes: tuple[Change, ...]
    effects: tuple[Effect, ...]
    limits: tuple[str, ...]
    configuration: tuple[PropertyChange, ...] = ()

    @property
    def stack(self) -> str:
        """The stack that it is about."""
        return self.new.stack or self.old.stack

    @property
    def resources(self) -> tuple[Change, ...]:
        """The changes of resources: a component is what is in it."""
        return tuple(change for change in self.changes if change.resource.custom)

    @property
    def counts(self) -> Mapping[Op, int]:
        """How many resources are created, updated, replaced, deleted and imported."""
        found = Counter(change.op for change in self.resources)
        return {op: found[op] for op in OPS if found[op]}

    @property
    def empty(self) -> bool:
        """Whether nothing at all differs."""
        return not self.changes and not self.effects and not self.configuration

    @property
    def worst(self) -> str:
        """The gravest class of all effects."""
        return max((effect.class_ for effect in self.effects), key=CLASSES.index, default="routine")

    @cached_property
    def money(self) -> dict[str, Any] | None:
        """The bill before and after."""
        return cost(self.old, self.new)

    @cached_property
    def images(self) -> list[dict[str, Any]]:
        """Images, charts and versions that are others."""
        return images(self.old, self.new)

    @property
    def new_findings(self) -> list[Mapping[str, Any]]:
        """What the checks of the new side say that those of the old one did not: failures and
        warnings.
        """
        known = {
            (item["id"], item["status"], masked_text(str(item["message"])))
            for item in self.old.checks
        }
        new = ({**item, "message": masked_text(str(item["message"]))} for item in self.new.checks)
        return [
            item
            for item in new
            if item["status"] in ("fail", "warn")
            and (item["id"], item["status"], item["message"]) not in known
        ]

    def as_json(self) -> dict[str, Any]:
        """The difference as data in the format `jupyterhub-aws/diff/1`."""
        return {
            "format": FORMAT,
            "stack": self.stack,
            "old": {"source": self.old.source, "kind": self.old.kind, "as_of": self.old.as_of},
            "new": {"source": self.new.source, "kind": self.new.kind, "as_of": self.new.as_of},
            "worst": self.worst,
            "counts": dict(self.counts),
            "effects": [effect.as_json() for effect in self.effects],
            "changes": [change.as_json() for change in self.changes],
            "configuration": [item.as_json() for item in self.configuration],
            "images": self.images,
            "cost": self.money,
            "checks": [dict(item) for item in self.new_findings],
            "limits": list(self.limits),
        }


def difference(old: Side, new: Side) -> Difference:
    """Compare two sides. Raises ConfigError for sides of two stacks."""
    if old.stack and new.stack and old.stack != new.stack:
        what = f"is of the stack {new.stack}, and {old.source} of {old.stack}"
        raise refused(new.source, "plan.other-stack", "", what, "compare plans of one stack")
    if "configuration" in (old.kind, new.kind):
        return _of_configuration(old, new)
    old = replace(old, resources=called_as_now(old.resources, new.resources))
    changes = compared(old, new)
    told = [
        *effects(changes, EffectContext(old=old, new=new)),
        *_secrets(old, new),
        *_outputs(old, new),
        *raised(old, new),
    ]
    found = sorted_effects(
        replace(effect, says=masked_text(effect.says), about=masked_text(effect.about))
        for effect in told
    )
    return Difference(
        old=old, new=new, changes=changes, effects=found, limits=tuple(_limits(old, new, changes))
    )


def of_preview(side: Side) -> Difference:
    """What an engine previewed, by itself."""
    return difference(before(side), side)


_SEALED_AGAIN = "is encrypted again, and may have another value"


def _secrets(old: Side, new: Side) -> list[Effect]:
    """Encrypted values of the stack file whose ciphertext differs: a plan never sees what is in
    them.
    """
    if old.sealed is None or new.sealed is None:
        return []
    found = []
    for key in sorted({*old.sealed, *new.sealed}):
        before, after = old.sealed.get(key), new.sealed.get(key)
        if before == after:
            continue
        done = "is set" if before is None else "is removed" if after is None else _SEALED_AGAIN
        says = f"the secret {key} {done}: workloads that use it restart"
        hub = key.rpartition(":")[2].removeprefix("hub-").split("-")[0]
        about, subject = f"hub {hub}" if "hub-" in key else "", f"secret::{key}"
        found.append(
            Effect(class_="interrupts", topic="users", says=says, subject=subject, about=about)
        )
    return found


def _outputs(old: Side, new: Side) -> list[Effect]:
    if not old.outputs or not new.outputs or old.kind != new.kind:
        return []
    changed = [
        key
        for key in sorted({*old.outputs, *new.outputs})
        if any(Comparison().differences(old.outputs.get(key), new.outputs.get(key)))
    ]
    if not changed:
        return []
    says = f"the stack's outputs differ ({', '.join(changed)}): their readers get other values"
    return [Effect(class_="routine", topic="cluster", says=says, subject="stack::outputs")]


def _limits(old: Side, new: Side, changes: tuple[Change, ...]) -> list[str]:
    found = []
    if new.steps is None and changes:
        found.append(
            "Derived from two plans: manual changes in AWS since then, and what AWS refuses,"
            " only `pulumi preview` and `up` can show."
        )
    names = [change.name for change in changes if change.certainty == "engine decides"]
    if names:
        found.append(
            f"Only the engine can tell whether these are updated in place or replaced: {some(names, 5)}."
        )
    if old.kind != new.kind:
        found.append(
            "A plan is compared with a preview of the engine: ids that only one of them contains"
            " were treated as equal."
        )
    if changes and (new.cost is None or (old.cost is None and old.resources.all)):
        found.append(
            "The cost is not known: a preview of the engine has no bill. Compare two plans."
        )
    if old.money_is_of_another_day(new):
        found.append("The two bills use different price tables.")
    return found


def _of_configuration(old: Side, new: Side) -> Difference:
    changed = tuple(Comparison().differences(old.configuration or {}, new.configuration or {}))
    found = [
        Effect(
            class_="unknown",
            topic="cluster",
            says=f"unknown effect: {item.where} has another value in the stack file",
            subject=f"configuration::{item.where}",
        )
        for item in changed
    ]
    limit = (
        "The older program could not be evaluated here, so only the configuration was compared:"
        " its effects are not known."
    )
    return Difference(
        old=old,
        new=new,
        changes=(),
        effects=sorted_effects([*found, *_secrets(old, new)]),
        limits=(limit,),
        configuration=changed,
    )

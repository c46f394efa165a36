"""Alarms: whether they tell anybody. All of a stack fall silent and wake together, so that it is said once."""

from __future__ import annotations

from changes.compare import Change
from changes.effect import Context, Reading

_SWITCH, _SILENCE = "actionsEnabled", "treatMissingData"


def read_alarm(change: Change, context: Context) -> Reading:
    """An alarm that is switched off, or on again; what silence means to it changes with that."""
    del context
    reading = Reading()
    if change.op != "update" or change.old is None or change.new is None:
        return reading
    before, after = change.old.inputs.get(_SWITCH), change.new.inputs.get(_SWITCH)
    if before == after or not isinstance(after, bool):
        return reading
    reading.explained |= {_SWITCH, _SILENCE}
    if after:
        reading.say(change, ("routine", "logs", "alarms tell people again"))
    else:
        reading.say(change, ("interrupts", "logs", "alarms tell nobody: while a stack rests, or until they are switched on again"))
    return reading

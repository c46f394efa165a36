"""An exception of a program as lines of text: what it says, and which line of the user's own
files it comes from, else of this library's.
"""

from __future__ import annotations

from jupyterhub_aws.plan.source import error_position

_LONGEST = 600


def explain(error: BaseException) -> str:
    """One line; with wrong arguments of a component one line for each problem."""
    where, users = error_position(error)
    problems = getattr(error, "problems", None)
    if problems is not None and users:
        return "\n".join(f"{where}: {line}" for line in str(error).splitlines())
    said = " ".join(str(error).split())
    message = (
        f"the program raises {type(error).__name__}{said and ': '}{said}"
        if users and not _ours(error)
        else said or type(error).__name__
    )
    fix = ""
    if isinstance(error, ModuleNotFoundError) and users:
        fix = "; add its package to requirements.txt and install that: pulumi install"
    return (
        f"jhub: {message[:_LONGEST]}{where and f' (at {where})'}{fix}; run again with --debug for"
        " the traceback"
    )


def _ours(error: BaseException) -> bool:
    """Whether the message is a sentence already: the library's own errors, and what a program
    says with pulumi.RunError.
    """
    return (
        type(error).__module__.startswith("jupyterhub_aws.") or type(error).__name__ == "RunError"
    )

"""Measure and print, in one run. Medians of seven (BENCH_RUNS), bytecode of everything compiled
beforehand.

What is measured:

- a fresh process of `jhub plan dev --json`, in time and in memory, against one that only imports
  the SDK classes which that stack registers (at most 1.0), and against the same with every trick of
  the plan, lazy loading included (at most 1.25); beside them, without a target, the same with
  garbage collection off and immediate exit only;
- the same command with one measure switched off at a time (benchmarks/measures.py): what each is
  worth; no target, but a measure that gains nothing goes;
- commands that register nothing, and the answer to a wrong stack file (under half a second); `jhub
  --help` (0.3 seconds); `jhub init --yes`, which writes a project and plans it (2 seconds);
- the time for each further resource from 2 to 40 pools and from 1 to 50 hubs, in one warm process
  (flat);
- a scan of an account with 10,000 resources, which a server on this machine answers for (under 10
  seconds and 300 MiB);
- two plans of 2,000 resources compared, and the comment written (under 1.5 seconds);
- the longest chain of resources that wait for each other, against the unavoidable one (equal).

Nothing fails by the clock: machines differ. Each target is printed with what was found and whether
it is met.
"""

from __future__ import annotations

import compileall
import sysconfig

from rich.console import Console
from rich.table import Table

from benchmarks import adopt
from benchmarks.chain import longest_chain, total, unavoidable
from benchmarks.differences import compared
from benchmarks.growth import Size, evaluated, growth
from benchmarks.measures import without_each
from benchmarks.processes import (
    ROOT,
    RUNS,
    Measured,
    floor,
    jhub,
    lazy_floor,
    new_project,
    ordinary,
    together,
)
from jupyterhub_aws.checks.resources import Resources

_POOLS, _HUBS = (2, 10, 20, 40), (1, 10, 30, 50)
_COMPARED, _COMPARING = 2000, 1.5
_SCANNING, _SCAN_MEMORY = 10.0, 300.0
_ORDINARY, _FLOOR, _FLAT = 1.0, 1.25, 1.25
#: Seconds of a whole command.
_AT_ONCE, _TARGETS = 0.5, {"jhub --help": 0.3, "jhub init --yes": 2.0}


def main() -> None:
    """Run every benchmark and print the tables."""
    console = Console(width=80)
    with console.status("compiling …"):
        _compile()
    recording, _ = evaluated("pools", _POOLS[0])
    tokens = sorted(
        {
            resource.type
            for resource in recording.resources
            if not resource.type.startswith("jupyterhub-aws:")
        }
    )
    commands = {
        "plan": jhub("plan", "dev", "--json"),
        "ordinary": ordinary(tokens),
        "floor": floor(tokens),
        "lazy": lazy_floor(tokens),
        "jhub schema": jhub("schema", "--output", "-"),
        "jhub docs": jhub("docs", "--output", "-"),
        "jhub --help": jhub("--help"),
        "jhub init --yes": new_project(),
        "a wrong stack file": jhub("plan", "dev", "--set", "pools.core.size=no", code=2),
    }
    with console.status(f"{RUNS} runs of {len(commands)} commands …"):
        measured = dict(zip(commands, together(list(commands.values())), strict=True))
    console.print(_plan(measured))
    without = without_each("plan", "dev", "--json")
    with console.status(f"{RUNS} runs without each measure …"):
        console.print(_gains(dict(zip(without, together(list(without.values())), strict=True))))
    console.print(_at_once({name: found for name, found in measured.items() if " " in name}))
    with console.status("growing …"):
        for what, counts in (("pools", _POOLS), ("hubs", _HUBS)):
            console.print(_growth(what, growth(what, counts, RUNS)))
    with console.status("comparing …"):
        seconds = compared(_COMPARED, RUNS)
    console.print(
        f"Two plans of {_COMPARED} resources compared, and the comment: {seconds:.2f} s (<"
        f" {_COMPARING} s: {_verdict(seconds, _COMPARING)})"
    )
    with console.status("scanning …"):
        found = adopt.scanned()
    for what, value, most in (
        ("s", found.seconds, _SCANNING),
        ("MiB", found.mebibytes, _SCAN_MEMORY),
    ):
        console.print(
            f"An account of {sum(adopt.COUNTS.values()):,} resources scanned: {value:.1f} {what} (<"
            f" {most:.0f}: {_verdict(value, most)})"
        )
    for line in _chain(recording.resources):
        console.print(line, markup=False, highlight=False)


def _compile() -> None:
    """Ours and the packages', whatever the environment says about writing bytecode."""
    for folder in ("config", "components", "jupyterhub_aws"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    compileall.compile_dir(sysconfig.get_path("purelib"), quiet=2)


def _table(title: str, *heads: str) -> Table:
    table = Table(title=title, title_justify="left", expand=True)
    for index, head in enumerate(heads):
        table.add_column(
            head, justify="left" if index == 0 or head == "verdict" else "right", no_wrap=True
        )
    return table


def _verdict(found: float, most: float) -> str:
    return "met" if found <= most else "MISSED"


def _plan(measured: dict[str, Measured]) -> Table:
    table = _table(
        f"jhub plan dev --json, median of {RUNS} fresh processes",
        "process",
        "s",
        "plan is",
        "target",
        "verdict",
        "MiB",
        "plan is",
    )
    plan = measured["plan"]
    table.add_row(
        "jhub plan dev --json", f"{plan.seconds:.2f}", "", "", "", f"{plan.mebibytes:.0f}", ""
    )
    for what, name, most in (
        ("imports, ordinary", "ordinary", _ORDINARY),
        ("… gc off, _exit", "floor", None),
        (
            "… every trick of ours",
            "lazy",
            _FLOOR,
        ),  # the floor has to use what the plan uses, else the ratio flatters
    ):
        other = measured[name]
        ratio, memory = plan.seconds / other.seconds, plan.mebibytes / other.mebibytes
        target, verdict = ("", "") if most is None else (f"≤ {most:.2f}", _verdict(ratio, most))
        table.add_row(
            what,
            f"{other.seconds:.2f}",
            f"{ratio:.2f}x",
            target,
            verdict,
            f"{other.mebibytes:.0f}",
            f"{memory:.2f}x",
        )
    return table


def _gains(measured: dict[str, Measured]) -> Table:
    table = _table("what each measure gains in `jhub plan dev --json`", "measure", "s", "MiB")
    every = measured[""]
    for name, found in measured.items():
        if name:
            seconds = found.seconds - every.seconds
            table.add_row(name, f"{seconds:+.2f}", f"{found.mebibytes - every.mebibytes:+.0f}")
    return table


def _at_once(measured: dict[str, Measured]) -> Table:
    table = _table("other commands", "command", "s", "target", "verdict")
    for name, found in measured.items():
        target = _TARGETS.get(name, _AT_ONCE)
        table.add_row(
            name, f"{found.seconds:.2f}", f"< {target} s", _verdict(found.seconds, target)
        )
    return table


def _growth(what: str, sizes: list[Size]) -> Table:
    table = _table(
        "time for each further resource (warm)",
        what,
        "resources",
        "s",
        "ms per further resource",
        "target",
        "verdict",
    )
    first = sizes[1].further_ms or 0
    for size in sizes:
        further = size.further_ms
        step, target, verdict = (
            ("", "", "")
            if further is None
            else (f"{further:.2f}", f"≤ {_FLAT * first:.2f}", _verdict(further, _FLAT * first))
        )
        table.add_row(
            str(size.count), str(size.resources), f"{size.seconds:.2f}", step, target, verdict
        )
    return table


def _chain(resources: Resources) -> list[str]:
    chain = longest_chain(resources)
    longest, least = total(chain), unavoidable()
    verdict = "equal" if longest == least else f"MISSED: {longest - least} s more"
    return [
        f"Longest chain: about {longest} s; unavoidable: {least} s ({verdict})",
        "  " + "\n  → ".join(resource.name for resource in chain),
    ]


if __name__ == "__main__":
    main()

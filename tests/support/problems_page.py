"""Every problem and every finding by its id, with its wording, read from the source: the pages
docs/problems.md, docs/problems/SECTION.md and docs/findings.md, where wording is reviewed, and
config/data/wordings.json, which `jhub explain` reads.

Write them: python -m tests.support.problems_page.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, product
from pathlib import Path

from jupyterhub_aws.config import explanations
from jupyterhub_aws.config.explanations import Explained, explained, explained_section
from tests.support.stack_files import ROOT

DOCS = ROOT / "docs"
WORDINGS = ROOT / "config" / "data" / "wordings.json"
#: A section and what is wrong in it: `pools.max-below-min`.
ID = re.compile(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z0-9]+)*")
_CALLS = {"Problem", "ValueFault", "refuse", "say", "_say", "_lacks", "_refused", "_problem"}
_LOCAL = {"refused", "wrong", "refuse", "_refusal"}
#: The arguments of config/errors.py's `refused`.
_REFUSED = ("source", "id", "path", "what", "fix")
#: What makes a finding in checks/finding.py; `found` is a choice between two of them.
_VERDICTS = {"fail", "warn", "skip", "passed", "found"}
#: Modules that keep a problem as a tuple before they make it.
_TUPLES = {"explain.py", "account.py"}
_PACKAGE = "jupyterhub_aws."
_FOLDERS = (
    "config",
    "components",
    *(f"jupyterhub_aws/{name}" for name in ("adopt", "bundle", "changes", "checks", "cli")),
    *(f"jupyterhub_aws/{name}" for name in ("diff", "init", "migrate", "operate", "plan")),
    *(f"jupyterhub_aws/{name}" for name in ("policy", "provider")),
)
_GENERATED = "<!-- Written by: python -m tests.support.problems_page -->"
_PROBLEMS = f"""# Problems by id

{_GENERATED}

What a command refuses, with exit code 2, before it changes anything. Every message of `jhub`, of
`pulumi up` and of the policy pack ends with the id of its kind, such as `[pools.max-below-min]`. An
id stays the same when the wording changes: search for it, and write it in scripts. In a terminal
`jhub explain ID` says what these pages say.

What the checks of a plan say of a stack is on another page: [Findings](findings.md).

| section | what it is about | problems |
|---|---|---|
"""
_FINDINGS = f"""# Findings by id

{_GENERATED}

What the checks of a plan say of the stack as it would be built: `fail` refuses it (exit code 1),
`warn` asks an operator to look, `skip` says what cannot be known without an account. `…` stands for
what differs from case to case. In a terminal: `jhub explain ID`. What a command refuses before it
plans anything: [Problems](problems.md).
"""


@dataclass(frozen=True, order=True)
class Wording:
    """One wording of a problem or finding."""

    id: str
    what: str
    fix: str
    status: str = ""


def sources() -> Iterator[Path]:
    """The modules of the product."""
    yield from sorted((ROOT / "jupyterhub_aws").glob("*.py"))
    for folder in _FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


@cache
def problems() -> list[Wording]:
    """Every problem that the source can raise, sorted by id."""
    return sorted({wording for path in sources() for wording in _problems_of(_module(path))})


@cache
def findings() -> list[Wording]:
    """Every finding of the checks, sorted by id."""
    return sorted({wording for path in sources() for wording in _findings_of(_module(path))})


def without_id(path: Path) -> Iterator[int]:
    """Lines in which a problem is made whose id is not text, and not another problem's."""
    for node in ast.walk(_module(path).tree):
        if isinstance(node, ast.Call) and (
            _called(node) in ("Problem", "ValueFault") or _is_refused(node)
        ):
            given = _id_of(node) or (node.args[0] if node.args else None)
            forwarded = isinstance(given, (ast.Name, ast.Attribute, ast.Subscript, ast.Call))
            chosen = isinstance(given, ast.IfExp)
            if not (forwarded or chosen or (isinstance(given, ast.Constant) and _is_id(given))):
                yield node.lineno


@cache
def _module(path: Path) -> _Module:
    """Read once, for problems, findings and ids."""
    return _Module(path)


class _Module:
    """One module, and which function each node is in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self._function: dict[ast.AST, ast.AST] = {}
        self._place(self.tree, self.tree)

    def _place(self, node: ast.AST, function: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self._function[child] = function
            inner = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))
            self._place(child, child if inner else function)

    def texts(self, node: ast.expr | None) -> list[str]:  # noqa: PLR0911 -- one for each kind
        """What an expression may say, `…` for what is known only when it runs."""
        if isinstance(node, ast.Call) and _called(node) == "did_you_mean":
            return self._meant(node)
        if isinstance(node, ast.Constant):
            given = f"{node.value:g}" if isinstance(node.value, float) else str(node.value)
            return [] if node.value is None else [given]
        if isinstance(node, ast.IfExp):
            return [*self.texts(node.body), *self.texts(node.orelse)]
        if isinstance(node, ast.JoinedStr):
            return ["".join(parts) for parts in product(*map(self._parts, node.values))]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return [
                left + right for left in self.texts(node.left) for right in self.texts(node.right)
            ]
        if isinstance(node, ast.Name):
            return self._assigned(node) or self._imported(node.id) or ["…"]
        return ["…"]

    def _meant(self, call: ast.Call) -> list[str]:
        """What config/errors.py's `did_you_mean` returns."""
        form = next((item.value for item in call.keywords if item.arg == "form"), None)
        meant = [text.format("…") for text in self.texts(form)] or ["…"]
        return [*(f"did you mean {text}?" for text in meant), *self.texts(call.args[2])]

    def _imported(self, name: str) -> list[str]:
        """The text of a constant of another module of this library."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_PACKAGE):
                for item in node.names:
                    if (item.asname or item.name) == name:
                        path = (ROOT / str(node.module).replace(".", "/")).with_suffix(".py")
                        if not path.is_file():
                            path = path.with_suffix("") / "__init__.py"
                        return _module(path.resolve()).constant(item.name) if path.is_file() else []
        return []

    def constant(self, name: str) -> list[str]:
        """The text that a name of the module itself has."""
        found = [
            value
            for node in self.tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            for value in _values(node, name)
        ]
        return self.texts(found[-1]) if found else self._imported(name)

    def _parts(self, node: ast.expr) -> list[str]:
        """What a part of a formatted text may say: a name's own text, where it is plain."""
        if isinstance(node, ast.FormattedValue) and not isinstance(node.value, ast.Constant):
            known = isinstance(node.value, ast.Name) and not self._is_parameter(node.value)
            return self.texts(node.value) if known else ["…"]
        return self.texts(node)

    def _is_parameter(self, name: ast.Name) -> bool:
        function = self._function.get(name)
        return isinstance(function, ast.FunctionDef) and any(
            isinstance(node, ast.arg) and node.arg == name.id for node in ast.walk(function.args)
        )

    def called_with(
        self, what: ast.expr | None, fix: ast.expr | None
    ) -> list[tuple[ast.expr | None, ast.expr | None]]:
        """Both of them as each caller gives them, where they are parameters of a function that
        makes the problem for others.
        """
        function = self._function.get(what) if isinstance(what, ast.Name) else None
        if not isinstance(function, ast.FunctionDef):
            return []
        names = [item.arg for item in function.args.args if item.arg != "self"]
        if not isinstance(what, ast.Name) or what.id not in names:
            return []
        calls = [
            {
                **dict(zip(names, node.args, strict=False)),
                **{item.arg: item.value for item in node.keywords},
            }
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and _called(node) == function.name
        ]
        remedy = fix.id if isinstance(fix, ast.Name) and fix.id in names else None
        return [
            (call[what.id], call.get(remedy) if remedy else fix)
            for call in calls
            if what.id in call
        ]

    def returned(self, call: ast.Starred) -> list[list[ast.expr]]:
        """The pairs that a function of this module returns, which is called there."""
        name = _called(call.value) if isinstance(call.value, ast.Call) else ""
        return [
            node.value.elts[:2]
            for function in self.tree.body
            if isinstance(function, ast.FunctionDef) and function.name == name
            for node in ast.walk(function)
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple)
        ]

    def _assigned(self, name: ast.Name) -> list[str]:
        """What was assigned to a name, last before its use: in its function, in one around it, or
        in the module. Nothing for a parameter and for what a loop goes through.
        """
        within = self._function.get(name, self.tree)
        while True:
            nodes = list(self.tree.body if within is self.tree else ast.walk(within))
            found = [
                (node.lineno, value)
                for node in nodes
                if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.lineno < name.lineno
                for value in _values(node, name.id)
            ]
            if found:
                return self.texts(max(found, key=lambda item: item[0])[1])
            if within is self.tree or name.id in _given(within):
                return []
            within = self._function.get(within, self.tree)


def _given(function: ast.AST) -> set[str]:
    """The names that a function does not assign itself: parameters, and targets of loops."""
    loops = [
        node.target for node in ast.walk(function) if isinstance(node, (ast.For, ast.comprehension))
    ]
    names = {item.id for loop in loops for item in ast.walk(loop) if isinstance(item, ast.Name)}
    return names | {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}


def _values(node: ast.Assign | ast.AnnAssign, name: str) -> Iterator[ast.expr]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        if isinstance(target, ast.Name) and target.id == name and node.value is not None:
            yield node.value
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=False)
            yield from (
                value for item, value in pairs if isinstance(item, ast.Name) and item.id == name
            )


def _problems_of(module: _Module) -> Iterator[Wording]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _called(node) in _CALLS | _LOCAL:
            given = {item.arg: item.value for item in node.keywords}
            told = [item for item in node.args if not isinstance(item, ast.Starred)]
            which = _id_of(node) or next(filter(_is_id, told), None)
            rest = [[given.get("what"), given.get("fix")] if "what" in given else told[-2:]]
        elif isinstance(node, ast.Tuple) and module.path.name in _TUPLES:
            which = next(filter(_is_id, node.elts[:2]), None)
            last = node.elts[-1]
            rest = module.returned(last) if isinstance(last, ast.Starred) else [node.elts[-2:]]
        else:
            continue
        for one in filter(_is_id, _choices(which)):
            for what, fix in rest:
                yield from _said(module, str(getattr(one, "value", "")), what, fix)


def _findings_of(module: _Module) -> Iterator[Wording]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            for which, what, fix, status in _findings_in(module, node):
                for one in module.texts(which):
                    if "…" not in one:
                        for said in _said(module, one, what, fix):
                            yield replace(said, status=status)


def _findings_in(
    module: _Module, call: ast.Call
) -> Iterator[tuple[ast.expr, ast.expr, ast.expr, str]]:
    """Id, message, fix and status of the finding that a call makes."""
    args, none = call.args, ast.Constant("")
    if _called(call) == "Finding":
        given = {item.arg: item.value for item in call.keywords}
        status = str(getattr(given.get("status"), "value", ""))
        yield given.get("id", none), given.get("message", none), given.get("fix", none), status
    elif _called(call) == "fault" and len(args) >= 4:
        in_proof = module.path.parent.name == "airgap" and isinstance(args[0], ast.Constant)
        which = ast.Constant(f"airgap-{args[0].value}") if in_proof else args[0]
        yield which, args[2], args[3], "fail" if in_proof else "warn"
    elif _called(call) in _VERDICTS and {"checks", "plan"} & set(module.path.parts):
        has_fix = len(args) > 2 and _called(call) != "passed" and module.texts(args[2])
        status = {"passed": "pass", "found": ""}.get(_called(call), _called(call))
        if len(args) >= 2:
            yield args[0], args[1], args[2] if has_fix else none, status


def _said(
    module: _Module, which: str, what: ast.expr | None, fix: ast.expr | None
) -> Iterator[Wording]:
    for one, other in module.called_with(what, fix) or [(what, fix)]:
        for said in module.texts(one):
            for remedy in module.texts(other):
                yield Wording(which, said, remedy)


def _id_of(node: ast.Call) -> ast.expr | None:
    """The id that a call gives a problem by its place: `refused`'s second argument, a keyword."""
    if _is_refused(node):
        return node.args[1]
    return {item.arg: item.value for item in node.keywords}.get("id")


def _is_refused(node: ast.Call) -> bool:
    """Whether it calls config/errors.py's function of that name, not another's."""
    return _called(node) == "refused" and len(node.args) == len(_REFUSED)


def _choices(node: ast.expr | None) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return [] if node is None else [node]


def _is_id(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and ID.fullmatch(node.value) is not None
    )


def _called(node: ast.Call) -> str:
    return getattr(node.func, "id", None) or getattr(node.func, "attr", "")


def data() -> str:
    """The text of config/data/wordings.json: a line for each id."""
    kinds = {"problems": problems(), "findings": findings()}
    lines = [
        f'"{kind}": {{\n'
        + ",\n".join(
            f"{json.dumps(which)}: "
            + json.dumps([_data(item) for item in said], ensure_ascii=False)
            for which, said in groupby(wordings, key=lambda item: item.id)
        )
        + "\n}"
        for kind, wordings in kinds.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _data(wording: Wording) -> list[str]:
    """What is wrong, what to do, and a finding's status: empty ones at the end are left out."""
    said = [_plain(wording.what), _plain(wording.fix), wording.status]
    while said and not said[-1]:
        said.pop()
    return said


def pages() -> dict[Path, str]:
    """The pages of problems and findings, by their files. They say what `jhub explain` says."""
    found: dict[Path, str] = {}
    rows = []
    for section, wordings in groupby(problems(), key=lambda item: item.id.partition(".")[0]):
        ids = sorted({item.id for item in wordings})
        about = explained_section(section)
        lines = [f"# Problems of `{section}`\n\n{_GENERATED}\n\n{about.says}\n"]
        if about.options:
            lines.append(f"Options: {', '.join(f'`{path}`' for path in about.options)}.\n")
        lines.append("All sections: [Problems by id](../problems.md).\n")
        lines += [_entry(explained(which), 2) for which in ids]
        found[DOCS / "problems" / f"{section}.md"] = "\n".join(lines)
        row = f"| [`{section}`](problems/{section}.md) | {_cell(about.says)} | {len(ids)} |"
        rows.append(row + "\n")
    found[DOCS / "problems.md"] = _PROBLEMS + "".join(rows)
    ids = sorted({item.id for item in findings()})
    entries = [_FINDINGS, *(_entry(explained(which), 2) for which in ids)]
    found[DOCS / "findings.md"] = "\n".join(entries)
    return found


def _entry(about: Explained, level: int) -> str:
    """An id with its anchor, cause, cure and wordings."""
    mark = "#" * level
    lines = [f'{mark} `{about.id}` <a id="{about.id}"></a>\n']
    if about.kind == "finding":
        lines.append(f"{about.checks} {about.why}\n\n**What to do:** {about.cure}\n")
    shown = [item for item in about.wordings if item.status != "pass"]
    titles = [*(["Status"] if about.kind == "finding" else []), "What it says", "What to do"]
    lines.append(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for item in shown:
        status = [item.status and f"`{item.status}`"] if about.kind == "finding" else []
        cells = [*status, _cell(item.what), _cell(item.fix)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return " ".join(text.replace("({})", "(…)").split())


def _cell(text: str) -> str:
    """Text as Markdown has it: options are code, and names with two underscores, not bold."""

    def code(found: re.Match[str]) -> str:
        return found[0] if found[0].startswith("`") else f"`{found[0]}`"

    text = re.sub(r"`[^`]*`|\b__\w+__\.py\b|(?<![\w-])--[a-z][a-z-]*", code, _plain(text))
    return text.replace("|", "\\|").replace("<", "&lt;")


def write() -> None:
    """Write all of them. The data first: the pages say what it says."""
    WORDINGS.write_text(data(), encoding="utf-8")
    for cached in (explanations.wordings, explained):
        cached.cache_clear()
    found = pages()
    for path in (DOCS / "problems").glob("*.md"):
        if path not in found:
            path.unlink()
    for path, text in found.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
    print(f"wrote {WORDINGS.relative_to(ROOT)}, docs/problems, docs/findings.md")

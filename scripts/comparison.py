"""Writes the sentences of docs/comparison.md from docs/data/comparison.toml, where each claim about
another project has its source and the date of that source.

    python -m scripts.comparison

and looks every source up again, in a folder with one entry for each source, by its id: a clone of
the repository, or an unpacked package:

    python -m scripts.comparison --sources FOLDER

A clone is read at the commit that the file names. The answer is a list of claims with words that
are not in their file, or with absent words that are in some file; exit code 1 if there is one.
"""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "data" / "comparison.toml"
PAGE = ROOT / "docs" / "comparison.md"
#: Names that say little without their folder.
_COMMON = ("README.md", "index.md", "main.tf")
START, END = "<!-- made by scripts/comparison.py -->", "<!-- end -->"


@dataclass(frozen=True, kw_only=True)
class Source:
    """A state of a repository, or a released package."""

    id: str
    repository: str
    version: str
    date: str

    @property
    def is_package(self) -> bool:
        """A package has no commit."""
        return self.version.startswith("package ")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Words that are in a file of a source."""

    source: str
    file: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Absence:
    """Words that are in no file of a source, or not in one."""

    source: str
    words: str
    file: str = ""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One sentence or two about one project."""

    topic: str
    project: str
    says: str
    evidence: tuple[Evidence, ...]
    absent: tuple[Absence, ...]
    elsewhere: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The whole file."""

    compared: datetime.date
    sources: Mapping[str, Source]
    projects: Mapping[str, str]
    topics: Sequence[Mapping[str, str]]
    claims: Sequence[Claim]


def comparison() -> Comparison:
    """The file, read."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    return Comparison(
        compared=data["compared"],
        sources={name: Source(id=name, **one) for name, one in data["sources"].items()},
        projects=data["projects"],
        topics=data["topics"],
        claims=[_claim(one) for one in data["claims"]],
    )


def _claim(data: Mapping[str, Any]) -> Claim:
    return Claim(
        topic=data["topic"],
        project=data["project"],
        says=data["says"],
        evidence=tuple(
            Evidence(source=source, file=file, words=words)
            for source, file, words in data.get("evidence", ())
        ),
        absent=tuple(
            Absence(source=one[0], words=one[1], file="".join(one[2:]))
            for one in data.get("absent", ())
        ),
        elsewhere=data.get("elsewhere", ""),
    )


# --- The page


def sentences(read: Comparison) -> str:
    """The generated part of the page."""
    lines = []
    for topic in read.topics:
        lines += [f"### {topic['title']}", ""]
        if topic["ours"]:
            lines.append(f"- **This library**: {topic['ours']}")
        lines += [
            f"- **{read.projects[claim.project]}**: {claim.says}"
            f" *Source: {_cited(claim, read.sources)}.*"
            for claim in read.claims
            if claim.topic == topic["id"]
        ]
        lines.append("")
    lines += ["### Sources", ""]
    lines += [
        f"- **{source.id}**: {source.repository}, {source.version}, {source.date}"
        for source in read.sources.values()
    ]
    return "\n".join(lines)


def _cited(claim: Claim, sources: Mapping[str, Source]) -> str:
    files: dict[str, list[str]] = {}
    for found in claim.evidence:
        link = _link(sources[found.source], found.file)
        if link not in files.setdefault(found.source, []):
            files[found.source].append(link)
    parts = [f"{source}: {', '.join(links)}" for source, links in files.items()]
    sought: dict[str, list[str]] = {}
    for missing in claim.absent:
        link = _link(sources[missing.source], missing.file) if missing.file else ""
        where = f"{link} has not" if link else "no file has"
        sought.setdefault(f"{missing.source}: {where}", []).append(f"“{missing.words}”")
    parts += [f"{where} {', '.join(words)}" for where, words in sought.items()]
    return "; ".join([*parts, *([claim.elsewhere] if claim.elsewhere else [])])


def _link(source: Source, file: str) -> str:
    """The file's name, with its folder where many files have it, and its address in the version
    that was read.
    """
    name = file.rpartition("/")[2]
    if name in _COMMON:
        name = "/".join(file.split("/")[-2:])
    if source.is_package:
        return f"`{name}`"
    return f"[{name}](https://github.com/{source.repository}/blob/{source.version}/{file})"


def page(text: str, read: Comparison) -> str:
    """The page with its generated part renewed."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{sentences(read)}\n\n{END}{after}"


# --- Looking sources up


def contradicted(read: Comparison, folder: Path) -> Iterator[str]:
    """Claims that their sources do not hold."""
    for claim in read.claims:
        where = f"{claim.topic}, {claim.project}"
        for found in claim.evidence:
            text = _text(folder / found.source, read.sources[found.source], found.file)
            if found.words not in text:
                yield f"{where}: {found.source} {found.file} has not {found.words!r}"
        for missing in claim.absent:
            files = _files_with(folder / missing.source, read.sources[missing.source], missing)
            if missing.file and not _text(
                folder / missing.source, read.sources[missing.source], missing.file
            ):
                yield f"{where}: {missing.source} has no file {missing.file}"
            if files:
                yield f"{where}: {missing.words!r} is in {missing.source} {', '.join(files[:3])}"


def _git(clone: Path, *arguments: str) -> str:
    command = ["git", "-C", str(clone), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout


def _text(place: Path, source: Source, file: str) -> str:
    if not source.is_package:
        return _git(place, "show", f"{source.version}:{file}")
    path = place / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _files_with(place: Path, source: Source, missing: Absence) -> list[str]:
    if not source.is_package:
        found = _git(
            place, "grep", "-IilF", missing.words, source.version, "--", missing.file or "."
        )
        return [line.partition(":")[2] for line in found.splitlines()]
    return [
        str(path.relative_to(place))
        for path in sorted(place.rglob("*"))
        if path.is_file()
        and (not missing.file or path == place / missing.file)
        and missing.words.lower() in path.read_text(encoding="utf-8", errors="ignore").lower()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the page, or looks the sources up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, help="a folder with one entry for each source")
    given = parser.parse_args(arguments)
    read = comparison()
    if given.sources is None:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), read), encoding="utf-8")
        return 0
    wrong = list(contradicted(read, given.sources))
    for line in wrong:
        sys.stdout.write(f"{line}\n")
    counted = sum(len(claim.evidence) + len(claim.absent) for claim in read.claims)
    sys.stdout.write(f"{counted} sources of {len(read.claims)} claims, {len(wrong)} wrong\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""The URNs that the page of a plan says, from a place on it downwards."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class Urns(HTMLParser):
    """The URNs of a page as its reader finds them: by the sentence above the resources."""

    def __init__(self, text: str, begin: str = '<section id="resources"') -> None:
        super().__init__()
        self.found: list[str] = []
        self.start = re.search(r'<code id="urns">(.*?)</code>', text)[1]
        self._around: list[list[str]] = []  # of each open resource: its name, its types
        self._here = ""
        self.feed(text[text.index(begin) : text.index("</main>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            self._around.append([])
        elif tag in ("b", "pre") and self._around:
            self._here = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._around.pop()
        self._here = "" if tag == self._here else self._here

    def handle_data(self, data: str) -> None:
        if self._here == "b":
            self._around[-1].append(data)
        elif self._here == "pre" and len(self._around[-1]) == 1:  # of a document there is no name
            said = data.split("\n", 1)[0]
            types = [found[1] for found in self._around[:-1]]
            own = said.split("::")[2] if said.startswith("urn:") else "$".join([*types[-1:], said])
            self._around[-1].append(own)
            self.found.append(
                said if said.startswith("urn:") else f"{self.start}{own}::{self._around[-1][0]}"
            )
        self._here = ""

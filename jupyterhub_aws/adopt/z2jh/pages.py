"""Pages of the old hub: announcements, templates, a logo, and files for them. Each has a place in
the stack file, and its files are the operator's to copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from jupyterhub_aws.adopt.z2jh.taken import Taking

_ANNOUNCEMENT = (
    "would hide every notice of jhub pause: say it with `jhub announce STACK HUB TEXT --until TIME`"
)
_TEMPLATES = (
    "are in the old hub's image or volumes: copy them into a folder of the program, and write"
    " `pages: {folder: …}` of the hub"
)
_LOGO = (
    "is in the old hub's image or volumes: copy it into the program's folder, and write `pages:"
    " {logo: …}` of the hub"
)
_FILE = (
    "is of a page: put it into a folder of the program, and write `pages: {folder: …}` of the hub"
)
_ENDINGS = (".html", ".css", ".png", ".svg", ".jpg", ".jpeg", ".ico", ".woff2")
_TRAITS = ("hub", "config", "JupyterHub")


def pages_listed(taking: Taking) -> None:
    """List what the options of pages and `jhub announce` are for; other template variables stay
    values of the chart.
    """
    for path in (("hub", "templateVars"), (*_TRAITS, "template_vars")):
        taking.drop_all(*path, "announcement", why=_ANNOUNCEMENT)
    for path in (("hub", "templatePaths"), (*_TRAITS, "template_paths")):
        taking.drop_all(*path, why=_TEMPLATES)
    taking.drop_all(*_TRAITS, "logo_file", why=_LOGO)
    for name in taking.keys("hub", "extraFiles"):
        file = taking.look("hub", "extraFiles", name)
        place = file.get("mountPath") if isinstance(file, Mapping) else None
        if isinstance(place, str) and PurePosixPath(place).name.lower().endswith(_ENDINGS):
            taking.drop_all("hub", "extraFiles", name, why=_FILE)

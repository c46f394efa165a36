"""A hub's own pages among its values: files for its pod, and what it is told of them."""

from __future__ import annotations

from typing import Any

from jupyterhub_aws.components.hub.values.hub_files import file_of_hub, text_of
from jupyterhub_aws.config.pages import PageFile, page_settings
from jupyterhub_aws.config.specs.hub import HubSpec

_FOLDER = "/etc/jupyterhub-aws/pages"


def page_values(hub: HubSpec) -> tuple[dict[str, Any], dict[str, Any]]:
    """`hub.extraFiles` and the settings of our own files in the hub; empty where the stack file
    says nothing of pages.
    """
    pages, files = hub.options.pages, hub.pages
    if pages is None:
        return {}, {}
    found: dict[str, Any] = file_of_hub("jupyterhub_aws_pages.py")
    if pages.footer:
        found |= _file("ours", PageFile(name="page.html", text=text_of("page.html")))
    for item in files.templates:
        found |= _file("templates", item)
    for item in files.static:
        found |= _file("static", item)
    if files.logo is not None:
        found |= _file("logo", files.logo)
    return found, {"pages": {"folder": _FOLDER, **page_settings(pages, files)}}


def _file(folder: str, item: PageFile) -> dict[str, Any]:
    return {
        f"pages-{folder}-{item.name}": {
            "mountPath": f"{_FOLDER}/{folder}/{item.name}",
            "binaryData" if item.binary else "stringData": item.text,
        }
    }

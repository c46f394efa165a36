"""The hub's own pages: logo, title, links and terms of the stack file, and templates of the
operator's. A file of the hub's own pod, only where the stack file asks for it.
"""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, TemplateError, meta
from tornado.log import app_log
from tornado.web import StaticFileHandler


class PageFileHandler(StaticFileHandler):
    """Pictures and styles of the operator's own pages, for all who reach the hub."""

    def set_extra_headers(self, path):
        """A browser takes none of them for something else."""
        del path
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")


def configure(c, settings):
    """Put them into the hub's configuration `c`, before the pages that are there already. A hub
    with a broken template starts with JupyterHub's pages: nothing else of it would be shown.
    """
    folder = Path(settings["folder"])
    own, ours, static = (folder / name for name in ("templates", "ours", "static"))
    paths = [str(ours)] if _has_text(settings) else []
    if settings.get("templates") and _templates_work(own):
        paths.insert(0, str(own))
    there = c.JupyterHub.template_paths
    c.JupyterHub.template_paths = [*paths, *(there if isinstance(there, list) else [])]
    if settings.get("logo"):
        c.JupyterHub.logo_file = str(folder / "logo" / settings["logo"])
    if settings.get("static"):
        c.JupyterHub.extra_handlers = [
            *c.JupyterHub.extra_handlers,
            (r"/pages/(.*)", PageFileHandler, {"path": str(static)}),
        ]
    variables = {
        "hub_title": settings.get("title", ""),
        "hub_help_links": settings.get("helpLinks", {}),
        "hub_terms": settings.get("terms", ""),
        "hub_terms_url": settings.get("termsUrl", ""),
    }
    # What helm_values say (hub.templateVars) wins.
    c.JupyterHub.template_vars = {**variables, **c.JupyterHub.template_vars}


def _has_text(settings):
    return any(settings.get(key) for key in ("title", "helpLinks", "terms", "termsUrl"))


def _templates_work(folder):
    """Whether each template can be read. A page that extends a broken one fails too, the page of
    errors among them.
    """
    environment = Environment(autoescape=True)
    for file in sorted(folder.glob("*.html")):
        try:
            names = meta.find_referenced_templates(environment.parse(file.read_text("utf-8")))
            missing = [name for name in names if name == file.name]
        except (OSError, ValueError, TemplateError) as error:
            app_log.error("The hub's own pages are not shown: %s: %s", file.name, error)
            return False
        if missing:
            app_log.error("The hub's own pages are not shown: %s extends itself", file.name)
            return False
    return True

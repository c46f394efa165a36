"""An operator's notice to all users: on each page of the hub, and where a server would be started.

A file of the hub's own pod, beside the chart's configuration. `jhub pause` says so through the
hub's API, under its own token; nothing is kept when the hub restarts, and nothing stays longer than
it was said for.
"""

from __future__ import annotations

import html
import time

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

PATH = r"/api/jupyterhub-aws/notice"
SCOPE = "custom:jupyterhub-aws:notice"
_LONGEST, _A_DAY = 500, 24 * 3600


class Notice:
    """A text until a moment; `closed`: no server starts meanwhile."""

    def __init__(self, clock=time.time):
        self._clock, self._text, self._until, self._closed = clock, "", 0.0, False

    def say(self, text, seconds, *, closed):
        """Say it for so long."""
        self._text, self._until, self._closed = text, self._clock() + seconds, closed

    def end(self):
        """It is over."""
        self._text, self._until, self._closed = "", 0.0, False

    @property
    def closed(self):
        """Whether no server may start."""
        return bool(self) and self._closed

    def as_json(self):
        """What is said now."""
        left = max(0, round(self._until - self._clock()))
        return {"text": str(self), "closed": self.closed, "seconds": left if self else 0}

    def __bool__(self):
        return bool(self._text) and self._clock() < self._until

    def __str__(self):
        return self._text if self else ""


NOTICE = Notice()


def announced(user):
    """What a page shows as its announcement: asked at each look, and harmless as HTML."""
    del user
    return html.escape(str(NOTICE))


class StartsRefusedError(Exception):
    """A server that may not start now; the user reads its text."""

    @property
    def jupyterhub_message(self):
        """The same, by the name under which JupyterHub looks for it."""
        return str(self)


def refuse_while_closed():
    """Raise StartsRefusedError while the notice says that no server starts."""
    if NOTICE.closed:
        raise StartsRefusedError(str(NOTICE))


class NoticeHandler(APIHandler):
    """The hub's API for notices, for clients with the scope. JupyterHub's own decorator for scopes
    is too early: the hub does not know this one yet.
    """

    async def prepare(self):
        """Refuse clients without the scope: HTTP 403."""
        await super().prepare()
        if SCOPE not in self.expanded_scopes:
            raise web.HTTPError(403, f"This takes the scope {SCOPE}")

    def get(self):
        """What is said now."""
        self.write(NOTICE.as_json())

    def put(self):
        """Say something. HTTP 400 for what is no notice."""
        said = self.get_json_body()
        text, seconds, closed = (
            (said.get(key) for key in ("text", "seconds", "closed"))
            if isinstance(said, dict)
            else (None, None, None)
        )
        if (
            not isinstance(text, str)
            or not 0 < len(text) <= _LONGEST
            or isinstance(seconds, bool)
            or not isinstance(seconds, int)
        ):
            raise web.HTTPError(
                400, "A notice has a text of 1 to 500 characters, and whole seconds"
            )
        if not 0 < seconds <= _A_DAY or not isinstance(closed, bool):
            raise web.HTTPError(
                400, "A notice lasts 1 second to a day, and says whether servers may start"
            )
        NOTICE.say(text, seconds, closed=closed)
        self.write(NOTICE.as_json())

    def delete(self):
        """It is over."""
        NOTICE.end()
        self.set_status(204)


def configure(c):
    """Put it into the hub's configuration `c`: the page's announcement, the API, and the scope that
    it asks for.

    JupyterHub calls `extra_handlers` deprecated since 3.1, for services, and warns at each start. A
    service is a process of its own, which cannot change what the hub's pages say; when the option
    goes, this has to become a page of the hub's template folder.
    """
    c.JupyterHub.template_vars = {
        "announcement": announced,
        **_plain(c.JupyterHub.template_vars, {}),
    }
    c.JupyterHub.extra_handlers = [*_plain(c.JupyterHub.extra_handlers, []), (PATH, NoticeHandler)]
    c.JupyterHub.custom_scopes = {
        SCOPE: {"description": "say something on every page of the hub"},
        **_plain(c.JupyterHub.custom_scopes, {}),
    }


def _plain(value, otherwise):
    """The configured value, if there is one: an option that is not set is a lazy value of
    traitlets.
    """
    return value if isinstance(value, type(otherwise)) else otherwise

"""An operator's notice to all users: on each page of the hub, and where a server would be started;
and announcements, which are on each page at their time.

A file of the hub's own pod, beside the chart's configuration. `jhub pause` sets the notice through
the hub's API, under its own token; nothing of it is kept when the hub restarts, and nothing stays
longer than it was said for. Announcements of `jhub announce` are in the hub's own database.
"""

from __future__ import annotations

import html
import time

import sqlalchemy
from jupyterhub.apihandlers.base import APIHandler
from tornado import web
from tornado.log import app_log

PATH = r"/api/jupyterhub-aws/notice"
ANNOUNCEMENTS_PATH = r"/api/jupyterhub-aws/announcements(?:/([0-9]{1,9}))?"
SCOPE = "custom:jupyterhub-aws:notice"
_LONGEST, _A_DAY = 500, 24 * 3600
_MOST, _FURTHEST = 20, 400 * _A_DAY


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


#: In the hub's own database, beside JupyterHub's tables: it is made with the first announcement.
_TABLE = sqlalchemy.Table(
    "jupyterhub_aws_announcements",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("number", sqlalchemy.Integer, primary_key=True),
    sqlalchemy.Column("text", sqlalchemy.Unicode(_LONGEST), nullable=False),
    sqlalchemy.Column("starts", sqlalchemy.BigInteger, nullable=False),
    sqlalchemy.Column("ends", sqlalchemy.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # the number of one that was cleared is not given again
)


def _hub_session():
    """The database session of this hub, which its own handlers use too."""
    from jupyterhub import app

    return app.JupyterHub.instance().db


class Announcements:
    """Texts, each from one moment until another, in seconds since 1970. The table is read once;
    after that the hub, which alone writes to it, knows them.
    """

    def __init__(self, session=_hub_session, clock=time.time):
        self._session, self._clock, self._known = session, clock, None

    def all(self):
        """Those that are shown now or later, by their start."""
        if self._known is None:
            db = self._session()
            there = sqlalchemy.inspect(db.connection()).has_table(_TABLE.name)
            query = sqlalchemy.select(_TABLE).order_by(_TABLE.c.starts, _TABLE.c.number)
            self._known = [dict(row) for row in db.execute(query).mappings()] if there else []
        return [item for item in self._known if item["ends"] > self._clock()]

    def now(self):
        """The texts that a page shows. Pages work without the database's answer too."""
        try:
            return [item["text"] for item in self.all() if item["starts"] <= self._clock()]
        except sqlalchemy.exc.SQLAlchemyError as error:
            self._session().rollback()
            app_log.warning("Announcements were not read: %s", type(error).__name__)
            return []

    def add(self, text, starts, ends):
        """Keep one, and remove those that are over."""
        db = self._session()
        _TABLE.create(db.connection(), checkfirst=True)
        db.execute(sqlalchemy.delete(_TABLE).where(_TABLE.c.ends <= self._clock()))
        row = sqlalchemy.insert(_TABLE).values(text=text, starts=starts, ends=ends)
        (number,) = db.execute(row).inserted_primary_key
        self._done(db)
        return {"number": number, "text": text, "starts": starts, "ends": ends}

    def clear(self, number=None):
        """Remove one, or all."""
        if not self.all():
            return
        db, row = self._session(), sqlalchemy.delete(_TABLE)
        db.execute(row if number is None else row.where(_TABLE.c.number == number))
        self._done(db)

    def _done(self, db):
        db.commit()
        self._known = None


ANNOUNCEMENTS = Announcements()


def announced(user):
    """What a page shows as its announcement: asked at each look, and harmless as HTML. A notice
    wins.
    """
    del user
    texts = [str(NOTICE)] if NOTICE else ANNOUNCEMENTS.now()
    return "<br>".join(html.escape(text) for text in texts)


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


class _OperatorHandler(APIHandler):
    """For clients with the scope. JupyterHub's own decorator for scopes is too early: the hub does
    not know this one yet.
    """

    async def prepare(self):
        """Refuse clients without the scope: HTTP 403."""
        await super().prepare()
        if SCOPE not in self.expanded_scopes:
            raise web.HTTPError(403, f"This takes the scope {SCOPE}")


class AnnouncementsHandler(_OperatorHandler):
    """The hub's API for announcements."""

    def get(self, number):
        """Those that are shown now or later. One alone is not asked for: HTTP 405."""
        if number is not None:
            raise web.HTTPError(405)
        self.write({"announcements": ANNOUNCEMENTS.all()})

    def post(self, number):
        """Add one. HTTP 400 for what is no announcement, 409 where there are too many."""
        if number is not None:
            raise web.HTTPError(405)
        said = self.get_json_body()
        text, starts, ends = (
            (said.get(key) for key in ("text", "starts", "ends"))
            if isinstance(said, dict)
            else (None, None, None)
        )
        if not isinstance(text, str) or not 0 < len(text.strip()) <= len(text) <= _LONGEST:
            raise web.HTTPError(400, "An announcement has a text of 1 to 500 characters")
        if type(starts) is not int or type(ends) is not int:
            raise web.HTTPError(400, "An announcement starts and ends at whole seconds since 1970")
        now = time.time()
        if not 0 <= starts < ends or not now < ends <= now + _FURTHEST:
            raise web.HTTPError(
                400, "An announcement ends after its start, after now, and within 400 days"
            )
        if len(ANNOUNCEMENTS.all()) >= _MOST:
            raise web.HTTPError(409, f"There are {_MOST} announcements already")
        self.set_status(201)
        self.write(ANNOUNCEMENTS.add(text, starts, ends))

    def delete(self, number):
        """Remove one, or all: none is left of what is asked for."""
        ANNOUNCEMENTS.clear(None if number is None else int(number))
        self.set_status(204)


class NoticeHandler(_OperatorHandler):
    """The hub's API for notices."""

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
    c.JupyterHub.extra_handlers = [
        *_plain(c.JupyterHub.extra_handlers, []),
        (PATH, NoticeHandler),
        (ANNOUNCEMENTS_PATH, AnnouncementsHandler),
    ]
    c.JupyterHub.custom_scopes = {
        SCOPE: {"description": "say something on every page of the hub"},
        **_plain(c.JupyterHub.custom_scopes, {}),
    }


def _plain(value, otherwise):
    """The configured value, if there is one: an option that is not set is a lazy value of
    traitlets.
    """
    return value if isinstance(value, type(otherwise)) else otherwise

"""Announcements in the hub: kept in its database, shown at their time, escaped; a notice wins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool
from traitlets.config import Config

from tests.components.test_hub_files import imported


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def notice() -> Any:
    return imported("jupyterhub_aws_notice")


@pytest.fixture
def session() -> Session:
    return Session(sqlalchemy.create_engine("sqlite://", poolclass=StaticPool))


def test_kept_in_the_database_and_shown_at_their_time(notice: Any, session: Session) -> None:
    clock = Clock()
    kept = notice.Announcements(lambda: session, clock)
    assert kept.now() == kept.all() == []
    kept.clear()
    tables = sqlalchemy.inspect(session.connection())
    assert not tables.get_table_names(), "no table before the first announcement"
    later, now = kept.add("later", 1010, 1020), kept.add("now", 900, 1015)
    assert kept.now() == ["now"] and [item["text"] for item in kept.all()] == ["now", "later"]
    again = notice.Announcements(lambda: session, clock)
    assert again.all() == kept.all() == [now, later], "another hub process reads the same"
    clock.now = 1012
    assert again.now() == ["now", "later"]
    clock.now = 1015
    assert again.now() == ["later"]
    kept.clear(99)
    assert kept.all() == [later]
    kept.clear(later["number"])
    assert kept.all() == []
    third = kept.add("third", 0, 2000)
    assert third["number"] > later["number"] > 0, "a number is not given twice"
    rows = session.execute(sqlalchemy.text("select count(*) from jupyterhub_aws_announcements"))
    assert rows.scalar() == 1, "what is over is removed"


def test_another_connection_sees_it_at_once(notice: Any, tmp_path: Path) -> None:
    """It is there when the hub ends in this moment."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/hub.sqlite")
    hub, next_hub = Session(engine), Session(engine)
    kept = notice.Announcements(lambda: hub, Clock())
    made = kept.add("text", 0, 2000)
    assert notice.Announcements(lambda: next_hub, Clock()).all() == [made]
    next_hub.rollback()
    kept.clear()
    assert notice.Announcements(lambda: next_hub, Clock()).all() == []
    hub.close()
    next_hub.close()
    engine.dispose()


def test_a_page_works_without_the_database(notice: Any) -> None:
    broken = sqlalchemy.create_engine("sqlite:////nowhere/at/all.sqlite")
    kept = notice.Announcements(lambda: Session(broken), Clock())
    assert kept.now() == []
    with pytest.raises(sqlalchemy.exc.SQLAlchemyError):
        kept.all()


def test_what_a_page_shows(notice: Any, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(notice, "ANNOUNCEMENTS", notice.Announcements(lambda: session, clock))
    monkeypatch.setattr(notice, "NOTICE", notice.Notice(clock))
    c = Config()
    notice.configure(c)
    shown = c.JupyterHub.template_vars["announcement"]
    assert shown(None) == ""
    notice.ANNOUNCEMENTS.add("a < b & 'c'", 0, 2000)
    notice.ANNOUNCEMENTS.add("second", 0, 2000)
    assert shown(None) == "a &lt; b &amp; &#x27;c&#x27;<br>second"
    notice.NOTICE.say("<paused>", 10, closed=True)
    assert shown(None) == "&lt;paused&gt;"
    clock.now += 10
    assert shown(None).endswith("<br>second")

"""The directory's authenticator in the hub: jupyterhub-ldapauthenticator 2.0.2, bounded in time,
with groups and administrators.

A file of the hub's own pod, beside the chart's configuration: imported there and by `jhub probe
ldap`, which tries with the same class. It needs nothing but what the hub's image has.

What is different from the class below it, and why:

- It waits `timeout_seconds` for the directory, in a thread of its own. The original has no limit
  and binds in the hub's only thread: with a directory that accepts and says nothing, /hub/health
  went unanswered for 45 s and more.
- It asks for each group that means something here (who may come in, who is an administrator, who
  gets which profile) in one connection.
- Administrators by group are administrators for as long as they are members: the answer is yes or
  no, never "as before".
- A DN with braces no longer ends a sign-in with an error: upstream formats it as a template.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPSASLPrepError, LDAPStartTLSError
from ldapauthenticator import LDAPAuthenticator
from tornado import web
from traitlets import Integer, List, Unicode

#: So many sign-ins may wait for a silent directory at once; others queue. None of them holds up the
#: hub.
_THREADS = 16


class _Asker(LDAPAuthenticator):
    """One question to the directory. Runs in a thread: it owns no state of the hub. `close` it
    afterwards: upstream leaves its sockets open.
    """

    timeout_seconds = Integer(10)

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self._connections = []

    def get_connection(self, userdn, password):
        """As upstream's, with limits for connecting and for each answer. None for a wrong name
        or password.
        """
        strategy = self.tls_strategy.name
        server = ldap3.Server(
            self.server_address,
            port=self.server_port,
            use_ssl=strategy == "on_connect",
            tls=ldap3.Tls(**self.tls_kwargs),
            connect_timeout=self.timeout_seconds,
        )
        connection = ldap3.Connection(
            server, user=userdn, password=password, receive_timeout=self.timeout_seconds
        )
        self._connections.append(connection)
        connection.open(read_server_info=False)
        if strategy == "before_bind" and not connection.start_tls(read_server_info=False):
            raise LDAPStartTLSError(connection.result.get("description"))
        try:
            return connection if connection.bind(read_server_info=True) else None
        except (
            LDAPSASLPrepError
        ):  # a password that no directory could have, with control characters in it
            return None

    def resolve_username(self, username_supplied_by_user):
        """As upstream's; the DN that was found is taken as it is, braces included."""
        username, dn = super().resolve_username(username_supplied_by_user)
        return username, None if dn is None else dn.replace("{", "{{").replace("}", "}}")

    def ask(self, data):
        """`authenticate` to its end, with every connection closed."""
        try:
            return asyncio.run(self.authenticate(None, data))
        finally:
            self.close()

    def close(self):
        """Close every connection, also one that never became one."""
        for connection in self._connections:
            with contextlib.suppress(LDAPException, OSError):
                connection.unbind()
            if connection.socket is not None:
                connection.socket.close()
        self._connections.clear()


class DirectoryAuthenticator(LDAPAuthenticator):
    """Users of a directory. Upstream's traits are configured under `LDAPAuthenticator`, new ones
    under this class.
    """

    timeout_seconds = Integer(
        10,
        config=True,
        help="How long a sign-in waits for the directory: to connect, and for each answer.",
    )
    admin_groups = List(
        Unicode(),
        config=True,
        help="DNs of groups whose members are administrators. They come in too.",
    )
    known_groups = List(
        Unicode(),
        config=True,
        help="DNs of further groups that the hub should know of: for profiles.",
    )

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="directory")

    @property
    def asked_groups(self):
        """Every group that means something here, each once."""
        return list(
            dict.fromkeys([*(self.allowed_groups or []), *self.admin_groups, *self.known_groups])
        )

    def asker(self):
        """One query; the caller closes it."""
        # `_Asker` takes its own traits from the same section of the configuration: it is a subclass
        # of the same class.
        return _Asker(
            config=self.config,
            log=self.log,
            timeout_seconds=self.timeout_seconds,
            allowed_groups=self.asked_groups,
        )

    async def authenticate(self, handler, data):
        """The user as the directory identifies it; None for a wrong name or password. Raises HTTP
        503 where the directory gives no answer.
        """
        asker = self.asker()
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: asker.ask(data)
            )
        except (LDAPException, OSError) as error:
            self.log.error("The directory gave no answer: %s: %s", type(error).__name__, error)
            raise web.HTTPError(
                503,
                "The directory gives no answer. Nothing is wrong with your password; try again in a"
                " while.",
            ) from None
        if found is None:
            return None
        groups = found["auth_state"]["ldap_groups"]
        name = self.normalize_username(found["name"])
        return {
            **found,
            "groups": sorted(groups),
            "admin": name in self.admin_users or bool(set(groups) & set(self.admin_groups)),
        }

    async def check_allowed(self, username, auth_model):
        """As upstream's; and administrators always come in."""
        return bool(auth_model and auth_model.get("admin")) or await super().check_allowed(
            username, auth_model
        )

"""The reason why a server ended unexpectedly, shown to its user where the next one is started.

A file of the hub's own pod, beside the chart's configuration; it needs nothing but what the hub's
image has. Spot nodes go two minutes after AWS says so, and with them the server: without a message
its user would only find a page that offers to start one.
"""

from __future__ import annotations

import html

from jupyterhub_aws_notice import refuse_while_closed
from kubespawner import KubeSpawner

_MEMORY = (
    "It needed more memory than it may have, and was stopped. Files are as they were last saved."
    " Choose a larger one, or load less at once."
)
_SPOT = (
    "Its node went away: AWS takes spot nodes back when it needs them, two minutes after saying so."
    " Files are as they were last saved. A profile that is on nodes which AWS does not take back is"
    " safe from this."
)
_NODE = "Its node went away. Files are as they were last saved."
_ENDED = "It ended by itself. Files are as they were last saved."


class EndedByItself:
    """A mixin for any spawner: remembers that a running server ended without being stopped, and
    says so on the page for the next one.
    """

    _ran = False
    _asked = False
    #: By user and server: JupyterHub puts a new spawner in the place of one that failed.
    _notices = {}  # noqa: RUF012 -- one for all of them

    @property
    def notice(self):
        """The message about the last server; empty where it was stopped normally."""
        return self._notices.get((self.user.name, self.name), "")

    def _remember(self, notice):
        self._notices.pop((self.user.name, self.name), None)
        if notice:
            self._notices[self.user.name, self.name] = notice

    async def start(self):
        """Start it; what was said of the one before is over once this one runs. Raises
        StartsRefusedError while an operator lets none start.
        """
        refuse_while_closed()
        self._ran, self._asked = False, False
        found = await super().start()
        self._ran = True
        self._remember("")
        return found

    async def stop(self, *arguments, **named):
        """Stop it on request: of its user, an administrator, or the culler."""
        self._asked = True
        return await super().stop(*arguments, **named)

    async def poll(self):
        """As the spawner's own; the first time that a running server is gone, why is remembered."""
        asked = self._asked
        self.look()
        status = await super().poll()
        self._asked = asked  # KubeSpawner cleans up a pod that ended: that is no requested stop
        if status is None:
            self._ran = True  # also after a restart of the hub, which starts nothing
        elif self._ran and not self._asked:
            self._ran = False
            self._remember(self.why_it_ended())
            self.log.warning("The server of %s ended by itself: %s", self.user.name, self.notice)
        return status

    def look(self):
        """See what there is to see before it is cleared away."""

    def why_it_ended(self):
        """What can be known about it."""
        return _ENDED

    async def get_options_form(self):
        """The page's choices, below what there is to say."""
        form = await super().get_options_form()
        if not self.notice or not form:
            return form
        return (
            '<div class="alert alert-warning" role="alert"><strong>Your last server is'
            f" gone.</strong> {html.escape(self.notice)}</div>{form}"
        )


class NoticingKubeSpawner(EndedByItself, KubeSpawner):
    """KubeSpawner, whose every option stays where it is: under `KubeSpawner`."""

    _pod = None

    async def load_user_options(self):
        """As the spawner's own. A text for a choice is dropped where the request names no profile:
        KubeSpawner 7.0.0 checks it against no expression then (`_validate_user_options`), and the
        default profile would use it (`_load_profile`).
        """
        options = self.user_options or {}
        if not options.get("profile"):
            self.user_options = {
                key: value
                for key, value in options.items()
                if not str(key).endswith("--unlisted-choice")
            }
        await super().load_user_options()

    def look(self):
        """Its pod, as the cluster showed it last."""
        self._pod = (
            self.pod_reflector.pods.get(f"{self.namespace}/{self.pod_name}")
            if self.pod_reflector
            else None
        )

    def why_it_ended(self):
        """By the last that was seen of its pod: out of memory, or gone with its node."""
        pod = self._pod
        states = ((pod or {}).get("status") or {}).get("containerStatuses") or []
        ends = [
            (item.get(state) or {}).get("terminated") or {}
            for item in states
            for state in ("state", "lastState")
        ]
        if any(end.get("reason") == "OOMKilled" for end in ends):
            return _MEMORY
        if (
            pod is None
            or (pod.get("metadata") or {}).get("deletionTimestamp")
            or (
                (pod.get("status") or {}).get("reason") in ("Evicted", "NodeShutdown", "Terminated")
            )
        ):
            required = self.node_affinity_required or []
            return (
                _NODE
                if any(
                    term.get("key") == "on-demand"
                    for one in required
                    for term in one.get("matchExpressions") or []
                )
                else _SPOT
            )
        return _ENDED

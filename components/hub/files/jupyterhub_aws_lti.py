"""Sign-in from a course in the hub: jupyterhub-ltiauthenticator 1.6.3 (LTI 1.3), with groups.

A file of the hub's own pod, beside the chart's configuration. What is different from the classes
below it, and why:

- Who may sign in, and who is an administrator, is decided by the roles and the course of the
  launch. Upstream knows names only.
- A launch without the claim that names users is refused: upstream would take `sub` instead, which
  could be the name of another user.
- A launch of an unknown deployment is refused (LTI Core specification, 3.1.3).
- The cookies of a launch come back with a request from the platform's page, which browsers only
  send with SameSite=None. The hub's other cookies keep the browser's default.
- Keys of the platform are fetched in a thread: a platform that does not answer does not hold up
  the hub.
"""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from ltiauthenticator.lti13.auth import LTI13Authenticator
from ltiauthenticator.lti13.constants import LTI13_CUSTOM_CLAIM
from ltiauthenticator.lti13.handlers import LTI13CallbackHandler, LTI13LoginInitHandler
from tornado import web
from traitlets import Set, Unicode

#: LTI Core specification 1.3, 5.3 and A.2: claims, and the context's roles. Roles of the
#: institution or the system say nothing about a course.
_CLAIMS = LTI13_CUSTOM_CLAIM.rpartition("/")[0]
_VOCABULARY = re.escape(f"http://{LTI13_CUSTOM_CLAIM.split('/')[2]}/vocab/lis/v2/membership")
_ROLE = re.compile(
    rf"(?:{_VOCABULARY}[#/])?"
    r"(?P<role>Administrator|ContentDeveloper|Instructor|Learner|Mentor)(?:#(?P<sub>\w+))?"
)
_ASSISTANT = "TeachingAssistant"
_NAMES = {
    "Administrator": "administrator",
    "ContentDeveloper": "content_developer",
    "Instructor": "instructor",
    "Learner": "learner",
    "Mentor": "mentor",
}
#: So many launches may wait for a silent platform at once.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="lti-keys")


def groups_of(launch):
    """The groups that a launch says: roles, course:ID and course:ID:ROLE. A teaching assistant is
    no instructor, although platforms send both.
    """
    found = [_ROLE.fullmatch(str(role)) for role in launch.get(f"{_CLAIMS}/roles") or []]
    roles = {_NAMES[match["role"]] for match in found if match}
    if any(match and (match["sub"] or "").startswith(_ASSISTANT) for match in found):
        roles = (roles - {"instructor"}) | {"teaching_assistant"}
    context = (launch.get(f"{_CLAIMS}/context") or {}).get("id")
    if not context:
        return roles
    course = f"course:{quote(str(context), safe='')}"
    return roles | {course} | {f"{course}:{role}" for role in roles}


class LaunchStartHandler(LTI13LoginInitHandler):
    """The platform's login request."""

    def _set_oauth_cookie(self, key, value):
        self._set_cookie(
            key,
            value,
            expires_days=1,
            httponly=True,
            encrypted=True,
            secure=True,
            samesite="None",
        )


class LaunchHandler(LTI13CallbackHandler):
    """The launch."""

    _launch = None

    async def post(self):
        """Verify the launch in a thread, which may wait for the platform's keys; then as
        upstream.
        """
        self._launch = asyncio.get_running_loop().run_in_executor(
            _THREADS, super().decode_and_validate_launch_request
        )
        await asyncio.wait([self._launch])
        await super().post()

    def decode_and_validate_launch_request(self):
        """What the thread found. Raises what it raised."""
        return self._launch.result()


class LaunchAuthenticator(LTI13Authenticator):
    """Upstream's traits are configured under `LTI13Authenticator`, new ones under this class."""

    login_handler = LaunchStartHandler
    callback_handler = LaunchHandler
    custom_html = "<p>Open this hub from your course: there is no sign-in on this page.</p>"

    allowed_groups = Set(Unicode(), config=True, help="Groups whose members may sign in.")
    admin_groups = Set(Unicode(), config=True, help="Groups whose members are administrators.")
    deployment_ids = Set(Unicode(), config=True, help="Known deployments; empty: all.")

    def get_username(self, token):
        """As upstream's, but never by another claim than the stack's. Raises HTTP 403."""
        key = self.username_key
        custom = key.startswith("custom_")
        source = token.get(LTI13_CUSTOM_CLAIM) or {} if custom else token
        name = source.get(key.removeprefix("custom_"))
        if not name or not isinstance(name, str):
            raise web.HTTPError(403, "The course's page does not say who you are.")
        return name

    async def authenticate(self, handler, data=None):
        """The user of a verified launch. Raises HTTP 403."""
        deployment = (data or {}).get(f"{_CLAIMS}/deployment_id")
        if self.deployment_ids and deployment not in self.deployment_ids:
            raise web.HTTPError(403, "This tool was not set up for your course.")
        found = await super().authenticate(handler, data)
        groups = groups_of(data)
        return {
            "name": found["name"],
            "groups": sorted(groups),
            "admin": True if groups & self.admin_groups else None,
            "auth_state": None,  # names, addresses and marks of learners: nothing here needs them
        }

    def check_allowed(self, username, authentication=None):
        """By group of the launch, or by name."""
        said = authentication or {}
        if said.get("admin") or self.allowed_groups & set(said.get("groups") or ()):
            return True
        return super().check_allowed(username, authentication)

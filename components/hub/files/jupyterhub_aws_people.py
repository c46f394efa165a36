"""Authorization of users in the hub: administrators, profiles, and access to shared directories.

A file of the hub's own pod, beside the chart's configuration, which calls `configure`. Its settings
are the chart's `custom.jupyterhubAws`; it needs nothing but what the hub's image has.
"""

from __future__ import annotations

from tornado import web


def configure(c, settings):
    """Put the decisions of this file into the hub's configuration `c`; values of
    `hub.extraConfig` come later and may say otherwise.
    """
    c.Authenticator.post_auth_hook = administrators_are_listed
    groups = settings.get("profileGroups") or {}
    free = settings.get("unlistedImageGroups") or {}
    if groups or free:
        c.KubeSpawner.profile_list = ProfilesByGroup(list(c.KubeSpawner.profile_list), groups, free)
    shared = settings.get("writtenByAdministrators") or []
    by_group = settings.get("groupDirectories") or []
    if by_group:
        c.KubeSpawner.modify_pod_hook = DirectoriesByGroup(by_group, AdministratorsWrite(shared))
    elif shared:
        c.KubeSpawner.modify_pod_hook = AdministratorsWrite(shared)
    if settings.get("githubTeams"):
        c.GitHubOAuthenticator.auth_state_groups_key = github_teams
    if settings.get("accountPages"):
        c.JupyterHub.template_paths = account_pages()


def administrators_are_listed(authenticator, handler, authentication):
    """A user whose sign-in does not say so is not an administrator: JupyterHub itself would not
    change the former state.
    """
    del authenticator, handler
    return {**authentication, "admin": bool(authentication.get("admin"))}


class ProfilesByGroup:
    """KubeSpawner's `profile_list` as a function: a profile of some groups is neither shown to nor
    started for other users.

    `groups` is by profile: the names of groups of which the user must have one. `free` is the same
    for the text field in which a user writes an image. Administrators get everything.
    """

    def __init__(self, profiles, groups, free=None):
        self.profiles = profiles
        self.groups = {slug: frozenset(names) for slug, names in groups.items()}
        self.free = {slug: frozenset(names) for slug, names in (free or {}).items()}

    def __call__(self, spawner):
        """The profiles of the server's user. Raises HTTP 403 where there is none: a server
        without a profile would have no access check.
        """
        person = spawner.user
        own = {group.name for group in person.groups}
        mine = [
            profile for profile in self.profiles if person.admin or _open(self.groups, profile, own)
        ]
        if not mine:
            raise web.HTTPError(
                403,
                "No kind of server is open to you: you are in none of the groups that have one. Ask"
                " an administrator of this hub.",
            )
        return [  # copies: KubeSpawner marks the default one in place
            dict(profile)
            if person.admin or _open(self.free, profile, own)
            else _listed_images_only(profile)
            for profile in mine
        ]


def _open(groups, profile, own):
    wanted = groups.get(profile.get("slug"))
    return wanted is None or bool(wanted & own)


def _listed_images_only(profile):
    """The profile without a text field: KubeSpawner then refuses a text for it."""
    options = {
        name: {key: value for key, value in option.items() if key != "unlisted_choice"}
        for name, option in profile.get("profile_options", {}).items()
    }
    return {**profile, "profile_options": options}


class AdministratorsWrite:
    """KubeSpawner's `modify_pod_hook`: shared directories are read-only for all users except
    administrators.
    """

    def __init__(self, mount_paths):
        self.mount_paths = frozenset(mount_paths)

    def __call__(self, spawner, pod):
        """The pod, with the shared directories writable where it is an administrator's."""
        if spawner.user.admin:
            for container in pod.spec.containers:
                for mount in container.volume_mounts or []:
                    if mount.mount_path in self.mount_paths:
                        mount.read_only = False
        return pod


class DirectoriesByGroup:
    """KubeSpawner's `modify_pod_hook`: a shared directory of some groups is mounted in servers of
    their users, and in no others. No pod has it before, so without this hook no user sees it.

    `directories` are maps: `volume`, `mountPath`, `subPath`, `readers` and `writers` (groups), and
    `administratorsWrite`. `before` is the hook that sees the pod first.
    """

    def __init__(self, directories, before):
        self.directories = directories
        self.before = before

    def __call__(self, spawner, pod):
        """The pod, with the directories of its user's groups. Raises HTTP 500 where the volume of
        homes is missing: a server without the directory would look as if its files were lost.
        """
        pod = self.before(spawner, pod)
        own = {group.name for group in spawner.user.groups}
        for directory in self.directories:
            may = self._may(directory, own, admin=spawner.user.admin)
            if may is not None:
                self._mount(pod, directory, read_only=may == "read")
        return pod

    @staticmethod
    def _may(directory, own, *, admin):
        """`write`, `read`, or None."""
        if own & set(directory["writers"]) or (admin and directory["administratorsWrite"]):
            return "write"
        return "read" if own & set(directory["readers"]) else None

    @staticmethod
    def _mount(pod, directory, *, read_only):
        from kubernetes_asyncio.client.models import V1VolumeMount

        if directory["volume"] not in {volume.name for volume in pod.spec.volumes or []}:
            raise web.HTTPError(500, "A shared directory has no volume. Tell an administrator.")
        server = pod.spec.containers[0]  # KubeSpawner makes it first (`make_pod`)
        server.volume_mounts = [
            *(server.volume_mounts or []),
            V1VolumeMount(
                name=directory["volume"],
                mount_path=directory["mountPath"],
                sub_path=directory["subPath"],
                read_only=read_only,
            ),
        ]


def github_teams(auth_state):
    """A user's groups: their teams at GitHub, as organization:team."""
    return [
        f"{team['organization']['login']}:{team['slug']}" for team in auth_state.get("teams") or []
    ]


def account_pages():
    """Where the sign-up pages of the hub's own accounts are."""
    from pathlib import Path

    import nativeauthenticator

    return [str(Path(nativeauthenticator.__file__).parent / "templates")]

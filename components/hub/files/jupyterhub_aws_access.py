"""The identity of a user's server in AWS: the service account of its profile and of its user's
groups.

A file of the hub's own pod, only where servers may use AWS. EKS gives a pod the role of its service
account, and tags its credentials with the pod's name. The hub alone decides over both, and so over
what a server may do: users choose a profile, never an account, a label or a name.
"""

from __future__ import annotations

from jupyterhub import orm
from jupyterhub.utils import maybe_future
from kubernetes_asyncio.client.models import V1EnvVar
from tornado import web

#: Set by each profile: the name of its choice. On a pod that starts: the name of its access.
LABEL = "jupyterhub-aws/aws-access"
_SERVER = "notebook"


def configure(c, settings):
    """Put the decision of this file behind what decides about pods already."""
    before = c.KubeSpawner.get("modify_pod_hook")
    c.KubeSpawner.modify_pod_hook = ServersOfAccess(settings, before if callable(before) else None)


class ServersOfAccess:
    """KubeSpawner's `modify_pod_hook`.

    `settings` has `choices` by name (`otherwise`, and `byGroup`: groups and the access of their
    members, the first one counts) and `accesses` by name (`serviceAccount`, `environment`,
    `perUser`). An empty name is no access. What is not known is no access either.
    """

    def __init__(self, settings, before=None):
        self.choices = settings.get("choices") or {}
        self.accesses = settings.get("accesses") or {}
        self.before = before

    async def __call__(self, spawner, pod):
        """The pod with its identity. Raises HTTP 403 where its name is another user's."""
        if self.before is not None:
            pod = await maybe_future(self.before(spawner, pod))
        labels = pod.metadata.labels or {}
        choice = self.choices.get(labels.pop(LABEL, ""))
        groups = {group.name for group in spawner.user.groups}
        name = self.access_of(choice, groups)
        access = self.accesses.get(name)
        if access is None:
            return pod
        if access.get("perUser"):
            refuse_name_of_another(spawner, pod.metadata.name)
        pod.metadata.labels = {**labels, LABEL: name}
        pod.spec.service_account_name = access["serviceAccount"]
        pod.spec.service_account = access["serviceAccount"]
        further = [
            V1EnvVar(name=key, value=value.replace("{pod_name}", pod.metadata.name))
            for key, value in sorted((access.get("environment") or {}).items())
        ]
        for container in pod.spec.containers:
            if container.name == _SERVER and further:
                ours = {item.name for item in further}
                kept = [item for item in container.env or [] if item.name not in ours]
                container.env = [*kept, *further]
        return pod

    @staticmethod
    def access_of(choice, groups):
        """The name of the access of a user in these groups; empty for none."""
        if choice is None:
            return ""
        for wanted, name in choice.get("byGroup") or []:
            if groups & set(wanted):
                return name
        return choice.get("otherwise") or ""


def refuse_name_of_another(spawner, pod_name):
    """Raise HTTP 403 where another user's server would have this pod name, and so the folder that
    belongs to it.

    KubeSpawner puts 32 bits of a hash into names that it has to change, so two users can have the
    same one if a name was made for that.
    """
    template = spawner.pod_name_template
    for (other,) in spawner.db.query(orm.User.name):
        if other != spawner.user.name and template.format(user_server=slug(other)) == pod_name:
            spawner.log.error("%s and %s have the pod name %s", spawner.user.name, other, pod_name)
            raise web.HTTPError(
                403,
                "Your server would have the name, and the folder in S3, of another user's. Ask an"
                " administrator of this hub.",
            )


def slug(username):
    """A user name in the pod name of the user's one server (KubeSpawner, `{user_server}`)."""
    from kubespawner.slugs import multi_slug, safe_slug

    longest = 48  # KubeSpawner._expand_user_properties
    found = safe_slug(username, max_length=longest)
    return found if len(found) + 2 <= longest else multi_slug([username, ""], max_length=longest)

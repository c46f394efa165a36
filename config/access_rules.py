"""The rules of buckets and of what servers may do in AWS: between sections, and against what cannot
be kept apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jupyterhub_aws.config.aws_access import (
    AwsAccess,
    BucketAccess,
    GroupAccess,
    ServerAccess,
    action_service,
    address_variable,
    arn_account,
    folders_of,
)
from jupyterhub_aws.config.buckets import (
    AnyBucket,
    ExistingBucket,
    PublicBucket,
    physical_bucket,
)
from jupyterhub_aws.config.cluster import AnyCluster, EksCluster
from jupyterhub_aws.config.endpoints import GATEWAYS
from jupyterhub_aws.config.errors import Problem, Rules, did_you_mean, shown
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.hub_rules import Hubs, group_problems
from jupyterhub_aws.config.network import AnyNetwork, OpenNetworkSection
from jupyterhub_aws.config.sign_in import SharedPasswordSignIn
from jupyterhub_aws.config.tree import at
from jupyterhub_aws.config.volumes import BucketVolume

Buckets = Mapping[str, AnyBucket]
#: How the pod of each user's server begins: only a folder that does too can be a user's own.
_POD = "jupyter-"
#: Traits of KubeSpawner that decide how pods are called.
POD_NAME_TRAITS = ("pod_name_template", "slug_scheme", "enable_user_namespaces")
_NAMED_SERVERS_IN_VALUES = (
    ("hub", "allowNamedServers"),
    ("hub", "config", "JupyterHub", "allow_named_servers"),
)


def accesses(name: str, hub: Hub) -> Iterator[tuple[str, AwsAccess]]:
    """Every access of a hub with its path: the hub's own, and those of its profiles."""
    if hub.aws_access is not None:
        yield f"hubs.{name}.aws_access", hub.aws_access
    for profile_name, profile in hub.profiles.items():
        if profile.aws_access is not None:
            yield f"hubs.{name}.profiles.{profile_name}.aws_access", profile.aws_access


def entries(path: str, access: AwsAccess) -> Iterator[tuple[str, ServerAccess]]:
    """An access and the entries of its groups, each with its path."""
    yield path, access
    for index, entry in enumerate(access.by_group):
        yield f"{path}.by_group[{index}]", entry


def _entries(hubs: Hubs) -> Iterator[tuple[str, Hub, str, ServerAccess]]:
    for name, hub in hubs.items():
        for path, access in accesses(name, hub):
            for where, entry in entries(path, access):
                yield name, hub, where, entry


def bucket_names_are_known(
    name: str, accounts: Sequence[str], buckets: Buckets
) -> Iterator[Problem]:
    """Names in AWS follow from the stack's account, and differ. None is too long: the longest has
    58 of 63 characters (Amazon S3 user guide, "General purpose buckets naming rules").
    """
    account = accounts[0] if accounts else None
    seen: dict[str, str] = {}
    for bucket_name, bucket in buckets.items():
        path = f"buckets.{bucket_name}"
        physical = physical_bucket(name, bucket_name, bucket, account)
        if physical is None:
            what = "has a name in AWS that ends with the account, which is not said"
            fix = 'write aws:allowedAccountIds: ["123456789012"], or a bucket_name'
            yield Problem(id="bucket.no-account", path=path, what=what, fix=fix)
            continue
        if physical in seen:
            what = f"is the same bucket in AWS as buckets.{seen[physical]} ({physical})"
            yield Problem(id="bucket.twice", path=path, what=what, fix="keep one of them")
        seen[physical] = bucket_name
        if isinstance(bucket, ExistingBucket) and bucket.account == account is not None:
            what = f"is the stack's own account (got {shown(bucket.account)})"
            fix = "remove it: without it the stack's own account is meant"
            yield Problem(id="bucket.own-account", path=f"{path}.account", what=what, fix=fix)


def buckets_can_be_reached(network: AnyNetwork, buckets: Buckets) -> Iterator[Problem]:
    """Through S3's endpoint of an isolated network only buckets of the account are reached."""
    if isinstance(network, OpenNetworkSection) or not network.closed:
        return
    for name, bucket in buckets.items():
        other = isinstance(bucket, ExistingBucket) and bucket.account is not None
        if isinstance(bucket, PublicBucket) or other:
            what = (
                "is not of the stack's account, and S3's endpoint of an isolated network leads to"
                " no other"
            )
            fix = "copy the data into a bucket of kind shared"
            yield Problem(id="bucket.isolated", path=f"buckets.{name}", what=what, fix=fix)


def buckets_are_of_aws(cluster: AnyCluster, buckets: Buckets) -> Iterator[Problem]:
    """Beside an existing cluster the stack makes nothing in AWS, and no server gets a role."""
    if not isinstance(cluster, EksCluster) and buckets:
        what = "are in S3, and a stack with an existing cluster makes nothing in AWS"
        fix = "remove it, or make them in a program of your own (Buckets)"
        yield Problem(id="bucket.existing-cluster", path="buckets", what=what, fix=fix)


def clusters_have_pod_identity(cluster: AnyCluster, hubs: Hubs) -> Iterator[Problem]:
    """Servers get their role by EKS Pod Identity, which the stack sets up in its own clusters."""
    if isinstance(cluster, EksCluster):
        return
    for name, hub in hubs.items():
        for path, _ in accesses(name, hub):
            what = "needs EKS Pod Identity, and the stack does not make this cluster"
            fix = "remove it, or write cluster.kind: eks"
            yield Problem(id="aws-access.existing-cluster", path=path, what=what, fix=fix)


def buckets_exist(buckets: Buckets, hubs: Hubs) -> Iterator[Problem]:
    """The buckets that servers may reach are buckets of the stack file; public ones are read."""
    for _, _, path, entry in _entries(hubs):
        for index, item in enumerate(entry.buckets):
            where, bucket = f"{path}.buckets[{index}]", buckets.get(item.bucket)
            if bucket is None:
                known = f"choose from {', '.join(buckets)}" if buckets else "add it under buckets"
                yield Problem(
                    id="aws-access.no-bucket",
                    path=f"{where}.bucket",
                    what=f"is no bucket of this stack (got {shown(item.bucket)})",
                    fix=did_you_mean(item.bucket, buckets, known),
                )
            elif isinstance(bucket, PublicBucket) and (item.write or item.per_user):
                what = f"writes to {item.bucket}, which is public data for reading"
                fix = "remove write and per_user"
                yield Problem(id="aws-access.public-write", path=where, what=what, fix=fix)
            elif item.per_user and not item.write:
                what = "gives each user a folder of their own that they may only read"
                yield Problem(
                    id="aws-access.own-read-only", path=where, what=what, fix="write write: true"
                )


def mounted_buckets_exist(cluster: AnyCluster, buckets: Buckets, hubs: Hubs) -> Iterator[Problem]:
    """Volumes of kind `bucket` name a bucket of the stack file, and the stack installs the driver
    that mounts them.
    """
    for name, hub in hubs.items():
        for volume_name, volume in hub.volumes.items():
            path = f"hubs.{name}.volumes.{volume_name}"
            if not isinstance(volume, BucketVolume):
                continue
            if volume.bucket not in buckets:
                known = f"choose from {', '.join(buckets)}" if buckets else "add it under buckets"
                yield Problem(
                    id="volumes.no-bucket",
                    path=f"{path}.bucket",
                    what=f"is no bucket of this stack (got {shown(volume.bucket)})",
                    fix=did_you_mean(volume.bucket, buckets, known),
                )
            if not isinstance(cluster, EksCluster):
                yield Problem(
                    id="volumes.bucket-existing-cluster",
                    path=f"{path}.kind",
                    what="is bucket, and the stack does not make this cluster, so not its driver",
                    fix="write cluster.kind: eks, or mount a claim of your own (kind: claim)",
                )


def folders_stay_apart(hubs: Hubs) -> Iterator[Problem]:
    """A folder of one group does not contain another group's, unless the file says so; nor does
    one access name two folders of which one contains the other.
    """
    for name, hub in hubs.items():
        for path, access in accesses(name, hub):
            for where, entry in entries(path, access):
                yield from _no_double(where, entry)
            groups = [
                (f"{path}.by_group[{index}]", entry) for index, entry in enumerate(access.by_group)
            ]
            sides: list[tuple[str, ServerAccess]] = [(path, access), *groups]
            for position, (where, entry) in enumerate(sides):
                for _, other in sides[:position]:
                    yield from _overlaps(where, entry, other)


def _no_double(path: str, entry: ServerAccess) -> Iterator[Problem]:
    for bucket, items in folders_of(entry.buckets).items():
        for position, item in enumerate(items):
            for earlier in items[:position]:
                if _contains(earlier, item) or _contains(item, earlier):
                    if earlier.per_user != item.per_user or earlier.write != item.write:
                        continue  # read everything, write one folder: two permissions
                    index = next(i for i, one in enumerate(entry.buckets) if one is item)
                    what = (
                        f"names folders of {bucket} of which one contains the other"
                        f" ({_shown(earlier)} and {_shown(item)})"
                    )
                    yield Problem(
                        id="aws-access.folder-twice",
                        path=f"{path}.buckets[{index}]",
                        what=what,
                        fix="keep the wider one",
                    )


def _overlaps(path: str, entry: ServerAccess, other: ServerAccess) -> Iterator[Problem]:
    theirs = folders_of(other.buckets)
    for index, item in enumerate(entry.buckets):
        for against in theirs.get(item.bucket, ()):
            if item.overlap or against.overlap or not (item.write or against.write):
                continue
            if _nested(item, against) or _nested(against, item):
                who = f"by_group {other.name}" if isinstance(other, GroupAccess) else "the others"
                what = (
                    f"overlaps a folder of {who} ({_shown(item)} and {_shown(against)} of"
                    f" {item.bucket}), and one of both may write"
                )
                fix = "choose folders beside each other, or write overlap: true if it is meant"
                yield Problem(
                    id="aws-access.overlap", path=f"{path}.buckets[{index}]", what=what, fix=fix
                )


def _nested(inner: BucketAccess, outer: BucketAccess) -> bool:
    """Whether one folder lies in another; equal folders are shared on purpose."""
    same = (inner.prefix, inner.per_user) == (outer.prefix, outer.per_user)
    below = f"{outer.prefix}{_POD}" if outer.per_user else outer.prefix
    return not same and inner.prefix.startswith(below)


def _contains(outer: BucketAccess, inner: BucketAccess) -> bool:
    if outer.per_user:
        return inner.per_user and inner.prefix == outer.prefix
    return inner.prefix.startswith(outer.prefix)


def _shown(item: BucketAccess) -> str:
    where = item.prefix or "the whole bucket"
    return f"a folder for each user in {where}" if item.per_user else where


def folders_are_ones_own(hubs: Hubs) -> Iterator[Problem]:
    """A user's own folder has the name of the pod, so that name must belong to one user."""
    for _, hub, path, entry in _entries(hubs):
        for index, item in enumerate(entry.buckets):
            if item.per_user:
                where = f"{path}.buckets[{index}].per_user"
                yield from (
                    Problem(id=id, path=where, what=what, fix=fix)
                    for id, what, fix in _not_ones_own(hub)
                )


def own_folders_are_private(hubs: Hubs) -> Iterator[Problem]:
    """No other access reaches into users' own folders, unless the file says so: none of the same
    server, of another profile or of another hub. Entries of one access are compared above.
    """
    items = [
        (name, path, entry, index, item)
        for name, hub in hubs.items()
        for path, access in accesses(name, hub)
        for entry, own in entries(path, access)
        for index, item in enumerate(own.buckets)
    ]
    for name, path, entry, index, own in items:
        if not own.per_user:
            continue
        for hub, other_path, other_entry, other_index, other in items:
            if other.bucket != own.bucket or own.overlap or other.overlap:
                continue
            if other_path == path and (other_entry != entry or other_index == index):
                continue
            at_other = f"{other_entry}.buckets[{other_index}]"
            if _reaches(other, own):
                what = (
                    f"reaches users' own folders in {own.prefix or 'the bucket'} of {own.bucket}"
                    f" ({entry}.buckets[{index}])"
                )
                fix = "choose a folder beside it, or write overlap: true if it is meant"
                yield Problem(id="aws-access.own-not-private", path=at_other, what=what, fix=fix)
            elif other.per_user and hub != name and at_other > f"{entry}.buckets[{index}]":
                if other.prefix != own.prefix:
                    continue
                what = (
                    f"gives users of hub {hub} the folders of the users of hub {name} that have the"
                    " same name"
                )
                fix = "write a prefix for each hub, or overlap: true if both have the same users"
                yield Problem(id="aws-access.own-of-two-hubs", path=at_other, what=what, fix=fix)


def _reaches(other: BucketAccess, own: BucketAccess) -> bool:
    """Whether a folder contains users' own folders, or lies in one of them."""
    contains = not other.per_user and own.prefix.startswith(other.prefix)
    return contains or other.prefix.startswith(f"{own.prefix}{_POD}")


def _not_ones_own(hub: Hub) -> Iterator[tuple[str, str, str]]:
    if hub.named_servers or any(at(hub.helm_values, *place) for place in _NAMED_SERVERS_IN_VALUES):
        what = "needs one server for each user: each named server would get another folder"
        yield "aws-access.own-named-servers", what, "remove named_servers, or per_user"
    if isinstance(hub.sign_in, SharedPasswordSignIn):
        what = "needs a sign-in that knows users: with shared_password any name can be typed"
        yield "aws-access.own-any-name", what, "choose another sign_in.kind"
    for trait in POD_NAME_TRAITS:
        if at(hub.helm_values, "hub", "config", "KubeSpawner", trait) is not None:
            what = f"needs the pod names of the chart, and helm_values change {trait}"
            yield "aws-access.own-pod-names", what, f"remove hub.config.KubeSpawner.{trait}"
    if at(hub.helm_values, "singleuser", "podNameTemplate") is not None:
        what = "needs the pod names of the chart, and helm_values change podNameTemplate"
        yield "aws-access.own-pod-names", what, "remove singleuser.podNameTemplate"


def groups_of_access_are_known(hubs: Hubs) -> Iterator[Problem]:
    """Entries for groups need a sign-in that knows groups, and name them as it does."""
    for name, hub in hubs.items():
        for path, access in accesses(name, hub):
            for index, entry in enumerate(access.by_group):
                yield from group_problems(
                    hub.sign_in,
                    f"{path}.by_group[{index}].groups",
                    entry.groups,
                    "no user would get it",
                )


def accounts_are_said(accounts: Sequence[str], hubs: Hubs) -> Iterator[Problem]:
    """ARNs of another account are meant: the statement names that account."""
    for _, _, path, entry in _entries(hubs):
        for index, statement in enumerate(entry.statements):
            for number, arn in enumerate(statement.resources):
                account = arn_account(arn)
                if (
                    account
                    and account != "aws"
                    and account not in (*accounts, *statement.other_accounts)
                ):
                    what = (
                        f"is of account {account}, which is not the stack's"
                        if accounts
                        else f"is of account {account}, and the stack does not name its own"
                    )
                    fix = (
                        f'write other_accounts: ["{account}"] if that is meant'
                        if accounts
                        else "write aws:allowedAccountIds"
                    )
                    yield Problem(
                        id="aws-access.other-account",
                        path=f"{path}.statements[{index}].resources[{number}]",
                        what=what,
                        fix=fix,
                    )
        for index, policy in enumerate(entry.policies):
            account = arn_account(policy)
            if accounts and account and account not in accounts:
                what = (
                    f"is a policy of account {account}: a role can only have policies of its own"
                    " account"
                )
                yield Problem(
                    id="aws-access.policy-account",
                    path=f"{path}.policies[{index}]",
                    what=what,
                    fix="create it in the stack's account",
                )


def services_can_be_reached(network: AnyNetwork, hubs: Hubs) -> Iterator[Problem]:
    """In an isolated network, a service that servers may call has an endpoint."""
    if isinstance(network, OpenNetworkSection) or not network.closed:
        return
    further: Sequence[str] = getattr(network, "additional_endpoints", ())
    there = {name.partition(".")[0].partition("-")[0] for name in (*further, *GATEWAYS)}
    for _, _, path, entry in _entries(hubs):
        for index, statement in enumerate(entry.statements):
            missing = {action_service(action) for action in statement.actions}
            for service in sorted(item for item in missing if item.partition("-")[0] not in there):
                what = f"allows calls of {service}, and this network has no endpoint for servers"
                fix = f"add it to network.additional_endpoints, such as [{service}]"
                yield Problem(
                    id="aws-access.no-endpoint",
                    path=f"{path}.statements[{index}].actions",
                    what=what,
                    fix=fix,
                )


def variables_are_free(hubs: Hubs, buckets: Buckets) -> Iterator[Problem]:
    """One environment variable has one address."""
    for name, hub in hubs.items():
        taken = {key: profile for profile, one in hub.profiles.items() for key in one.environment}
        for path, access in accesses(name, hub):
            for where, entry in entries(path, access):
                seen: set[str] = set()
                for index, item in enumerate(entry.buckets):
                    variable = address_variable(item, buckets.get(item.bucket))
                    if variable is None:
                        continue
                    at_option = f"{where}.buckets[{index}].variable"
                    if variable in seen:
                        what = f"would be two addresses (got {shown(variable)})"
                        fix = "write a variable of its own for each bucket"
                        yield Problem(
                            id="aws-access.variable-twice", path=at_option, what=what, fix=fix
                        )
                    seen.add(variable)
                    if variable in taken:
                        what = f"is set by profile {taken[variable]} too (got {shown(variable)})"
                        fix = "remove one of them"
                        yield Problem(
                            id="aws-access.variable-taken", path=at_option, what=what, fix=fix
                        )


RULES: Rules = (
    (("name", "accounts", "buckets"), bucket_names_are_known),
    (("network", "buckets"), buckets_can_be_reached),
    (("cluster", "buckets"), buckets_are_of_aws),
    (("cluster", "hubs"), clusters_have_pod_identity),
    (("buckets", "hubs"), buckets_exist),
    (("cluster", "buckets", "hubs"), mounted_buckets_exist),
    (("hubs",), folders_stay_apart),
    (("hubs",), folders_are_ones_own),
    (("hubs",), own_folders_are_private),
    (("hubs",), groups_of_access_are_known),
    (("accounts", "hubs"), accounts_are_said),
    (("network", "hubs"), services_can_be_reached),
    (("hubs", "buckets"), variables_are_free),
)

"""How servers of the old hub reached AWS: an account with a role (IRSA), an annotation of kube2iam
or kiam, keys in the environment, or the nodes' own role. None of them is carried over; what takes
their place is said.
"""

from __future__ import annotations

from jupyterhub_aws.adopt.z2jh.taken import Taking, is_text

_SERVER = ("singleuser",)
_INSTEAD = (
    "`aws_access` of a hub gives servers a role, in a cluster that a stack makes"
    " (docs/aws-access.md); beside an existing cluster its owner does"
)
#: Amazon EKS user guide, "IAM roles for service accounts" and "Learn how EKS Pod Identity grants
#: pods access to AWS services": what the two webhooks write into pods by themselves.
_OF_A_ROLE = (
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
#: AWS SDKs and tools reference guide, "AWS access keys".
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
#: Addresses of buckets, as hubs of 2i2c and others have them.
_BUCKETS = ("SCRATCH_BUCKET", "PERSISTENT_BUCKET")
#: kube2iam and kiam, README: the annotation of a pod.
_ANNOTATION = "iam.amazonaws.com/role"


def aws_of(taking: Taking) -> None:
    """Take away what led servers to a role, and say what to do instead."""
    _account(taking)
    annotation = (*_SERVER, "extraAnnotations", _ANNOTATION)
    if taking.has(*annotation):
        why = f"is read by kube2iam or kiam in the old cluster: {_INSTEAD}"
        taking.drop_all(*annotation, why=why)
    for name in _OF_A_ROLE:
        why = f"belongs to a role of the old cluster: {_INSTEAD}"
        taking.drop_all(*_SERVER, "extraEnv", name, why=why)
    if any(taking.look(*_SERVER, "extraEnv", name) is not None for name in _KEYS):
        why = f"is a key of AWS, which every user can copy: {_INSTEAD}"
        for name in _KEYS:
            taking.drop_all(*_SERVER, "extraEnv", name, why=why)
        taking.notes.append(
            "servers had keys of AWS in their environment: delete these keys once no hub uses them"
        )
    for name in _BUCKETS:
        _bucket(taking, name)
    metadata = (*_SERVER, "cloudMetadata")
    reached = taking.look(*metadata, "enabled") is True
    if reached or taking.look(*metadata, "blockWithIptables") is False:
        taking.notes.append(
            "servers may have used the nodes' own role in AWS, which no server reaches any more:"
            f" {_INSTEAD}"
        )


def _account(taking: Taking) -> None:
    path = (*_SERVER, "serviceAccountName")
    account = taking.look(*path)
    if not is_text(account) or account == "default":
        return
    why = (
        "is an account of the old namespace, without which no server would start. If it has a role"
        f" in AWS (annotation eks.amazonaws.com/role-arn): {_INSTEAD}. If servers need it for"
        f" something else: make it in the namespace hub-{taking.hub}, and write it under"
        " helm_values"
    )
    taking.drop(path, why)


def _bucket(taking: Taking, name: str) -> None:
    address = taking.look(*_SERVER, "extraEnv", name)
    if not is_text(address) or not str(address).startswith("s3://"):
        return
    taking.notes.append(
        f"{name} is carried as it is, and gives no access to the bucket: {_INSTEAD}"
    )
    if "$(" in str(address):
        taking.notes.append(
            f"{name} had a folder for each user's name: with per_user of aws_access a folder has"
            " the name of the user's pod (jupyter-ada), so move what users keep there"
        )

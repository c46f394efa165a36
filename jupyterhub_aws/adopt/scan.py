"""Looking at an account: the cluster first, then everything around it, several calls at a time.
Only reads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from jupyterhub_aws.adopt.queries import (
    ROUNDS,
    AccessGap,
    AwsResource,
    Live,
    Parameters,
    Query,
    mounted_here,
    tags_of,
)
from jupyterhub_aws.config.errors import ConfigError, closest, refused
from jupyterhub_aws.operate.live.account import Account, translate_aws_errors
from jupyterhub_aws.progress import ProgressLine

COMMAND = "jhub adopt scan"
#: Calls at a time: more than a few only meet AWS's rate limits (EC2 API reference, "Request
#: throttling").
_AT_ONCE = 8
#: What ends a scan instead of leaving a gap in it: nothing else would be answered either.
_FATAL = (
    "ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId AuthFailure"
    " UnrecognizedClientException SignatureDoesNotMatch"
).split()


def scan(account: Account, cluster: str | None, file_system: str | None = None) -> Live:
    """Everything around a cluster. Raises ConfigError without such a cluster, and for credentials
    that are refused.

    What the caller may not read, or AWS does not answer for, becomes a line of `access_gaps`, and
    the scan goes on.
    """
    live = Live(account=account.id, region=account.region, cluster=_cluster(account, cluster))
    services = {query.service for queries in ROUNDS for query in queries}
    # In this thread: a session may not make clients in several at once (guide of the AWS SDK for
    # Python, "Multithreading").
    for service in sorted(services):
        account.client(service)
    began, total = time.monotonic(), 0
    with ProgressLine(f"{live.name}: queries") as progress, ThreadPoolExecutor(_AT_ONCE) as pool:
        for queries in ROUNDS:
            calls = [(query, parameters) for query in queries for parameters in query.calls(live)]
            total += len(calls)
            pending = {
                pool.submit(_answer, account, query, parameters, live): query
                for query, parameters in calls
            }
            for number, future in enumerate(as_completed(pending), total - len(calls) + 1):
                _keep(live, pending[future], future.result())
                progress.now(f"{live.count:,} resources seen", count=number, total=total)
    _sort(live)
    live.file_system_id = _homes(live, file_system)
    print(
        f"{live.name}: {total + 2} queries, {live.count:,} resources seen in"
        f" {time.monotonic() - began:.1f} s; nothing was changed",
        file=sys.stderr,
        flush=True,
    )
    return live


def _cluster(account: Account, wanted: str | None) -> AwsResource:
    """The cluster of that name, or the only one. Raises ConfigError."""
    from botocore.exceptions import ClientError

    with translate_aws_errors(COMMAND):
        names = sorted(account.all("eks", "list_clusters", "clusters"))
    where = f"{account.id}, {account.region}"
    if wanted is None and len(names) != 1:
        what = (
            f"there are {len(names)} EKS clusters in {where}: {', '.join(names[:8])}"
            if names
            else f"there is no EKS cluster in {where}"
        )
        fix = (
            "name one: --cluster NAME"
            if names
            else (
                "choose another --region or account; a kops or kubeadm cluster: jhub adopt config"
                " FILE"
            )
        )
        raise refused(COMMAND, "adopt.cluster", "--cluster", what, fix)
    name = wanted or names[0]
    if name not in names:
        guess = closest(name, names)
        fix = (
            f"did you mean {guess}?"
            if guess
            else (
                "there"
                f" {'are ' + ', '.join(names[:8]) if names else 'is none; choose another --region or account'}"
            )
        )
        what = f"there is no EKS cluster {name} in {where}"
        raise refused(COMMAND, "adopt.cluster", "--cluster", what, fix)
    try:
        with translate_aws_errors(COMMAND):
            described: AwsResource = account.client("eks").describe_cluster(name=name)["cluster"]
    except ConfigError as error:
        if (
            isinstance(error.__cause__, ClientError)
            and error.__cause__.response["Error"]["Code"] == "ResourceNotFoundException"
        ):
            what = f"{name} went away meanwhile"
            fix = "run the same command again"
            raise refused(COMMAND, "adopt.cluster-gone", "--cluster", what, fix) from None
        raise
    return described


def _answer(
    account: Account, query: Query, parameters: Parameters, live: Live
) -> list[AwsResource] | AccessGap:
    """The resources of one call that belong to the cluster, page after page; or why they cannot be
    read.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    from jupyterhub_aws.operate.live.account import code_of, problem_of

    found = _resources(account, query, parameters)
    try:
        return [resource for resource in found if query.keep(live, resource)]
    except ClientError as error:
        code = code_of(error)
        if code in query.absent:
            return []
        problem = problem_of(error)
        if code in _FATAL:
            raise ConfigError(COMMAND, [problem]) from None
        return AccessGap(
            topic=query.topic, operation=f"{query.service}:{error.operation_name}", why=problem.what
        )
    except (ConnectionError, HTTPClientError) as error:
        operation, why = f"{query.service}:{query.operation}", problem_of(error).what
        return AccessGap(topic=query.topic, operation=operation, why=why)


def _resources(account: Account, query: Query, parameters: Parameters) -> Iterator[AwsResource]:
    client = account.client(query.service)
    if client.can_paginate(query.operation):
        sizes = {"PaginationConfig": {"PageSize": query.page}} if query.page else {}
        for page in client.get_paginator(query.operation).paginate(**parameters, **sizes):
            yield from _of_page(query, page, parameters)
        return
    yield from _of_page(query, getattr(client, query.operation)(**parameters), parameters)


def _of_page(
    query: Query, page: Mapping[str, Any], parameters: Parameters
) -> Iterator[AwsResource]:
    """The resources of an answer: a list, one resource, or names, which become resources with that
    name. What an answer does not repeat of its query is added.
    """
    answer = {key: value for key, value in page.items() if key != "ResponseMetadata"}
    found: Any = page.get(query.key) if query.key else answer
    asked = {key: value for key, value in parameters.items() if isinstance(value, str)}
    for item in found if isinstance(found, list) else [] if found is None else [found]:
        yield {**asked, **item} if isinstance(item, Mapping) else {"value": item}


def _keep(live: Live, query: Query, answer: list[AwsResource] | AccessGap) -> None:
    if isinstance(answer, AccessGap):
        if answer not in live.access_gaps:
            live.access_gaps.append(answer)
        return
    live.found.setdefault(query.topic, []).extend(answer)


def _sort(live: Live) -> None:
    """An order that does not hang on which call came back first. What two calls both found is
    there once.
    """
    for topic, resources in live.found.items():
        once = {
            repr(sorted((key, repr(value)) for key, value in resource.items())): resource
            for resource in resources
        }
        live.found[topic] = [once[key] for key in sorted(once)]
    live.access_gaps.sort()


def _homes(live: Live, wanted: str | None) -> str | None:
    """The file system of homes: the one that was named, the program's own, or the only one that
    is mounted in the VPC.
    """
    here = mounted_here(live)
    known = [str(item["FileSystemId"]) for item in live.of("file_systems")]
    if wanted is not None and wanted not in known:
        fix = f"those with a mount target in the cluster's VPC: {', '.join(here) or 'none'}"
        what = f"there is no file system {wanted} in {live.region}"
        raise refused(COMMAND, "adopt.file-system", "--file-system", what, fix)
    if wanted is not None:
        return wanted
    own = [
        item
        for item in live.of("file_systems")
        if item.get("CreationToken") == f"{live.name}-homes"
        or tags_of(item).get("Name") == f"{live.name}-homes"
    ]
    if own:
        return str(own[0]["FileSystemId"])
    return here[0] if len(here) == 1 else None

"""What moto does not have, in front of moto: AWS Backup's jobs and recovery points, EKS Pod
Identity, and a file system that is a folder.

Answers are checked against botocore's own service models before they go out. `StartRestoreJob`
really copies: from a folder of what was backed up into `aws-backup-restore_TIME` of the folder that
stands for the file system.
"""

from __future__ import annotations

import datetime
import functools
import http.server
import json
import re
import shutil
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from tests.support.cloud import ACCOUNT, REGION, Cloud

START = datetime.datetime(2026, 11, 28, 3, 0, tzinfo=datetime.UTC)
VAULT = f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:"


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


@dataclass
class BackupApi:
    """The account as AWS Backup and EKS Pod Identity see it. `homes` is the file system, `kept`
    what each recovery point holds, by its ARN.
    """

    folder: Path
    slow: int = 1
    now: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(tz=datetime.UTC))
    vaults: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kept: dict[str, Path] = field(default_factory=dict)
    backup_jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    restore_jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    associations: dict[str, dict[str, Any]] = field(default_factory=dict)
    opted: dict[str, bool] = field(default_factory=lambda: {"EFS": True, "EBS": True, "RDS": True})
    refuse: dict[str, str] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)

    @property
    def homes(self) -> Path:
        """The folder that stands for the file system."""
        return self.folder / "file-system"

    def point(
        self, vault: str, resource: str, kind: str, made: datetime.datetime, **more: Any
    ) -> str:
        """A recovery point; of the file system it holds what is there now."""
        arn = more.pop("arn", f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:{uuid.uuid4()}")
        item = {
            "RecoveryPointArn": arn, "BackupVaultName": vault, "ResourceArn": resource, "ResourceType": kind, "CreationDate": made,
            "Status": "COMPLETED", "BackupSizeInBytes": 123456789, "CalculatedLifecycle": {"DeleteAt": made + datetime.timedelta(days=35)}, **more,
        }  # fmt: skip
        self.vaults.setdefault(vault, []).append(item)
        if kind == "EFS" and self.homes.exists():
            self.kept[arn] = self.folder / "kept" / arn.rpartition(":")[2]
            shutil.copytree(self.homes, self.kept[arn], symlinks=True)
        return arn

    # --- operations, by botocore's names of them

    def ListRecoveryPointsByBackupVault(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = self.vaults.get(asked["BackupVaultName"])
        if found is None:
            raise Refusal("ResourceNotFoundException", "Backup vault not found", 400)
        wanted = asked.get("ByResourceArn")
        return {"RecoveryPoints": [item for item in found if wanted in (None, item["ResourceArn"])]}

    def DescribeRegionSettings(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"ResourceTypeOptInPreference": self.opted}

    def ListBackupJobs(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = [
            job
            for job in self.backup_jobs.values()
            if job["ResourceArn"] == asked.get("ByResourceArn", job["ResourceArn"])
        ]
        return {"BackupJobs": [_shown(job) for job in found]}

    def StartBackupJob(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert asked["IamRoleArn"].endswith("-backup") and asked["RecoveryPointTags"]["stack"]
        if asked["IdempotencyToken"] not in self.tokens:
            id_ = self.tokens[asked["IdempotencyToken"]] = str(uuid.uuid4())
            self.backup_jobs[id_] = {
                "BackupJobId": id_, "ResourceArn": asked["ResourceArn"], "State": "CREATED", "CreationDate": self.now,
                "BackupVaultName": asked["BackupVaultName"],
            }  # fmt: skip
        return {"BackupJobId": self.tokens[asked["IdempotencyToken"]]}

    def DescribeBackupJob(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        job = self.backup_jobs[asked["BackupJobId"]]
        if job["State"] not in ("COMPLETED", "FAILED"):
            seen = job["_seen"] = job.get("_seen", 0) + 1
            job["State"] = "COMPLETED" if seen > self.slow else "RUNNING"
            if self.refuse.get(job["ResourceArn"]):
                job |= {"State": "FAILED", "StatusMessage": self.refuse[job["ResourceArn"]]}
            if job["State"] == "COMPLETED":
                made = f"recovery-point:{job['BackupJobId']}"
                job["RecoveryPointArn"] = f"arn:aws:backup:{REGION}:{ACCOUNT}:{made}"
        return _shown(job)

    def StartRestoreJob(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert asked["IamRoleArn"].endswith("-backup-restore") and asked["ResourceType"] == "EFS"
        metadata = asked["Metadata"]
        assert (
            metadata["newFileSystem"] == "false"
            and metadata["Encrypted"] == "true"
            and metadata["file-system-id"].startswith("fs-")
        )
        if asked["IdempotencyToken"] not in self.tokens:
            id_ = self.tokens[asked["IdempotencyToken"]] = str(uuid.uuid4())
            self.restore_jobs[id_] = {
                "RestoreJobId": id_, "RecoveryPointArn": asked["RecoveryPointArn"], "Status": "PENDING", "CreationDate": self.now, "PercentDone": "0.00%",
                "_items": json.loads(metadata["ItemsToRestore"]),
            }  # fmt: skip
        return {"RestoreJobId": self.tokens[asked["IdempotencyToken"]]}

    def DescribeRestoreJob(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        job = self.restore_jobs[asked["RestoreJobId"]]
        if job["Status"] in ("PENDING", "RUNNING"):
            seen = job["_seen"] = job.get("_seen", 0) + 1
            job["Status"] = "RUNNING"
            if seen > self.slow:
                self._restored(job)
        return _shown(job)

    def _restored(self, job: dict[str, Any]) -> None:
        (item,) = job["_items"]
        source = self.kept[job["RecoveryPointArn"]] / item.strip("/")
        if not source.exists():
            job |= {
                "Status": "FAILED",
                "StatusMessage": f"The item {item} does not exist in the recovery point",
            }
            return
        taken = sorted(self.homes.glob("aws-backup-restore_*"))
        side = (
            self.homes
            / f"aws-backup-restore_{self.now + datetime.timedelta(seconds=len(taken)):%Y-%m-%dT%H-%M-%S}-123Z"
        )
        shutil.copytree(source, side / item.strip("/"), symlinks=True)
        job |= {"Status": "COMPLETED", "CompletionDate": self.now + datetime.timedelta(minutes=1)}

    def ListPodIdentityAssociations(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        shown = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId")
        found = [
            item
            for item in self.associations.values()
            if item["serviceAccount"] == asked["serviceAccount"]
        ]
        return {"associations": [{key: item[key] for key in shown} for item in found]}

    def DescribePodIdentityAssociation(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"association": self.associations[asked["associationId"]]}

    def CreatePodIdentityAssociation(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        id_ = f"a-{uuid.uuid4().hex[:12]}"
        keys = ("clusterName", "namespace", "serviceAccount", "roleArn", "tags")
        arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:podidentityassociation/{id_}"
        self.associations[id_] = {
            **{key: asked[key] for key in keys},
            "associationId": id_,
            "associationArn": arn,
        }
        self._tell()
        return {"association": self.associations[id_]}

    def DeletePodIdentityAssociation(self, asked: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        found = self.associations.pop(asked["associationId"])
        self.deleted.append("association")
        self._tell()
        return {"association": found}

    def _tell(self) -> None:
        """The stand-in of kubectl reads who has a role."""
        (self.folder / "associations.json").write_text(
            json.dumps([item["serviceAccount"] for item in self.associations.values()]),
            encoding="utf-8",
        )


def _shown(job: dict[str, Any]) -> dict[str, Any]:
    """A job as AWS shows it, without what only this stand-in knows."""
    return {key: value for key, value in job.items() if not key.startswith("_")}


class Refusal(Exception):  # noqa: N818 -- it is what AWS answers
    """An error as AWS answers it: code, message, HTTP status."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _operation(service: str, method: str, path: str) -> tuple[Any, dict[str, str]] | None:
    """The operation that a request is, and what stands in its path."""
    for name in _model(service).operation_names:
        operation = _model(service).operation_model(name)
        pattern = re.sub(
            r"\{(\w+)\+?\}", r"(?P<\1>[^/]+)", operation.http["requestUri"].partition("?")[0]
        )
        match = re.fullmatch(pattern.rstrip("/") + "/?", path)
        if operation.http["method"] == method and match is not None:
            return operation, {
                key: urllib.parse.unquote(value) for key, value in match.groupdict().items()
            }
    return None


def _asked(operation: Any, in_path: dict[str, str], query: str, body: bytes) -> dict[str, Any]:
    """The parameters of a call by their own names, wherever the request has them."""
    given = {**in_path, **dict(urllib.parse.parse_qsl(query))}
    found: dict[str, Any] = json.loads(body) if body else {}
    for name, shape in operation.input_shape.members.items():
        on_the_wire = shape.serialization.get("name", name)
        if on_the_wire in given:
            found[name] = given[on_the_wire]
    return found


def _front(account: Cloud, api: BackupApi) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: C901 -- a class that knows both
    """Who answers: `api` what it knows, moto all else."""

    class Front(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            match = re.search(
                r"Credential=[^/]+/\d+/[\w-]+/([\w-]+)/", self.headers.get("Authorization", "")
            )
            service = match[1] if match else ""
            path, _, query = self.path.partition("?")
            found = (
                _operation(service, self.command, path) if service in ("backup", "eks") else None
            )
            if found is not None and hasattr(api, found[0].name):
                self._ours(found[0], _asked(found[0], found[1], query, body))
            else:
                self._motos(body)

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

        def _ours(self, operation: Any, asked: dict[str, Any]) -> None:
            try:
                refused = api.refuse.get(operation.name)
                if refused:
                    raise Refusal(refused, "User is not authorized to perform this action", 403)
                answer = getattr(api, operation.name)(asked)
                wrong = ParamValidator().validate(answer, operation.output_shape)
                assert not wrong.has_errors(), wrong.generate_report()
                self._answer(200, json.dumps(_plain(answer)).encode(), "application/json")
            except Refusal as refusal:
                code, message, status = refusal.args
                self._answer(
                    status,
                    json.dumps({"Code": code, "Message": message, "__type": code}).encode(),
                    "application/json",
                    {"X-Amzn-ErrorType": code},
                )

        def _motos(self, body: bytes) -> None:
            headers = {
                key: value
                for key, value in self.headers.items()
                if key.lower() not in ("host", "content-length", "connection", "expect")
            }
            request = urllib.request.Request(  # noqa: S310
                account.url + self.path, data=body or None, method=self.command, headers=headers
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- loopback
                    self._answer(
                        answer.status, answer.read(), answer.headers.get("Content-Type", "")
                    )
            except urllib.error.HTTPError as error:
                with error:
                    self._answer(error.code, error.read(), error.headers.get("Content-Type", ""))

        def _answer(
            self, status: int, body: bytes, kind: str, more: dict[str, str] | None = None
        ) -> None:
            with suppress(OSError):
                self.send_response(status)
                for key, value in {
                    "Content-Type": kind,
                    "Content-Length": str(len(body)),
                    **(more or {}),
                }.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Front


@contextmanager
def backup_api(account: Cloud, api: BackupApi) -> Iterator[Cloud]:
    """An account that has both: what `api` knows is its own, all else is moto's."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _front(account, api))
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield Cloud(url=f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

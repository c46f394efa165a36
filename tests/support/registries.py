"""Real registries for tests, a slow door in front of one that keeps a log, and small images and
charts to put into them.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import http.server
import io
import json
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def missing_for_bundles() -> str | None:
    """Why bundles cannot be tested with real parts here; None where they can."""
    absent = [tool for tool in ("skopeo", "docker-registry", "helm") if shutil.which(tool) is None]
    return (
        f"no {' and no '.join(absent)} on PATH: no bundle was carried between real registries"
        if absent
        else None
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def registry_config(folder: Path, port: int) -> Path:
    config = folder / "config.yml"
    folder.mkdir(parents=True, exist_ok=True)
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    config.write_text(
        json.dumps(
            {
                "version": "0.1",
                "log": {"level": "error"},
                "storage": storage,
                "http": {"addr": f"127.0.0.1:{port}"},
            }
        )
    )
    return config


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A registry of its own; its host and port."""
    port = free_port()
    command = ["docker-registry", "serve", str(registry_config(folder, port))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield f"localhost:{port}"
        finally:
            process.kill()


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")


class Door(http.server.ThreadingHTTPServer):
    """Hands requests on to a registry, as slowly as it is told, and remembers what was asked."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Through)
        self.target, self.delay = target, 0.0
        self.log: list[tuple[str, str, int]] = []

    @property
    def host(self) -> str:
        return f"localhost:{self.server_address[1]}"


class _Through(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            content = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _handle(self) -> None:
        try:
            self._through()
        except (OSError, ValueError):  # whoever asked was killed
            self.close_connection = True

    def _through(self) -> None:
        body = self._body()
        if body:
            time.sleep(self.server.delay * len(body) / 65536)
        connection = http.client.HTTPConnection(self.server.target, timeout=60)
        kept = {key.lower() for key in self.headers} - {"transfer-encoding", "content-length"}
        headers = {key: ", ".join(self.headers.get_all(key, [])) for key in kept}
        connection.request(
            self.command,
            self.path,
            body=body or None,
            headers={**headers, "Content-Length": str(len(body))},
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.server.log.append((self.command, self.path, answer.status))
        self.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(key, value)
        self.send_header(
            "Content-Length",
            answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content)),
        )
        self.end_headers()
        for start in range(0, len(content), 65536):
            if self.server.delay and len(content) > 4096:
                time.sleep(self.server.delay)
            self.wfile.write(content[start : start + 65536])

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 -- names that the base class calls

    def log_message(self, *_: Any) -> None:
        """The log is kept as data."""


@contextmanager
def door(target: str) -> Iterator[Door]:
    server = Door(target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _blob(folder: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    path = folder / "blobs" / "sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _layer(name: str, size: int) -> tuple[bytes, str]:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        content = hashlib.shake_256(name.encode()).digest(size)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return (
        gzip.compress(raw.getvalue(), mtime=0),
        f"sha256:{hashlib.sha256(raw.getvalue()).hexdigest()}",
    )


def make_image(
    folder: Path, name: str, sizes: tuple[int, ...] = (200_000, 90_000), shared: str = "base"
) -> Path:
    """An image for two architectures with layers of its own, the first of which all images
    share, as an OCI layout.
    """
    manifests = []
    for architecture in ("amd64", "arm64"):
        layers = [
            _layer(f"{shared if index == 0 else name}-{architecture}-{index}", size)
            for index, size in enumerate(sizes)
        ]
        config = {
            "architecture": architecture,
            "os": "linux",
            "created": "2026-01-01T00:00:00Z",
            "config": {"Cmd": [name]},
            "rootfs": {"type": "layers", "diff_ids": [diff for _, diff in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _blob(
                folder, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"
            ),
            "layers": [
                _blob(folder, content, "application/vnd.oci.image.layer.v1.tar+gzip")
                for content, _ in layers
            ],
        }
        described = _blob(
            folder, json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json"
        )
        manifests.append({**described, "platform": {"os": "linux", "architecture": architecture}})
    kind = "application/vnd.oci.image.index.v1+json"
    index = _blob(
        folder,
        json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}).encode(),
        kind,
    )
    (folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
    named = {**index, "annotations": {"org.opencontainers.image.ref.name": "x"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    return folder


def put_image(layout: Path, reference: str, *, docker: bool = False) -> None:
    """Push a layout; as Docker's family of manifests where it says so."""
    form = ["--format", "v2s2"] if docker else []
    subprocess.run(
        [
            "skopeo",
            "copy",
            "--all",
            *form,
            "--dest-tls-verify=false",
            f"oci:{layout}:x",
            f"docker://{reference}",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )


def make_chart(folder: Path, name: str, version: str) -> Path:
    """A small chart's archive."""
    source = folder / name
    (source / "templates").mkdir(parents=True)
    (source / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")
    (source / "templates" / "x.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    )
    subprocess.run(
        ["helm", "package", str(source), "--destination", str(folder)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return folder / f"{name}-{version}.tgz"


@contextmanager
def web(folder: Path) -> Iterator[str]:
    """A folder as a web server; its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, directory=str(folder), **kwargs)

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def environment() -> dict[str, str]:
    """The environment of a tool that must not find anybody's credentials or settings."""
    return {**os.environ, "HELM_CONFIG_HOME": "/nonexistent", "DOCKER_CONFIG": "/nonexistent"}

"""A bundle between real registries: locked, pulled, verified, pushed and exported; killed
wherever it hurts, and gone on with.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyterhub_aws.bundle.push import target_of
from jupyterhub_aws.bundle.store import Store
from jupyterhub_aws.config.bundle import read_lock
from tests.support.data_examples import described
from tests.support.registries import (
    Door,
    door,
    free_port,
    make_chart,
    make_image,
    missing_for_bundles,
    put_image,
    registry,
    registry_config,
    web,
)
from tests.support.stack_files import ROOT

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        missing_for_bundles() is not None, reason="no bundle was carried between real registries"
    ),
]
JHUB = Path(sys.executable).with_name("jhub")


@dataclass(frozen=True)
class World:
    """The connected side: a registry behind a door, a chart repository, downloads, wheels; and
    what a stack needs of them.
    """

    folder: Path
    door: Door
    inventory: Path
    lock: Path
    environment: dict[str, str]

    def drive(
        self, verb: str, *arguments: object, code: int = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.bundle_driver", verb, *map(str, arguments)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stderr
        return done

    def killed(self, after: float, verb: str, *arguments: object) -> bool:
        """Start it, and kill it with all that it started; whether it was still at it."""
        command = [sys.executable, "-m", "tests.support.bundle_driver", verb, *map(str, arguments)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        return False


def _wheel(folder: Path) -> Path:
    """A wheel by hand, and the requirements file that pins it."""
    import base64
    import hashlib
    import zipfile

    folder.mkdir()
    path = folder / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small.py", "x = 1\n")
        archive.writestr(
            "small-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n"
        )
        archive.writestr(
            "small-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()
        archive.writestr("small-1.0.dist-info/RECORD", f"small.py,sha256={digest},6\n")
    (folder / "requirements.txt").write_text(
        f"small==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
    )
    return folder / "requirements.txt"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bundle")
    with ExitStack() as stack:
        upstream = stack.enter_context(registry(folder / "upstream"))
        through = stack.enter_context(door(upstream))
        put_image(make_image(folder / "hub", "hub"), f"{upstream}/jupyterhub/k8s-hub:4.4.0")
        put_image(
            make_image(folder / "user", "user", (200_000, 600_000, 300_000)),
            f"{upstream}/jupyter/notebook:2026-01-05",
        )
        put_image(
            make_image(folder / "scaler", "scaler"),
            f"{upstream}/autoscaling/cluster-autoscaler:v1.35.2",
            docker=True,
        )
        charts = folder / "charts"
        charts.mkdir()
        make_chart(charts, "jupyterhub", "4.4.0")
        subprocess.run(
            ["helm", "repo", "index", str(charts)], check=True, capture_output=True, timeout=60
        )
        oci = make_chart(folder / "oci-chart", "handler", "0.27.6")
        subprocess.run(
            ["helm", "push", str(oci), f"oci://{upstream}/helm", "--plain-http"],
            check=True,
            capture_output=True,
            timeout=60,
        )
        (charts / "pulumi-v1.tar.gz").write_bytes(os.urandom(50_000))
        requirements = _wheel(folder / "wheelhouse")
        address = stack.enter_context(web(charts))
        items = [
            {"kind": "image", "reference": f"{through.host}/jupyterhub/k8s-hub:4.4.0"},
            {"kind": "image", "reference": f"{through.host}/jupyter/notebook:2026-01-05"},
            {
                "kind": "image",
                "reference": f"{through.host}/autoscaling/cluster-autoscaler:v1.35.2",
            },
            {"kind": "chart", "name": "jupyterhub", "version": "4.4.0", "repository": address},
            {
                "kind": "chart",
                "name": "handler",
                "version": "0.27.6",
                "repository": f"oci://{through.host}/helm/handler",
            },
            {"kind": "file", "name": "pulumi-v1.tar.gz", "url": f"{address}/pulumi-v1.tar.gz"},
            {
                "kind": "wheels",
                "requirements": requirements.name,
                "folder": str(requirements.parent),
                "python": "3.11",
                "platform": "any",
            },
        ]
        inventory = folder / "inventory.json"
        inventory.write_text(json.dumps(items))
        environment = {
            **os.environ,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(requirements.parent),
            "PIP_CONFIG_FILE": os.devnull,
        }
        found = World(
            folder=folder,
            door=through,
            inventory=inventory,
            lock=folder / "lock.json",
            environment=environment,
        )
        found.drive("lock", inventory, found.lock)
        yield found


@pytest.fixture(scope="module")
def bundle(world: World) -> Path:
    folder = world.folder / "bundle"
    assert world.drive("pull", world.inventory, world.lock, folder).stdout.strip() == "7"
    return folder


def jhub(*arguments: object, code: int = 0, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(JHUB), "bundle", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        **options,
    )  # type: ignore[call-overload]
    assert done.returncode == code, done.stderr + done.stdout
    return done


def raw(reference: str) -> bytes:
    return subprocess.run(
        ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{reference}"],
        check=True,
        capture_output=True,
        timeout=60,
    ).stdout


def test_the_lock_says_what_the_registry_serves_and_is_the_same_again(world):
    import hashlib

    lock, before = read_lock(world.lock), world.lock.read_bytes()
    assert [len(lock.keys(kind)) for kind in ("image", "chart", "file", "wheels")] == [3, 2, 1, 1]
    for reference in lock.keys("image"):
        assert (
            lock.digest("image", reference)
            == f"sha256:{hashlib.sha256(raw(reference)).hexdigest()}"
        )
        assert lock.items["image"][reference].details["platforms"] == ["linux/amd64", "linux/arm64"]
        assert lock.items["image"][reference].size > 500_000
        sizes = lock.items["image"][reference].details["platform_sizes"]
        assert set(sizes) == {"linux/amd64", "linux/arm64"}
        assert all(0 < size < lock.items["image"][reference].size for size in sizes.values())
    world.drive("lock", world.inventory, world.lock)
    assert world.lock.read_bytes() == before


def test_an_image_of_one_manifest_says_its_platform_and_size(world, tmp_path):
    """By its configuration: no index lists it."""
    known = read_lock(world.lock)
    reference = known.keys("image")[0]
    (child,) = [
        item
        for item in json.loads(raw(reference))["manifests"]
        if item["platform"]["architecture"] == "arm64"
    ]
    alone = f"{reference.rpartition(':')[0]}@{child['digest']}"
    inventory, path = tmp_path / "inventory.json", tmp_path / "lock.json"
    inventory.write_text(json.dumps([{"kind": "image", "reference": alone}]))
    world.drive("lock", inventory, path)
    item = read_lock(path).items["image"][alone]
    assert item.platforms == ("linux/arm64",)
    size = known.items["image"][reference].pulled_bytes("linux/arm64")
    assert item.pulled_bytes("linux/arm64") == size and size


def test_a_tag_that_moved_is_named_and_taken_only_on_request(world, tmp_path):
    lock = tmp_path / "lock.json"
    shutil.copy(world.lock, lock)
    reference = f"{world.door.host}/moving/tag:1"
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps([{"kind": "image", "reference": reference}]))
    put_image(make_image(tmp_path / "one", "one"), f"{world.door.target}/moving/tag:1")
    world.drive("lock", inventory, lock)
    put_image(make_image(tmp_path / "two", "two"), f"{world.door.target}/moving/tag:1")
    refused = world.drive("lock", inventory, lock, code=2).stderr
    assert (
        f"{reference}: " in refused
        and "[bundle.moved]" in refused
        and f"--refresh '{reference}'" in refused
    )
    world.drive("lock", inventory, lock, reference)


def test_a_second_pull_copies_nothing(world, bundle):
    before = {
        path: path.stat().st_mtime_ns
        for path in bundle.rglob("*")
        if path.is_file() and "blobs" in path.parts
    }
    del world.door.log[:]
    assert world.drive("pull", world.inventory, world.lock, bundle).stdout.strip() == "0"
    assert not [path for _, path, _ in world.door.log if "/blobs/" in path or "/manifests/" in path]
    assert before == {
        path: path.stat().st_mtime_ns
        for path in bundle.rglob("*")
        if path.is_file() and "blobs" in path.parts
    }


def test_a_bundle_is_verified_by_this_program_and_by_sha256sum(bundle):
    assert "7 items" in jhub("verify", bundle).stdout
    assert described("bundle verify", jhub("verify", bundle, "--json").stdout)["items"] == 7
    subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=bundle, check=True, timeout=60
    )


@pytest.fixture
def spoilt(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "spoilt"))


def _layer(folder: Path) -> Path:
    return max(
        (folder / "images" / "blobs" / "sha256").iterdir(), key=lambda path: path.stat().st_size
    )


def test_a_damaged_layer_is_refused_and_named(spoilt):
    layer = _layer(spoilt)
    content = bytearray(layer.read_bytes())
    content[1000] ^= 1
    layer.write_bytes(content)
    said = jhub("verify", spoilt, code=1).stderr
    assert (
        f"images/blobs/sha256/{layer.name}: is damaged" in said
        and "[bundle.damaged]" in said
        and "delete it, and pull it again" in said
    )
    found = described("bundle verify", jhub("verify", spoilt, "--json", code=1).stdout)
    assert "bundle.damaged" in {item["id"] for item in found["problems"]}
    assert layer.name in jhub("push", spoilt, "--registry", "localhost:1", code=2).stderr, (
        "what is damaged is not pushed"
    )


def test_everything_else_that_is_wrong_is_named_at_once(spoilt):
    _layer(spoilt).unlink()
    next((spoilt / "charts").iterdir()).write_bytes(b"x")
    next((spoilt / "wheels").iterdir()).unlink()
    (spoilt / "pulumi" / "stranger.sh").write_text("x")
    (spoilt / "images" / "link").symlink_to("/etc/passwd")
    said = jhub("verify", spoilt, code=1).stderr
    for words in (
        "a part of localhost",
        "charts/",
        "wheels/small-1.0-py3-none-any.whl: is missing",
        "[bundle.missing]",
        "pulumi/stranger.sh: ",
        "[bundle.unlisted]",
        "images/link: ",
        "[bundle.link]",
    ):
        assert words in said, words
    assert "5 faults" in said or "6 faults" in said


def test_a_bundle_of_another_version_is_refused(bundle):
    said = jhub("verify", bundle, "--stack", "airgap", code=1).stderr
    assert (
        "quay.io/jupyterhub/k8s-hub:4.4.0: " in said
        and "[bundle.not-in-bundle]" in said
        and "jhub bundle lock airgap" in said
    )


def test_what_is_pushed_has_the_digest_of_the_lock_and_a_second_push_copies_nothing(
    bundle, tmp_path
):
    lock = read_lock(bundle / "bundle.lock.json")
    with registry(tmp_path / "private") as host, door(host) as inside:
        assert (
            "5 items pushed"
            in jhub("push", bundle, "--registry", f"{inside.host}/team", "--plain-http").stdout
        )
        for reference in lock.keys("image"):
            assert (
                raw(target_of(f"{inside.host}/team", reference))
                == Store(bundle).blob(str(lock.digest("image", reference))).read_bytes()
            )
        del inside.log[:]
        assert (
            "nothing pushed"
            in jhub("push", bundle, "--registry", f"{inside.host}/team", "--plain-http").stdout
        )
        assert {method for method, _, _ in inside.log} <= {"GET", "HEAD"}
        pulled = subprocess.run(
            [
                "helm",
                "pull",
                f"oci://{inside.host}/team/charts/jupyterhub",
                "--version",
                "4.4.0",
                "--plain-http",
                "--destination",
                str(tmp_path),
            ],
            capture_output=True,
            timeout=60,
        )
        assert pulled.returncode == 0
        assert (tmp_path / "jupyterhub-4.4.0.tgz").read_bytes() == (
            bundle / "charts" / "jupyterhub-4.4.0.tgz"
        ).read_bytes()


def test_an_archive_for_containerd_holds_every_blob_under_the_names_that_pods_use(bundle, tmp_path):
    assert "3 images" in jhub("export", bundle, "--to", tmp_path / "images.tar").stdout
    with tarfile.open(tmp_path / "images.tar") as archive:
        names = set(archive.getnames())
        index = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]
    lock = read_lock(bundle / "bundle.lock.json")
    assert {item["annotations"]["io.containerd.image.name"] for item in index["manifests"]} == set(
        lock.keys("image")
    )
    assert names - {"oci-layout", "index.json"} == {
        f"blobs/sha256/{path.name}" for path in (bundle / "images" / "blobs" / "sha256").iterdir()
    }
    copied = subprocess.run(
        [
            "skopeo",
            "--override-arch",
            "arm64",
            "copy",
            f"oci-archive:{tmp_path}/images.tar:{lock.keys('image')[-1]}",
            f"dir:{tmp_path}/one",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert copied.returncode == 0, copied.stderr


@pytest.mark.skipif(
    shutil.which("ctr") is None or shutil.which("containerd") is None or os.geteuid() != 0,
    reason=(
        "no containerd: no archive was imported, and no bundle was carried between real registries"
    ),
)
def test_containerd_imports_the_archive_under_the_names_that_pods_use(bundle, tmp_path):
    jhub("export", bundle, "--to", tmp_path / "images.tar")
    socket = tmp_path / "containerd.sock"
    config = tmp_path / "config.toml"
    off = 'disabled_plugins = ["io.containerd.grpc.v1.cri"]'
    config.write_text(
        f'version = 2\nroot = "{tmp_path}/root"\nstate = "{tmp_path}/state"\n{off}\n[grpc]\n '
        f' address = "{socket}"\n'
    )

    def ctr(*arguments: str) -> str:
        command = ["ctr", "--address", str(socket), "--namespace", "k8s.io", *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    with subprocess.Popen(
        ["containerd", "--config", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as daemon:
        try:
            for _ in range(100):
                if socket.exists():
                    break
                time.sleep(0.1)
            ctr("images", "import", "--all-platforms", "--no-unpack", str(tmp_path / "images.tar"))
            listed = {
                line.split()[0]: line.split()[2] for line in ctr("images", "ls").splitlines()[1:]
            }
            content = set(ctr("content", "ls", "--quiet").split())
        finally:
            daemon.terminate()
    lock = read_lock(bundle / "bundle.lock.json")
    assert listed == {
        reference: lock.digest("image", reference) for reference in lock.keys("image")
    }
    assert content >= {
        f"sha256:{path.name}" for path in (bundle / "images" / "blobs" / "sha256").iterdir()
    }, "every blob arrived"


def test_archives_for_docker_can_be_read_back(bundle, tmp_path):
    assert (
        "3 archives"
        in jhub("export", bundle, "--to", tmp_path / "docker", "--format", "docker").stdout
    )
    for archive in (tmp_path / "docker").iterdir():
        with tarfile.open(archive) as content:
            (described,) = json.load(content.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert len(described["Layers"]) >= 2 and described["RepoTags"][0].startswith("localhost:")


@pytest.mark.parametrize("point", range(6))
def test_a_pull_that_is_killed_goes_on_where_it_stopped(world, tmp_path, point):
    folder = tmp_path / "bundle"
    world.door.delay = 0.05
    try:
        began = world.killed(0.6 + 0.55 * point, "pull", world.inventory, world.lock, folder)
        blobs = folder / "images" / "blobs" / "sha256"
        there = (
            {path.name for path in blobs.iterdir() if ".part" not in path.name}
            if blobs.is_dir()
            else set()
        )
        del world.door.log[:]
        world.drive("pull", world.inventory, world.lock, folder)
    finally:
        world.door.delay = 0.0
    asked = {
        path.rpartition(":")[2]
        for method, path, _ in world.door.log
        if method == "GET" and "/blobs/sha256:" in path
    }
    layers = {blob.digest.rpartition(":")[2] for blob in _layers(folder)}
    assert not asked & there & layers, "a layer that was whole was copied again"
    assert "7 items" in jhub("verify", folder).stdout
    assert began or point > 3, "nothing was killed"


def _layers(folder: Path):
    store, lock = Store(folder), read_lock(folder / "bundle.lock.json")
    for reference in lock.keys("image"):
        for _, manifest in store.tree(str(lock.digest("image", reference))):
            yield from (blob for blob in _blobs(manifest) if blob.size > 10_000)


def _blobs(manifest):
    from jupyterhub_aws.bundle.store import blobs

    return blobs(manifest)


@pytest.mark.parametrize("point", range(5))
def test_a_push_that_is_killed_goes_on_where_it_stopped(world, bundle, tmp_path, point):
    with registry(tmp_path / "private") as host, door(host) as inside:
        inside.delay = 0.06
        world.killed(0.5 + 0.5 * point, "push", bundle, f"{inside.host}/team")
        uploaded = {
            path.rpartition("digest=")[2]
            for method, path, status in inside.log
            if method == "PUT" and "digest=" in path and status == 201
        }
        del inside.log[:]
        world.drive("push", bundle, f"{inside.host}/team")
        again = {
            path.rpartition("digest=")[2]
            for method, path, status in inside.log
            if method == "PUT" and "digest=" in path
        }
        assert not uploaded & again, "a blob that the registry had was sent again"
        lock = read_lock(bundle / "bundle.lock.json")
        for reference in lock.keys("image"):
            assert (
                raw(target_of(f"{inside.host}/team", reference))
                == Store(bundle).blob(str(lock.digest("image", reference))).read_bytes()
            )


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="no bundle was carried between real registries: only root makes a network namespace",
)
def test_a_push_needs_nothing_but_the_registry(bundle, tmp_path):
    """The whole command inside a network in which only the registry exists."""
    port = free_port()
    config = registry_config(tmp_path / "private", port)
    script = f"""
set -e
ip link set lo up
docker-registry serve {config} > /dev/null 2>&1 &
for i in $(seq 100); do (echo > /dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.1; done
test "$(ip -o link | wc -l)" = 1
{JHUB} bundle push {bundle} --registry localhost:{port}/closed --plain-http
{JHUB} bundle push {bundle} --registry localhost:{port}/closed --plain-http
"""
    began = time.monotonic()
    done = subprocess.run(
        ["unshare", "--net", "bash", "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "5 items pushed" in done.stdout and "nothing pushed" in done.stdout
    assert time.monotonic() - began < 60, "somebody waited for the internet"


def test_a_folder_that_is_too_small_is_said_before_anything_is_copied(world, tmp_path):
    lock = tmp_path / "lock.json"
    text = json.loads(world.lock.read_text())
    for item in text["items"]["image"].values():
        item["size"] = 2**60
    lock.write_text(json.dumps(text))
    said = world.drive("pull", world.inventory, lock, tmp_path / "x", code=2).stderr
    assert (
        "--to: has " in said
        and "[bundle.no-room]" in said
        and not (tmp_path / "x" / "images").exists()
    )


def test_a_registry_without_the_repository_and_one_that_refuses_are_told_apart():
    from jupyterhub_aws.bundle.push import _failed

    for said, which in (
        (
            "name unknown: The repository with name 'y' does not exist in the registry",
            "bundle.no-repository",
        ),
        ("unauthorized: authentication required", "bundle.refused"),
        ("connection reset by peer", "bundle.not-copied"),
    ):
        assert _failed("x", said, "r").id == which


def test_what_is_lacking_is_told_apart(tmp_path, monkeypatch):
    from jupyterhub_aws.bundle import lock, pull, push, verify
    from jupyterhub_aws.bundle.inventory import Image, Inventory
    from jupyterhub_aws.bundle.registry import Access, CopyError
    from jupyterhub_aws.config.bundle import Lock, Locked
    from jupyterhub_aws.config.errors import ConfigError

    reference, store, access = "registry.example/a:1", Store(tmp_path / "x"), Access()
    image = Image(reference=reference, needed_by=())
    wanted = Inventory(stack="dev", items=(image,), registry=None)
    locked = Lock(
        stack="dev", items={"image": {reference: Locked(digest=f"sha256:{'0' * 64}", size=1)}}
    )
    assert [item.id for item in verify.faults(store, locked)] == ["bundle.no-manifest"]

    def fails(*_, **__):
        raise CopyError(reference, "no such host")

    monkeypatch.setattr(lock, "_locked", fails)
    monkeypatch.setattr(push, "as_directory", lambda *_: tmp_path)
    monkeypatch.setattr(push, "run", fails)
    for call, which in (
        (lambda: lock.make_lock(wanted, None, (), access), "bundle.not-locked"),
        (
            lambda: pull.pull(wanted, Lock(stack="dev", items={"image": {}}), store, access),
            "bundle.not-in-lock",
        ),
        (lambda: push.export_docker(store, locked, tmp_path / "to", "amd64"), "bundle.not-written"),
    ):
        with pytest.raises(ConfigError) as caught:
            call()
        assert [(item.path, item.id) for item in caught.value.problems] == [(reference, which)]

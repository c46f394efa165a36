"""One hub tried from its API to a cell in a server of each profile. Whatever happens, what was
made is taken away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jupyterhub_aws.components.hub.values.hub import HEALTH_USER
from jupyterhub_aws.config.entry import LoadBalancerEntry, own_certificate
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.homes import DIRECTORY_HOMES, EbsHomes
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.profiles import Profile
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.specs.hub import public_url
from jupyterhub_aws.config.specs.names import HubNames
from jupyterhub_aws.config.stack import StackConfig
from jupyterhub_aws.config.timeouts import timeouts
from jupyterhub_aws.config.usernames import directory
from jupyterhub_aws.operate.health.report import FailedError, HealthReport
from jupyterhub_aws.operate.health.servers import Kernel, TestServers
from jupyterhub_aws.operate.health.sign_in import PASSWORD, USER, HubEndpoint, SignIn
from jupyterhub_aws.operate.live.cluster import KubectlCluster
from jupyterhub_aws.operate.live.hub_api import hub_api
from jupyterhub_aws.progress import ProgressLine

#: The chart's own Service of the proxy (templates/proxy/service.yaml), and its ports by whether the
#: proxy encrypts.
_PROXY, _HTTP, _HTTPS = "service/proxy-public", 80, 443
_SUM, _ANSWER = "print(6*7)", "42"
_HOME = """
import pathlib, uuid
place, text = pathlib.Path.home() / ".jhub-health", uuid.uuid4().hex
place.write_text(text)
try:
    print("read" if place.read_text() == text else "lost")
finally:
    place.unlink()
"""
#: The hub gives a server up after its start timeout; only then is it this command's turn.
_AFTERWARDS = 60


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is tried: a hub of a stack through its cluster, and which of its profiles (none:
    all). `name` is the stack's for the engine.
    """

    name: str
    stack: StackConfig
    cluster: KubectlCluster
    hub: str
    profiles: Sequence[str] = ()

    @property
    def config(self) -> Hub:
        """What the stack file says of it."""
        return self.stack.hubs_inside[self.hub]

    @property
    def wanted(self) -> dict[str, Profile]:
        """The profiles to try, in the order in which users see them."""
        found = resolve(self.stack).hubs[self.hub].profiles
        return {
            item.name: item.options
            for item in found
            if not self.profiles or item.name in self.profiles
        }


def check(subject: Subject, progress: ProgressLine) -> HealthReport:
    """Try one hub. Raises nothing for what is wrong with it: the report says that."""
    report = HealthReport(hub=subject.hub, url=public_url(subject.config), progress=progress)
    with contextlib.ExitStack() as open_now:
        endpoints: list[HubEndpoint] = []
        report.take("entry", lambda: _entry(subject, open_now, endpoints))
        _sign_in(subject, report, endpoints)
        _servers(subject, report, open_now, endpoints)
    return report


def _entry(subject: Subject, open_now: contextlib.ExitStack, endpoints: list[HubEndpoint]) -> str:
    """Find the way in, and look at the page behind it. Where the public one is shut, the rest is
    tried through a tunnel.
    """
    way, config = SignIn(stack=subject.name, hub=subject.hub, config=subject.config), subject.config
    trust = own_certificate(config.entry)
    outside = HubEndpoint(
        url=public_url(config), trust=None if trust is None else trust.certificate
    )
    namespace = HubNames(stack=subject.stack.name, hub=subject.hub).namespace

    def tunnel() -> HubEndpoint:
        port = open_now.enter_context(
            subject.cluster.forwarded(namespace, _PROXY, _HTTPS if trust is not None else _HTTP)
        )
        return HubEndpoint(
            url=outside.url if trust is not None else f"http://localhost:{port}/",
            port=port,
            trust=outside.trust,
        )

    if not isinstance(config.entry, LoadBalancerEntry):
        endpoints.append(tunnel())
        return f"{way.shown(endpoints[0])}, through a tunnel to the proxy"
    try:
        said = way.shown(outside)
    except FailedError:
        with contextlib.suppress(ConfigError):
            endpoints.append(tunnel())
        raise
    endpoints.append(outside)
    return said


def _sign_in(subject: Subject, report: HealthReport, endpoints: Sequence[HubEndpoint]) -> None:
    way = SignIn(stack=subject.name, hub=subject.hub, config=subject.config)
    if not endpoints:
        report.skip("sign-in", "the proxy is not reached")
        return
    endpoint, given = endpoints[0], way.credentials
    if way.elsewhere or way.launched:
        report.take("sign-in", lambda: way.to_the_provider(endpoint))
    elif given is None:
        report.skip("sign-in", f"{USER} and {PASSWORD} are not set")
    else:
        report.take("sign-in", lambda: way.through_the_form(endpoint, *given))


def _servers(
    subject: Subject,
    report: HealthReport,
    open_now: contextlib.ExitStack,
    endpoints: Sequence[HubEndpoint],
) -> None:
    found: list[tuple[TestServers, str]] = []

    def reach() -> str:
        api, token = open_now.enter_context(hub_api(subject.stack, subject.cluster, subject.hub))
        version = api.ask("GET", "/")
        patience = timeouts(subject.stack).server_start_seconds + _AFTERWARDS
        servers = TestServers(
            api,
            subject.name,
            patience=patience,
            say=lambda words: report.progress.now(f"{subject.hub}: {words}"),
        )
        found.append((servers, token))
        left = servers.clear()
        return (
            "JupyterHub"
            f" {version['version']}{'; a server that an earlier run left was stopped' if left else ''}"
        )

    try:
        well = report.take("hub", reach)
        for name, profile in subject.wanted.items():
            if not well or not endpoints:
                report.skip(
                    name, "the hub does not do its part" if not well else "the proxy is not reached"
                )
            elif profile.groups:
                report.skip(
                    name,
                    f"it is for {', '.join(sorted(profile.groups))} only, and the test user is in"
                    " no group",
                )
            else:
                _profile(name, report, found[0], endpoints[0])
    finally:
        # Asked of the report and not of the exception: also Ctrl+C ends here.
        if found and report.take("put away", lambda: _put_away(found[0][0])):
            report.stays += _stays(subject)


def _profile(
    name: str, report: HealthReport, through: tuple[TestServers, str], endpoint: HubEndpoint
) -> None:
    """A server of one profile: started, used, stopped."""
    servers, token = through
    try:
        if report.take(f"{name}: start", lambda: servers.start(name), servers.patience):
            with _kernel(Kernel(endpoint, HEALTH_USER, token)) as kernel:
                if report.take(f"{name}: cell", lambda: _cell(kernel)):
                    report.take(f"{name}: home", lambda: _home(kernel))
    finally:
        report.take(f"{name}: stop", lambda: "stopped" if servers.stop() else "nothing runs")


@contextlib.contextmanager
def _kernel(kernel: Kernel) -> Iterator[Kernel]:
    try:
        yield kernel
    finally:
        kernel.end()


def _cell(kernel: Kernel) -> str:
    kernel.begin()
    printed = kernel.run(_SUM).strip()
    if printed != _ANSWER:
        raise FailedError(
            f"{_SUM} printed {printed[:80]!r}",
            "what does the image do to kernels (IPython startup files)?",
        )
    return f"{_SUM} → {_ANSWER}"


def _home(kernel: Kernel) -> str:
    printed = kernel.run(_HOME).strip()
    if printed != "read":
        raise FailedError(
            "what was written into the home reads otherwise", "is the file system healthy?"
        )
    return "a file written, read and deleted"


def _put_away(servers: TestServers) -> str:
    servers.forget()
    return f"no server of {HEALTH_USER} runs, and the hub does not know the user"


def _stays(subject: Subject) -> list[str]:
    """What no run deletes: homes never go by a command of this project."""
    homes, namespace = (
        subject.stack.homes,
        HubNames(stack=subject.stack.name, hub=subject.hub).namespace,
    )
    if isinstance(homes, DIRECTORY_HOMES):
        return [
            "the home of the test user: the directory"
            f" {directory(subject.config.home_directory, HEALTH_USER)} of the hub's homes"
        ]
    if isinstance(homes, EbsHomes):
        find = f"kubectl -n {namespace} get pvc -l hub.jupyter.org/username={HEALTH_USER}"
        return [f"the home of the test user: a volume of {homes.size_gib} GiB; see it: {find}"]
    return []

"""The questions of each variant, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.config.sign_in_entra import DOCUMENTATION_CLIENT, DOCUMENTATION_TENANT
from jupyterhub_aws.init import defaults
from jupyterhub_aws.init.question import Given, Question

VARIANTS = {
    "open": "a VPC with NAT, an EKS cluster, hubs on the internet or behind a tunnel",
    "airgap": (
        "an isolated VPC without a way to the internet: two stacks, one for AWS and one for the"
        " inside of the cluster"
    ),
    "existing": "hubs in a cluster that exists: kubeadm, kops or an EKS cluster of others",
}
#: What a user's server gets: CPUs and memory, half of both guaranteed.
SERVERS = {"small": (1, 4), "medium": (2, 8), "large": (4, 32)}

_SIGN_IN, _ENTRY, _PEER = "hubs.main.sign_in", "hubs.main.entry", "network.peer_networks.corporate"
_ENDPOINTS = ("authorize_url", "token_url", "userinfo_url")
_KINDS = {
    "shared_password": "one password for all users, made by the stack: for a trial",
    "native": "accounts of the hub's own: users sign up, an administrator admits them",
    "github": "an OAuth application at GitHub",
    "oidc": "an OpenID Connect provider: Keycloak, Okta, Shibboleth",
    "cognito": "a user pool of Amazon Cognito",
    "google": "Google accounts of your Workspace domain",
    "entra": "work or school accounts of one Microsoft tenant",
    "cilogon": "users' own institutions, by way of CILogon",
    "lti13": "a course of a learning management system (Canvas, Moodle)",
    "ldap": "an LDAP directory or Active Directory",
}


_GROUPS = {
    "ldap": "DNs",
    "entra": "Object ids of groups",
    "lti13": "Roles, course:ID or course:ID:ROLE",
}
_SOME_GROUP = {
    "ldap": "cn=jupyter,ou=groups,dc=corp,dc=example",
    "entra": "0f9a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b",
    "lti13": "instructor;learner",
}


def _is(path: str, *values: str) -> Callable[[Given], bool]:
    return lambda answers: answers.get(path) in values


def questions_of(variant: str, name: str) -> tuple[Question, ...]:
    """The questions of a variant; `name` is the default of the cluster's."""
    return {"open": _open, "airgap": _airgap, "existing": _existing}[variant](name)


def _open(name: str) -> tuple[Question, ...]:
    return (
        *_place(name, account=defaults.account),
        Question(
            "network.nat",
            "NAT gateways",
            "Nodes have private addresses and reach the internet through NAT.",
            "single",
            choices={
                "single": "one for all zones; while its zone is down no node reaches the internet",
                "per_zone": "one in each zone",
            },
            priced=True,
        ),
        *_ownership(),
        Question(
            "cluster.api.public_access_cidrs",
            "Networks that reach the Kubernetes API",
            (
                "Where you run `pulumi` and `kubectl`, such as 198.51.100.7/32 for one address."
                " https://checkip.amazonaws.com shows yours."
            ),
            defaults.DOCUMENTATION_NETWORK,
            stand_in=True,
        ),
        *_sign_in(tuple(_KINDS), "shared_password"),
        _way_in(
            "load_balancer",
            "a Network Load Balancer, with a host name and a certificate",
            priced=True,
        ),
        *_balancer("hub.example.org", lambda _: defaults.DOCUMENTATION_NETWORK, zone=True),
        *_homes(),
        *_sizes(),
    )


def _airgap(name: str) -> tuple[Question, ...]:
    return (
        *_place(name, account=defaults.account_or_documentation),
        *_ownership(),
        Question(
            f"{_PEER}.cidrs",
            "Your networks",
            (
                "Where users, the directory and package mirrors are: networks that are reached"
                " without the internet."
            ),
            "10.200.0.0/16",
            stand_in=True,
        ),
        Question(
            f"{_PEER}.via.id",
            "Transit gateway",
            (
                "The id of the transit gateway that leads there. For VPC peering change `via` in"
                " the file afterwards."
            ),
            "tgw-0123456789abcdef0",
            stand_in=True,
        ),
        _internal_hosts("package mirrors"),
        Question(
            "network.endpoint_zones",
            "Zones of VPC endpoints",
            "Each AWS API that something calls has a private endpoint.",
            "all",
            choices={
                "all": "an address in each zone",
                "one": "an address in one zone: while that is down no node starts",
            },
            priced=True,
        ),
        *_sign_in(("ldap", "native"), "ldap"),
        *_balancer("hub.corp.example", lambda answers: answers[f"{_PEER}.cidrs"], zone=False),
        Question(
            "hubs.main.package_mirrors.pip",
            "Mirror of PyPI",
            "Where servers get Python packages from. Empty: from nowhere.",
            "",
        ),
        *_homes(),
        *_sizes(),
    )


def _existing(name: str) -> tuple[Question, ...]:
    return (
        Question(
            "name",
            "Name",
            "Prefix of what the stack makes. Choose once: another name is another stack.",
            name,
        ),
        *_existing_cluster(),
        *_ownership(cluster=False),
        *_sign_in(("shared_password", "native", "github", "oidc", "ldap"), "shared_password"),
        _way_in("node_port", "a port of the nodes, with a host name and a certificate of yours"),
        *_existing_entry(),
        *_existing_homes(),
        Question(
            "hubs.main.database.storage_class",
            "Storage class",
            "For the hub's database: block storage, as `kubectl get storageclass` lists it.",
            "gp3",
            stand_in=True,
        ),
        Question(
            "pools.users.cores",
            "CPUs of a node",
            "Of the smallest node on which users' servers run.",
            "8",
        ),
        Question("pools.users.memory_gib", "Memory of a node in GiB", "Of the same node.", "32"),
        Question("pools.users.nodes", "Nodes", "How many of them there are.", "3"),
        _server(),
    )


def _existing_cluster() -> tuple[Question, ...]:
    closed = _is("network.egress.kind", "none")
    return (
        Question(
            "cluster.context",
            "kubectl context",
            "Which context of KUBECONFIG or ~/.kube/config leads to the cluster. Empty: the current"
            " one.",
            "",
        ),
        Question(
            "cluster.version",
            "Kubernetes version",
            "The minor version of the cluster, as `kubectl version` shows it.",
            lambda _: defaults.kubernetes(),
        ),
        Question(
            "network.ranges",
            "Networks of nodes and pods",
            "Network policies are written with them.",
            "10.0.0.0/16",
        ),
        Question(
            "network.egress.kind",
            "Do nodes reach the internet?",
            "Without it the plan proves that nothing in the stack needs it.",
            "internet",
            choices={"internet": "yes", "none": "no"},
        ),
        _internal_hosts("homes", when=closed),
        Question(
            "registry.charts",
            "Folder with charts",
            "Images are imported on every node; charts are in this folder, as `jhub bundle pull`"
            " fills it.",
            "bundle/charts",
            when=closed,
        ),
    )


def _existing_entry() -> tuple[Question, ...]:
    on_port = _is(f"{_ENTRY}.kind", "node_port")
    return (
        Question(
            f"{_ENTRY}.hostname",
            "Host name",
            "The name that users type. It leads to the nodes.",
            defaults.internal("hub", "hub.corp.example"),
            stand_in=True,
            when=on_port,
        ),
        Question(
            f"{_ENTRY}.tls.certificate",
            "File of the certificate",
            "PEM, the server's first. `jhub certificate new HOSTNAME` makes one to begin with.",
            "",
            stand_in=True,
            when=on_port,
        ),
    )


def _existing_homes() -> tuple[Question, ...]:
    def asked(
        kind: str, option: str, ask: str, help: str, default: str | Callable[[Given], str]
    ) -> Question:
        when = _is("homes.kind", kind)
        return Question(f"homes.{option}", ask, help, default, stand_in=True, when=when)

    squash = "all_squash,anonuid=1000,anongid=100"
    nfs, efs = "nfs", "efs_access_point"
    return (
        Question(
            "homes.kind",
            "Home directories",
            "Where users' files are.",
            nfs,
            choices={
                nfs: "an NFS server of yours",
                efs: "an access point of an EFS file system",
                "ephemeral": "nowhere: files are gone when a server stops",
            },
        ),
        asked(
            nfs,
            "server",
            "NFS server",
            "Its name or address.",
            defaults.internal("nfs", "nfs.corp.example"),
        ),
        asked(
            nfs,
            "path",
            "Exported path",
            f"It has to map every client to 1000:100 (Linux: {squash}).",
            "/export/homes",
        ),
        asked(
            efs,
            "file_system",
            "EFS file system",
            "Its id. Its mount targets have to let the nodes in.",
            "fs-0123456789abcdef0",
        ),
        asked(
            efs,
            "access_point",
            "EFS access point",
            "The id of one whose POSIX user is 1000:100.",
            "fsap-0123456789abcdef0",
        ),
    )


def _way_in(other: str, meaning: str, *, priced: bool = False) -> Question:
    return Question(
        f"{_ENTRY}.kind",
        "How users reach the hub",
        "A tunnel needs no name and no certificate, and who opens it needs access to the cluster.",
        "port_forward",
        choices={"port_forward": "a tunnel, by `jhub open`", other: meaning},
        priced=priced,
        when=lambda answers: not _is(f"{_SIGN_IN}.kind", "lti13")(answers),
    )


def _internal_hosts(last: str, when: Callable[[Given], bool] = lambda _: True) -> Question:
    return Question(
        "network.internal_hosts",
        "Internal host names",
        f"Names of your directory, sign-in and {last}; * means all below. Any other name in"
        " the stack fails the plan.",
        "*.corp.example",
        stand_in=True,
        when=when,
    )


def _place(name: str, *, account: Callable[[Given], str]) -> tuple[Question, ...]:
    return (
        Question(
            "name",
            "Name",
            (
                "Of the cluster, and the prefix of everything in AWS. Choose once: another name is"
                " another cluster."
            ),
            name,
        ),
        Question(
            "accounts",
            "AWS account",
            "Its twelve digits: `pulumi up` and `jhub` refuse to change another account."
            + ("" if account is not defaults.account else " Empty: any."),
            account,
            stand_in=account is not defaults.account,
        ),
        Question(
            "region",
            "Region",
            "Where it runs, such as us-east-1. Choose one near its users.",
            defaults.region,
        ),
        Question(
            "network.zones",
            "Availability zones",
            "Two or three, with commas. More zones find more spot capacity.",
            defaults.zones,
        ),
    )


def _ownership(*, cluster: bool = True) -> tuple[Question, ...]:
    purpose = Question(
        "purpose",
        "What is it for?",
        "It becomes the tag `environment` too.",
        "trial",
        choices={
            "trial": "one core node; `pulumi destroy` takes the cluster down",
            "production": "two core nodes; the cluster is protected from deletion",
        }
        if cluster
        else {
            "trial": "`pulumi destroy` deletes it",
            "production": "namespaces, claims and volumes are protected from deletion",
        },
        priced=cluster,
    )
    owner = Question(
        "tags.owner",
        "Owner",
        "The team or the contact responsible for it: a tag of every resource.",
        defaults.owner,
    )
    administrators = Question(
        "cluster.administrators",
        "Cluster administrators",
        (
            "ARNs of IAM roles or users that get kubectl, with commas. The identity that runs the"
            " first `pulumi up` has it already."
        ),
        "",
    )
    return (purpose, owner, administrators) if cluster else (purpose, owner)


def _sign_in(kinds: tuple[str, ...], usual: str) -> tuple[Question, ...]:
    kind = Question(
        f"{_SIGN_IN}.kind",
        "Sign-in",
        "How users sign in.",
        usual,
        choices={name: _KINDS[name] for name in kinds},
    )
    administrators = Question(
        f"{_SIGN_IN}.administrators",
        "Hub administrators",
        "Names, as they sign in (with google an address), of those who see the admin page.",
        lambda answers: "admin" if answers[kind.path] == "native" else "",
    )
    return (
        kind,
        *(question for of, question in _of_kinds(kind.path) if set(of) & set(kinds)),
        administrators,
    )


def _of_kinds(kind: str) -> Iterator[tuple[tuple[str, ...], Question]]:
    """What a kind of sign-in asks besides, each with the kinds that it belongs to."""

    def asked(name: str, of: tuple[str, ...], **fields: Any) -> tuple[tuple[str, ...], Question]:
        return of, Question(path=f"{_SIGN_IN}.{name}", when=_is(kind, *of), stand_in=True, **fields)

    yield asked(
        "client_id",
        ("github", "oidc", "cognito", "google", "entra", "cilogon"),
        ask="Client id",
        help=(
            "Of the application that you register there, with the callback"
            " https://HOSTNAME/hub/oauth_callback."
        ),
        default=lambda answers: (
            DOCUMENTATION_CLIENT if answers[kind] == "entra" else "Ov23liDocumentation0"
        ),
    )
    yield asked(
        "allowed_organizations",
        ("github",),
        ask="GitHub organizations",
        help="Their members may sign in. A team is written organization:team.",
        default="example-org",
    )
    for name in _ENDPOINTS:
        shown, default = (
            name.replace("_", " ").capitalize().replace("url", "URL"),
            _endpoint(name.removesuffix("_url")),
        )
        yield asked(
            name,
            ("oidc", "lti13") if name == "authorize_url" else ("oidc",),
            ask=shown,
            help=lambda answers: (
                "From the platform's page about the tool."
                if answers[kind] == "lti13"
                else "From the provider's .well-known/openid-configuration."
            ),
            default=default,
        )
    yield asked(
        "allowed_domains",
        ("google",),
        ask="Google Workspace domains",
        help="All accounts of these domains may sign in.",
        default="example.edu",
    )
    yield asked(
        "tenant_id",
        ("entra",),
        ask="Directory (tenant) id",
        help="From the overview page of Microsoft Entra ID.",
        default=DOCUMENTATION_TENANT,
    )
    yield asked(
        "identity_provider",
        ("cilogon",),
        ask="Entity id of your institution",
        help="EntityID of https://cilogon.org/idplist. All of its users may sign in.",
        default="urn:mace:incommon:example.edu",
    )
    yield asked(
        "issuer",
        ("lti13",),
        ask="Issuer of the platform",
        help="As the platform writes it.",
        default="https://lms.example.edu",
    )
    yield asked(
        "client_ids",
        ("lti13",),
        ask="Client ids of the tool",
        help="From the platform, where you register https://HOSTNAME/hub/lti13/oauth_login.",
        default="10000000000001",
    )
    yield asked(
        "jwks_url",
        ("lti13",),
        ask="Public keys (JWKS) address",
        help="From the platform's page about the tool.",
        default="https://lms.example.edu/lti/jwks",
    )
    yield asked(
        "domain",
        ("cognito",),
        ask="Domain of the user pool",
        help="The host of its sign-in page.",
        default=lambda answers: f"hub.auth.{answers['region']}.amazoncognito.com",
    )
    yield asked(
        "server",
        ("ldap",),
        ask="Directory server",
        help="Its name, as its certificate has it.",
        default=defaults.internal("ldap", "ldap.corp.example"),
    )
    yield asked(
        "bind_dn_templates",
        ("ldap",),
        ask="DN of a user",
        help="With {username} where the name goes.",
        default="uid={username},ou=people,dc=corp,dc=example",
    )
    yield asked(
        "ca_certificate",
        ("ldap",),
        ask="File of the authority's certificate",
        help="PEM: the authority that signed the directory's certificate.",
        default="",
    )
    yield asked(
        "allowed_groups",
        ("oidc", "cognito", "ldap", "entra", "lti13"),
        ask="Groups that may sign in",
        help=lambda answers: (
            f"{_GROUPS.get(answers[kind], 'Names')}, with semicolons between them."
        ),
        default=lambda answers: _SOME_GROUP.get(answers[kind], "jupyter"),
        separator=";",
    )


def _endpoint(name: str) -> Callable[[Given], str]:
    host = defaults.internal("login", "login.example.org")
    return lambda answers: (
        f"https://lms.example.edu/lti/{name}"
        if answers[f"{_SIGN_IN}.kind"] == "lti13"
        else f"https://{host(answers)}/oauth2/{name}"
    )


def _balancer(
    hostname: str, networks: Callable[[Given], str], *, zone: bool
) -> tuple[Question, ...]:
    def exposed(answers: Given) -> bool:
        # A course opens the hub by its address: then a tunnel is no choice.
        return not zone or answers.get(f"{_ENTRY}.kind", "load_balancer") == "load_balancer"

    hosted = Question(
        f"{_ENTRY}.route53_zone",
        "Route 53 hosted zone",
        (
            "Its id, such as Z0123456789ABCDEFGHIJ: the stack makes the record and the certificate."
            " Empty: the name is hosted elsewhere."
        ),
        "",
        when=exposed,
    )
    return (
        Question(
            f"{_ENTRY}.hostname",
            "Host name",
            "The name that users type.",
            defaults.internal("hub", hostname),
            stand_in=True,
            when=exposed,
        ),
        Question(
            f"{_ENTRY}.allowed_cidrs",
            "Networks of users",
            "From where they come in: campus, VPN.",
            networks,
            stand_in=zone,
            when=exposed,
        ),
        *((hosted,) if zone else ()),
        Question(
            f"{_ENTRY}.tls.certificate_arn",
            "Certificate",
            "The ARN of a certificate in AWS Certificate Manager, in the same region.",
            defaults.certificate,
            stand_in=True,
            when=lambda answers: exposed(answers) and not answers.get(f"{_ENTRY}.route53_zone"),
        ),
    )


def _homes() -> tuple[Question, ...]:
    return (
        Question(
            "homes.kind",
            "Home directories",
            _storage_prices,
            "efs",
            choices={
                "efs": "one EFS file system, reachable from every zone; grows by itself",
                "ebs": "a volume of 10 GiB for each user, in one zone",
            },
            priced=True,
        ),
    )


def _storage_prices(answers: Given) -> str:
    prices = Prices().in_region(answers["region"])
    (efs, of_efs), (ebs, of_ebs) = (
        (prices.of(row), f" in {prices.region_of(row)}" if prices.is_elsewhere(row) else "")
        for row in ("efs_gib_month", "gp3_gib_month")
    )
    return (
        f"Where users' files are. What is stored costs extra, for each GiB and month: ${efs:.2f} on"
        f" EFS{of_efs}, ${ebs:.2f} on EBS{of_ebs}."
    )


def _sizes() -> tuple[Question, ...]:
    return (
        _server(priced=True),
        Question(
            "users",
            "Users at once",
            (
                "The most whose servers run at the same time: the limit of nodes and of the bill."
                " Nodes start and stop with servers."
            ),
            "20",
            priced=True,
        ),
        Question(
            "gpu",
            "GPU servers at once",
            (
                "How many servers with an NVIDIA T4 may run at the same time. 0: none, and no"
                " profile for it."
            ),
            "0",
            priced=True,
        ),
    )


def _server(*, priced: bool = False) -> Question:
    return Question(
        "server",
        "Size of a server",
        "What a user may use. Half of it is guaranteed on a full node.",
        "medium",
        choices={
            name: f"{cpu} CPU{'s' if cpu > 1 else ''}, {memory} GB"
            for name, (cpu, memory) in SERVERS.items()
        },
        priced=priced,
    )

"""Whatever stands in a stack file: load() returns a stack or says what is wrong in lines that a
person can use.
"""

from __future__ import annotations

import copy
import json
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyterhub_aws.components.validated import validated
from jupyterhub_aws.config.cloud_config import Configuration
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.hub import Hub
from jupyterhub_aws.config.load import load
from jupyterhub_aws.config.stack import StackConfig
from tests.support.stack_files import SOURCE, changed, dev_stack, engine_values

JARGON = (
    "Traceback",
    "Input should",
    "validation error",
    "pydantic",
    "NoneType",
    "valid string",
    "Value error",
    "Object at",
)
LONGEST_LINE = 440

_TEXTS = [
    "", " ", "\n", "x\ny", "\x00", "\x1b[31m", "\x7f\x85\u2028", "${x}", "${aws:region}", "null", "true", "yes", "[key]", "{", "[1", "ключ", "🎉" * 40,
    "\ud800", "x" * 5000, "10.0.0.0/16\n", "us-east-1a\n", "1.35", "NaN", "0.0.0.0/0", "core", "spot", "efs", "__class__", "a.b", "a'b",
]  # fmt: skip
_SCALARS = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            -1,
            1,
            2**63,
            10**30,
            10**4000,
            0.5,
            -0.0,
            1e308,
            float("nan"),
            float("inf"),
            float("-inf"),
        ]
    ),
    st.sampled_from(_TEXTS),
    st.text(max_size=8),
)
_VALUES = st.one_of(
    _SCALARS,
    st.sampled_from(
        [
            [],
            {},
            [[]],
            [{}],
            {"": {}},
            {"secure": 1},
            [[[[[[[[[[]]]]]]]]]],
            ["x"] * 60,
            {f"k{i}": "v" for i in range(60)},
        ]
    ),
    st.lists(_SCALARS, max_size=3),
    st.dictionaries(
        st.sampled_from([*_TEXTS, "kind", "capacity", "size", "pools"]), _SCALARS, max_size=3
    ),
)


#: What the real stack file leaves out of its hub: everything else that a hub can say is mutated
#: too.
_MORE = {
    "backups": {
        "kind": "aws_backup",
        "daily": {"at": "03:00"},
        "weekly": {"day": "sunday"},
        "copy_to_region": {"region": "us-west-2"},
        "vault_lock": {"min_days": 7, "max_days": 365, "grace_days": 3},
    },
    "buckets": {
        "tmp": {"kind": "scratch", "expire_days": 3},
        "work": {"kind": "shared", "bucket_name": "uni-work", "readers": ["arn:aws:iam::210987654321:root"]},
        "old": {"kind": "existing", "bucket_name": "uni.old", "account": "210987654321", "kms_key": "arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
        "goes": {"kind": "public", "bucket_name": "noaa-goes16"},
    },
    "hubs.main.aws_access": {
        "buckets": [{"bucket": "tmp", "write": True}, {"bucket": "work", "prefix": "a/", "write": True, "overlap": True, "variable": "WORK"}],
        "by_group": [{"name": "staff", "groups": ["o:t"], "buckets": [{"bucket": "old"}], "policies": ["AmazonAthenaFullAccess"], "statements": [{"actions": ["sts:AssumeRole"], "resources": ["arn:aws:iam::210987654321:role/readers"], "other_accounts": ["210987654321"]}]}],
    },
    "hubs.main.profiles.gpu.aws_access": {"buckets": [{"bucket": "goes"}]},
    "hubs.main.culling": {"server_idle_minutes": 60},
    "hubs.main.pages": {"title": "Lab", "help_links": {"Help": "https://help.example.org"}, "terms": "Be kind"},
    "hubs.main.maintenance_page": {"text": "Back soon", "contact": "help@example.org"},
    "hubs.main.image": "quay.io/jupyter/scipy-notebook:2025-12-31",
    "hubs.main.pre_pull_pools": ["memory"],
    "image_repositories": {"physics": {"keep": 5}},
    "hubs.main.home_directory": "home/{escaped_username}",
    "hubs.main.shared_directories": {"data": {"mount_path": "/home/jovyan/data", "writable_by": "none"}, "course": {"read_groups": ["o:a"], "write_groups": ["o:b"]}},
    "hubs.main.volumes": {"fast": {"kind": "scratch", "mount_path": "/fast", "size_gib": 10}, "old": {"kind": "claim", "mount_path": "/old", "claim": "old"}},
    "hubs.main.shared_memory": "4G",
    "hubs.main.named_servers": 2,
    "hubs.main.services": {
        "page": {"url": "http://page.tools:8080", "pods": {"labels": {"app": "page"}, "namespace": "tools", "port": 80}, "groups": ["o:t"], "users": ["ada"], "from_servers": True, "oauth": {"redirect_uri": "https://page.example.org/cb", "confirm": False}, "display": False},
        "robot": {"scopes": ["read:users!group=o:t"], "wide_scopes": ["servers"], "token": "generated"},
    },
    "hubs.main.profiles.many": {"pool": "memory", "users_per_node": 3, "images": {"one": {"image": "a/b:1", "description": "B", "default_url": "/lab"}}, "unlisted_image": {"allowed": ["quay.io/a"], "groups": ["o:t"]}, "protected": True, "groups": ["o:t"]},
    "hubs.main.profiles.sized": {"pool": "memory", "sizes": {"half": {"cpu": 2, "memory": "8G"}, "whole": {"cpu": 4, "memory": "16G", "default": True}}},
    "hubs.main.profiles.small.environment": {"GRACE": "yes"},
    "hubs.main.helm_values": {
        "hub": {
            "config": {"KubeSpawner": {"working_dir": "/home/jovyan", "pod_security_context": {"fsGroup": 100}}, "Authenticator": {"refresh_pre_spawn": True}},
            "extraConfig": {"banner": "c.JupyterHub.template_vars = {}"},
            "db": {"pvc": {"annotations": {"team": "research"}}},
        },
        "proxy": {"service": {"labels": {"team": "hub"}}, "https": {"enabled": False}},
        "singleuser": {
            "extraEnv": {"WHO": "{username}"},
            "memory": {"limit": "16G"},
            "networkPolicy": {"egress": []},
            "profileList": [
                {
                    "display_name": "GPU",
                    "kubespawner_override": {
                        "mem_limit": "16G",
                        "environment": {"A": "b"},
                        "tolerations": [{"key": "hub.jupyter.org/dedicated", "operator": "Exists"}],
                        "volumes": [{"name": "home"}],
                    },
                    "profile_options": {"image": {"display_name": "Image", "choices": {"old": {"kubespawner_override": {"image": "a:1"}}}}},
                }
            ],
        },
    },
    "hubs.other": {
        "sign_in": {
            "kind": "ldap",
            "server": "ldap.example.org",
            "lookup": {"search_base": "ou=people,dc=example,dc=org", "search_user": "cn=reader,dc=example,dc=org"},
            "allowed_groups": ["cn=hub,ou=groups,dc=example,dc=org"],
            "administrators": ["ada"],
            "ca_certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        },
        "entry": {"kind": "node_port", "hostname": "other.example.org", "external_ips": ["192.0.2.10"], "tls": {"kind": "none", "trial": True}},
        "database": {"kind": "postgres", "version": "17"},
        "pools": ["gpu", "memory"],
        "image_choices": {"a": {"image": "quay.io/a/a:1", "default": True}},
        "unlisted_image": {"allowed": ["quay.io/a/*-notebook"], "groups": ["cn=staff,dc=example,dc=org"]},
    },
}  # fmt: skip


@cache
def _whole():
    return changed(dev_stack(), put=_MORE)


def _base():
    return copy.deepcopy(_whole())


def _places(value, way=()):
    """Every path of a configuration, containers and leaves."""
    yield way
    for key, item in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        yield from _places(item, (*way, key))


@cache
def _all_places():
    return [way for way in _places(_base()) if way]


@st.composite
def _mutated(draw):
    config = _base()
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.sampled_from(_all_places()))
        parent = config
        for part in way[:-1]:
            try:
                parent = parent[part]
            except (KeyError, IndexError, TypeError):
                break
        else:
            _mutate(draw, parent, way[-1])
    return config


def _mutate(draw, parent, last):
    try:
        parent[last]
    except (KeyError, IndexError, TypeError):  # an earlier mutation took it away
        return
    if isinstance(parent, str):
        return
    how = draw(st.sampled_from(["replace", "replace", "delete", "insert", "rename"]))
    if how == "replace":
        parent[last] = draw(_VALUES)
    elif how == "delete":
        del parent[last]
    elif isinstance(parent, list):
        parent.insert(last, draw(_VALUES))
    else:
        prefix = "jupyterhub-aws:" if isinstance(last, str) and ":" in last else ""
        key = prefix + draw(st.sampled_from(_TEXTS) | st.text(max_size=6))
        parent[key] = draw(_VALUES) if how == "insert" else parent.pop(last)


def _strings(config):
    """Like the engine, but with what it would refuse (NaN, infinity, lone surrogates) carried
    along as Python's JSON does.
    """
    return {
        key: value if isinstance(value, str) else "" if value is None else json.dumps(value)
        for key, value in config.items()
    }


def _judge(values, secret=()):
    """The number of problems, each of which must be readable."""
    try:
        assert isinstance(
            validated(
                Configuration(
                    values={key: value for key, value in values.items() if key not in secret},
                    secret=tuple(secret),
                    source=SOURCE,
                )
            ),
            StackConfig,
        )
    except ConfigError as error:
        assert error.problems and all(
            problem.path and problem.what and problem.fix for problem in error.problems
        )
        for problem in error.problems:
            line = problem.line(SOURCE)
            if not line.isprintable() or len(line.splitlines()) != 1:
                pytest.fail(f"not one plain line: {line!a}")
            assert len(line) <= LONGEST_LINE, line
            assert not [word for word in JARGON if word in line], line
            assert "()" not in line and not line.rstrip().endswith((";", ":", "are", "of")), line
        assert str(error).split("\n") == [problem.line(SOURCE) for problem in error.problems]
        return len(error.problems)
    return 0


def test_what_is_mutated_is_right_and_has_every_part_of_a_hub():
    assert _judge(_strings(_base())) == 0
    places = {way[1:] for way in _all_places() if way[0] == "jupyterhub-aws:hubs"}
    assert len(places) > 100
    elsewhere = ("pools", "package_mirrors", "image_choices", "unlisted_image")
    assert {("main", part) for part in Hub.model_fields if part not in elsewhere} <= places
    assert {("other", part) for part in ("image_choices", "unlisted_image")} <= places
    assert ("other", "pools", 1) in places


@pytest.mark.real
@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(_mutated())
def test_mutated_stack(config):
    _judge(_strings(config))


_RAW = st.one_of(
    st.sampled_from(
        [
            "",
            "{",
            "[",
            "}",
            "[[[",
            '{"a":',
            "[1,]",
            "{'a': 1}",
            "[NaN]",
            "null",
            '"',
            "[" * 100_000,
            '{"a":' * 300 + "1" + "}" * 300,
        ]
    ),
    st.sampled_from(
        [
            "[" * 150 + "]" * 150,
            "[" * 900 + "]" * 900,
            '["\\ud800"]',
            '{"a": 1, "a": 2}',
            "[" + "9" * 5000 + "]",
            "\ufeff{}",
            "{} {}",
            "[\x00]",
        ]
    ),
    st.text(max_size=12),
    st.sampled_from(["[", "{"]).flatmap(
        lambda head: st.text(alphabet='[]{}",:1a\\u', max_size=14).map(lambda rest: head + rest)
    ),
)


@st.composite
def _broken_text(draw):
    values, _ = engine_values(_base())
    key = draw(st.sampled_from(sorted(values)))
    if draw(st.booleans()):
        values[key] = draw(_RAW)
    else:
        cut = draw(st.integers(0, len(values[key])))
        patch = draw(st.sampled_from(["", "{", "]", "\\", '"', ",", "\n", "\x00", "e400"]))
        values[key] = values[key][:cut] + patch + values[key][cut + draw(st.integers(0, 2)) :]
    return values, draw(st.sets(st.sampled_from(sorted(values)), max_size=1))


@pytest.mark.real
@settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(_broken_text())
def test_broken_text_of_a_section(drawn):
    values, secret = drawn
    _judge(values, secret)


_NOT_JSON = (
    "cluster: must be a map of options (got {}); write options under it, first of all `kind: eks`"
    " (or existing) [option.kind]"
)
_UNREADABLE = (
    "cluster: cannot be read: it is nested too deeply, or has half a character; compare it with the"
    " reference [option.kind]"
)
_TOO_DEEP = (
    "cluster: is nested too deeply to be read; compare it with the reference [option.too-deep]"
)
_DAYS = (
    "1, 3, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,"
    " 3288, 3653"
)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("{", _NOT_JSON.format("'{'")),
        ('{"version": "1.35"', _NOT_JSON.format("""'{"version": "1.35"'""")),
        ("null", _NOT_JSON.format("'null'")),
        ("[" * 100_000, _TOO_DEEP),
        ("[" * 100_000 + "]" * 100_000, _TOO_DEEP),
        ("[" * 300 + "]" * 300, _UNREADABLE),
        ('{"kind": "eks", "version": "1.35", "volume_key": "\\ud800"}', _UNREADABLE),
        ("[" + "9" * 5000 + "]", _NOT_JSON.format("'[" + "9" * 55 + "…")),
        (
            '{"kind": "eks", "version": "1.35", "log_retention_days": NaN}',
            f"cluster.log_retention_days: must be one of {_DAYS} (got nan); choose one of them"
            " [option.choice]",
        ),
        (
            '{"kind": "eks", "version": NaN}',
            (
                "cluster.version: must be a quoted string (got the number nan): as a number 1.30"
                ' turns into 1.3; write it in quotes, such as "1.35" [version.number]'
            ),
        ),
    ],
    ids=range(10),
)
def test_text_that_the_engine_would_not_give(raw, line):
    values, _ = engine_values(dev_stack())
    with pytest.raises(ConfigError) as caught:
        load({**values, "jupyterhub-aws:cluster": raw}, source=SOURCE)
    assert str(caught.value) == f"{SOURCE}: {line}"


@pytest.mark.real
def test_every_place_of_the_stack_file_with_every_hostile_value():
    """No chance involved: each single place, once with each value that found something before."""
    problems = 0
    for way in _all_places():
        for value in (None, True, -1, 0.5, "", "x\n", [], {}, ["x"], {"x": "y"}):
            config = _base()
            parent = config
            for part in way[:-1]:
                parent = parent[part]
            parent[way[-1]] = value
            problems += _judge(_strings(config))
    assert problems > 1500

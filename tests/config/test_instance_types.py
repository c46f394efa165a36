"""The table of EC2 types: plausible row by row, and what the types that the stack file names
really have.
"""

from __future__ import annotations

import json
import re

import pytest

from jupyterhub_aws.config.instance_types import TABLE, instance_type, instance_types
from tests.support.stack_files import dev_stack


def test_every_row_is_plausible():
    assert len(instance_types()) > 800
    wrong = []
    for name in instance_types():
        kind = instance_type(name)
        sane = (
            kind.name == name
            and re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", name)
            and 1 <= kind.vcpus <= 2048
            and 0.25 * 1024 <= kind.memory_mib <= 64 * 1024 * 1024
            and kind.architecture in ("x86_64", "arm64")
            and kind.network_interfaces >= 1
            and kind.addresses_per_interface >= 2
            and kind.gpus >= 0
            and (kind.gpu is None or kind.gpu)
            and kind.local_disk_gb >= 0
            and (kind.usd_per_hour is None or 0 < kind.usd_per_hour < 1000)
            and kind.family
            and not any(char.isdigit() for char in kind.family)
        )
        wrong += [] if sane else [name]
    assert wrong == []


def test_source_says_where_and_when():
    assert re.search(r"20\d\d-\d\d-\d\d", json.loads(TABLE.read_bytes())["source"])


@pytest.mark.parametrize(
    ("name", "shape", "gpu", "family"),
    [
        ("r5n.2xlarge", (8, 65536, 0, "x86_64"), None, "r"),
        ("g4dn.12xlarge", (48, 196608, 4, "x86_64"), "T4", "g"),
        ("m7i.large", (2, 8192, 0, "x86_64"), None, "m"),
        ("m7g.large", (2, 8192, 0, "arm64"), None, "m"),
    ],
)
def test_known_facts(name, shape, gpu, family):
    kind = instance_type(name)
    assert kind.shape == shape and kind.family == family and kind.nitro and kind.spot
    assert kind.gpu == gpu if gpu is None else gpu in kind.gpu


def test_xen_is_not_nitro():
    assert not instance_type("m4.large").nitro
    assert instance_type("a1.metal").nitro  # the table has no hypervisor for bare metal


@pytest.mark.parametrize("pool", ["core", "memory", "gpu"])
def test_types_of_a_pool_in_the_stack_file_have_one_shape(pool):
    names = dev_stack()["jupyterhub-aws:pools"][pool]["instance_types"]
    assert len({instance_type(name).shape for name in names}) == 1


def test_types_with_a_share_of_a_gpu_are_the_only_ones_whose_number_and_name_differ():
    """EC2 counts no GPU for a share of one: `gpus` is 0 and `gpu` is a name, so who asks for
    GPUs must ask for the name.
    """
    differing = {
        name
        for name in instance_types()
        if bool(instance_type(name).gpus) != (instance_type(name).gpu is not None)
    }
    assert {name.partition(".")[0] for name in differing} == {"g6f", "gr6f"}
    assert all(instance_type(name).gpu for name in differing)


def test_unknown_type_is_a_key_error():
    with pytest.raises(KeyError):
        instance_type("potato.large")


def test_table_cannot_be_changed():
    with pytest.raises(TypeError):
        instance_types()["x"] = {}

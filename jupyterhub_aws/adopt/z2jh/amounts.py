"""How much a server of the old hub had, in the words of a profile here: cores, memory, GPUs, and
one guarantee for both.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from jupyterhub_aws.adopt.z2jh.taken import Taking
from jupyterhub_aws.config.stack_text import fill
from jupyterhub_aws.config.tree import Path

_GPU = "nvidia.com/gpu"


_BYTES = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4, "": 1}


#: A person's server needs so much to start at all (config/profiles.py).
_LEAST_MIB = 128


#: What a server may have of cores (config/profiles.py).
_LEAST_CORES, _MOST_CORES = 0.1, 448


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Cores and MiB of memory, each as limit and as guarantee, and GPUs. `inherited`: some of it
    is the hub's own, not the profile's.
    """

    cpu: float | None
    cpu_least: float | None
    memory: float | None  # MiB
    memory_least: float | None
    gpus: int = 0
    inherited: bool = False


def base_of(taking: Taking) -> Amounts:
    """What every server had, unless its profile says otherwise."""
    base: Path = ("singleuser",)
    limits = _gpus(taking, ("singleuser", "extraResource", "limits"))
    taking.settle(
        "singleuser", "extraResource", "guarantees", _GPU, why="a GPU's limit is its guarantee"
    )
    return Amounts(
        cpu=_cores(taking, (*base, "cpu", "limit")),
        cpu_least=_cores(taking, (*base, "cpu", "guarantee")),
        memory=_size(taking, (*base, "memory", "limit")),
        memory_least=_size(taking, (*base, "memory", "guarantee")),
        gpus=limits or 0,
    )


def _gpus(taking: Taking, path: Path) -> int | None:
    """How many GPUs of NVIDIA: no other accelerator can be asked for by a profile here."""
    value = taking.take(*path, _GPU)
    if value is None:
        return None
    number = _number(value)
    if number is None and str(value) != "0":
        taking.drop((*path, _GPU), "is not a number of GPUs")
    return int(number or 0)


def _cores(taking: Taking, path: Path) -> float | None:
    value = taking.take(*path)
    number = _number(value)
    if value is not None and number is None:
        taking.drop(path, "is not a number of cores")
    return number


def _size(taking: Taking, path: Path) -> float | None:
    value = taking.take(*path)
    mib = _mib(value)
    if value is not None and mib is None:
        taking.drop(path, "is not a size of memory")
    return mib


def amounts_of(taking: Taking, over: Path, base: Amounts) -> Amounts:
    """What a profile overrides of the hub's own numbers."""
    gpus = _gpus(taking, (*over, "extra_resource_limits"))
    taking.settle(*over, "extra_resource_guarantees", _GPU, why="a GPU's limit is its guarantee")
    cpu, cpu_least = _cores(taking, (*over, "cpu_limit")), _cores(taking, (*over, "cpu_guarantee"))
    memory, memory_least = (
        _size(taking, (*over, "mem_limit")),
        _size(taking, (*over, "mem_guarantee")),
    )
    return Amounts(
        cpu=cpu or base.cpu,
        cpu_least=cpu_least or base.cpu_least,
        memory=memory or base.memory,
        memory_least=memory_least or base.memory_least,
        gpus=base.gpus if gpus is None else gpus,
        inherited=None in (cpu, cpu_least, memory, memory_least),
    )


def amounts_said(amounts: Amounts, taking: Taking, path: str) -> dict[str, Any]:
    """cpu, memory and one guarantee for both: the larger share of the two, so that nobody gets
    less than before.
    """
    cpu, memory = amounts.cpu or amounts.cpu_least, amounts.memory or amounts.memory_least
    said: dict[str, Any] = {
        "cpu": (
            fill(2, "the most cores: the old hub had no limit")
            if cpu is None
            else min(max(round(cpu, 3), _LEAST_CORES), _MOST_CORES)
        ),
        "memory": (
            fill("8G", "the most memory: the old hub had no limit")
            if memory is None
            else _text(max(memory, _LEAST_MIB))
        ),
    }
    if cpu is not None and not _LEAST_CORES <= cpu <= _MOST_CORES:
        taking.notes.append(
            f"{path}: {cpu:g} cores, where a server here has {_LEAST_CORES:g} to {_MOST_CORES}"
        )
    shares = [
        least / most
        for least, most in ((amounts.cpu_least, cpu), (amounts.memory_least, memory))
        if least and most
    ]
    share = round(min(max(shares, default=0.5), 1), 3)
    if memory is not None:
        share = max(share, math.ceil(1000 * 64 / max(memory, _LEAST_MIB)) / 1000)
    if len(shares) == 2 and shares[0] != shares[1]:  # of cores and of memory
        taking.notes.append(
            f"{path}: {shares[0]:.3g} of the cores and {shares[1]:.3g} of the memory were"
            f" guaranteed; now {share:g} of both"
        )
    return {
        **said,
        **({"guarantee": share} if share != 0.5 else {}),
        **({"gpus": amounts.gpus} if amounts.gpus else {}),
    }  # the default


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)(m?)", str(value).strip())
    number = None if match is None else float(match[1]) / (1000 if match[2] else 1)
    return number or None


def _mib(value: Any) -> float | None:
    """A size of KubeSpawner or Kubernetes in MiB: `16G` and `16Gi` are both powers of 1024 to
    the hub.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    match = re.fullmatch(
        r"(\d{1,18}(?:\.\d{1,6})?)\s*([KMGT]?)i?B?", str(value).strip(), re.IGNORECASE
    )
    found = None if match is None else float(match[1]) * _BYTES[match[2].upper()] / 1024**2
    return found if found and found >= 1 else None


def _text(mib: float) -> str:
    whole = math.ceil(mib)
    return f"{whole // 1024}G" if whole % 1024 == 0 else f"{whole}M"

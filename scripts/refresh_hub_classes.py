"""Take the classes that `hub.config` may configure, with their traits, into config/data/z2jh, as
data.

    python scripts/refresh_hub_classes.py VERSION [YYYY-MM-DD]

Run by an interpreter that has the packages of the hub's image: those of
`images/hub/requirements.txt` at the chart's tag (zero-to-jupyterhub-k8s) whose names are in
PACKAGES. VERSION is the chart's, the date is today's unless one is given. The classes of
components/hub/files are read too.
"""

from __future__ import annotations

import datetime
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from traitlets.config import Application, Configurable, LoggingConfigurable, SingletonConfigurable

_ROOT = Path(__file__).resolve().parents[1]
_OWN = _ROOT / "components" / "hub" / "files"
TARGET = _ROOT / "config" / "data" / "z2jh"
#: Distribution to the module that holds its classes.
PACKAGES = {
    "jupyterhub": "jupyterhub",
    "jupyterhub-kubespawner": "kubespawner",
    "oauthenticator": "oauthenticator",
    "jupyterhub-nativeauthenticator": "nativeauthenticator",
    "jupyterhub-ldapauthenticator": "ldapauthenticator",
    "jupyterhub-firstuseauthenticator": "firstuseauthenticator",
    "jupyterhub-hmacauthenticator": "hmacauthenticator",
    "jupyterhub-ltiauthenticator": "ltiauthenticator",
    "jupyterhub-tmpauthenticator": "tmpauthenticator",
}
#: Run in users' servers, or as programs of their own: the hub's process does not have them.
_ELSEWHERE = (".__main__", ".tests", ".singleuser", "jupyterhub._xsrf", ".alembic")
_ABSTRACT = (Configurable, LoggingConfigurable, SingletonConfigurable)


def modules(name: str) -> Iterator[Any]:
    """A package's modules that can be loaded; one that wants what the hub's image lacks is none
    of the hub's.
    """
    top = importlib.import_module(name)
    yield top
    for found in pkgutil.walk_packages(getattr(top, "__path__", ()), f"{name}."):
        if any(part in found.name for part in _ELSEWHERE):
            continue
        try:
            yield importlib.import_module(found.name)
        except Exception as error:
            print(f"{found.name}: not loaded ({error})", file=sys.stderr)


def classes(name: str) -> dict[str, type[Configurable]]:
    """Class name to class: what a package defines and traitlets configures."""
    found: dict[str, type[Configurable]] = {}
    for module in modules(name):
        for item in vars(module).values():
            if (
                isinstance(item, type)
                and issubclass(item, Configurable)
                and item.__module__.split(".")[0] == name
                and not item.__name__.startswith("_")
            ):
                found[item.__name__] = item
    return found


def described(item: type[Configurable], package: str) -> dict[str, Any]:
    """One class: who ships it, the sections that it reads (its own first), and the traits that
    it adds.
    """
    sections = [
        base.__name__
        for base in item.__mro__
        if issubclass(base, Configurable)
        and base not in _ABSTRACT
        and not base.__name__.startswith("_")
    ]
    return {
        "package": package,
        "sections": sections,
        "traits": sorted(item.class_own_traits(config=True)),
    }


def main(arguments: list[str]) -> int:
    """Write the file; 2 where the arguments are wrong."""
    if not 1 <= len(arguments) <= 2:  # version and date
        print(__doc__, file=sys.stderr)
        return 2
    sys.path.insert(0, str(_OWN))
    found = {"Application": described(Application, "traitlets")}
    for package, module in PACKAGES.items():
        found |= {
            name: described(item, f"{package} {version(package)}")
            for name, item in classes(module).items()
        }
    for file in sorted(_OWN.glob("jupyterhub_aws_*.py")):
        found |= {
            name: described(item, "jupyterhub-aws") for name, item in classes(file.stem).items()
        }
    for name, kind in list(found.items()):  # `Application` knows what traitlets itself defines
        found[name]["sections"] = [section for section in kind["sections"] if section in found]
    named = {
        entry.name: entry.value.rpartition(":")[2].rpartition(".")[2]
        for entry in entry_points(group="jupyterhub.authenticators")
    }
    data = {
        "source": "traitlets of the packages of the hub's image (scripts/refresh_hub_classes.py)",
        "as_of": (
            arguments[1]
            if len(arguments) > 1
            else datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        ),
        "authenticators": dict(sorted(named.items())),
        "classes": dict(sorted(found.items())),
    }
    lines = json.dumps(data, separators=(",", ":")).replace('},"', '},\n"')  # one class a line
    (TARGET / f"classes-{arguments[0]}.json").write_text(lines + "\n", encoding="utf-8")
    print(f"wrote {len(found)} classes to classes-{arguments[0]}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

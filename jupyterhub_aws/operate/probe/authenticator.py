"""The hub's own authenticator, made here: from the values that the program renders, with the
class that the hub imports.
"""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path
from typing import Any

from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.hub_files import FOLDER, LDAP_CA
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.specs import resolve
from jupyterhub_aws.config.stack import StackConfig

_MODULE = "jupyterhub_aws_ldap"


def directory_authenticator(
    stack: StackConfig, hub: str, search_password: str | None, folder: Path
) -> Any:
    """The authenticator of a hub whose sign-in is a directory. `folder` takes the authority's
    certificate, which the hub's pod has elsewhere.

    `helm_values` of the stack are in it; `search_password` is that of the look-up account, None
    without one.
    """
    from traitlets.config import Config

    values = hub_values(resolve(stack).hubs[hub], UNKNOWN, resolve(stack).images)["hub"]
    config = copy.deepcopy(
        {
            name: traits
            for name, traits in values["config"].items()
            if name.endswith("Authenticator")
        }
    )
    traits = config["LDAPAuthenticator"]
    file = (values.get("extraFiles") or {}).get(LDAP_CA.key)
    if (
        file is not None
        and (traits.get("tls_kwargs") or {}).get("ca_certs_file") == LDAP_CA.mount_path
    ):
        place = folder / "ldap-ca.crt"
        place.write_text(file["stringData"], encoding="utf-8")
        traits["tls_kwargs"]["ca_certs_file"] = str(place)
    if search_password is not None:
        traits["lookup_dn_search_password"] = search_password
    return _class()(config=Config(config))


def _class() -> Any:
    """The class in the file that the hub's pod gets."""
    if _MODULE not in sys.modules:
        spec = importlib.util.spec_from_file_location(_MODULE, FOLDER / f"{_MODULE}.py")
        assert spec is not None and spec.loader is not None  # noqa: S101 -- for the type checker: a file has both
        module = importlib.util.module_from_spec(spec)
        sys.modules[_MODULE] = module
        spec.loader.exec_module(module)
    return sys.modules[_MODULE].DirectoryAuthenticator

"""The validators of JSON schemas, loaded without a grammar of internationalised addresses that takes
two seconds to build: no schema here asks for that format.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] -- how Python says: not here

from jsonschema import Draft7Validator, Draft202012Validator  # noqa: E402 -- it looks for it

__all__ = ["Draft7Validator", "Draft202012Validator"]

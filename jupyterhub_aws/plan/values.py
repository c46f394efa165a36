"""The engine's wire format (protobuf structs with signatures) as plain data. Secrets and
unknowns become words.
"""

from __future__ import annotations

import hashlib
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from jupyterhub_aws.checks.resources import (
    ARCHIVE_SIGNATURE,
    REFERENCE_SIGNATURE,
    SECRET,
    SECRET_SIGNATURE,
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_SENTINEL,
)


def plain(value: Value) -> Any:
    """A value as JSON data: whole numbers as ints, a secret as "[secret]", an unknown as
    "[unknown]", a resource as its URN.
    """
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _struct(value.struct_value)
    if kind == "list_value":
        return [plain(item) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_SENTINEL else value.string_value
    if kind == "number_value":
        return int(value.number_value) if value.number_value.is_integer() else value.number_value
    return value.bool_value if kind == "bool_value" else None


def _struct(struct: Struct) -> Any:
    signature = struct.fields.get(SIGNATURE)
    if signature is None:
        return plain_struct(struct)
    if signature.string_value == SECRET_SIGNATURE:
        return SECRET
    if signature.string_value == REFERENCE_SIGNATURE:
        return struct.fields["urn"].string_value
    return _asset(struct, "archive" if signature.string_value == ARCHIVE_SIGNATURE else "file")


def _asset(struct: Struct, kind: str) -> str:
    """A file or an archive in one line: where it is, or a digest of text, so that a change of it
    is seen and nothing of it is told.
    """
    where = next(
        (struct.fields[key].string_value for key in ("path", "uri") if key in struct.fields), None
    )
    if where is None:
        where = hashlib.sha256(struct.SerializeToString(deterministic=True)).hexdigest()[:12]
    return f"[{kind} {where}]"


def plain_struct(struct: Struct) -> dict[str, Any]:
    """A struct as a dict, keys sorted; keys without a value are dropped, as the engine drops
    them.
    """
    return {
        key: plain(struct.fields[key])
        for key in sorted(struct.fields)
        if struct.fields[key].WhichOneof("kind") != "null_value"
    }


def reference(urn: str, identity: str) -> dict[str, Any]:
    """A resource as another resource's output refers to it."""
    return {SIGNATURE: REFERENCE_SIGNATURE, "urn": urn, "id": identity, "packageVersion": ""}

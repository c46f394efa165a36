"""The engine's own marks inside values: what a secret, a reference and an unknown are on the wire
and in a state.

pulumi/pulumi, sdk/go/common/resource/properties.go (signatures) and plugin/rpc.go (the unknown
sentinel).
"""

from __future__ import annotations

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- a constant of the wire format
REFERENCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"
ARCHIVE_SIGNATURE = "0def7320c3a5731c473e5ecbe6d01bc7"
UNKNOWN_SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

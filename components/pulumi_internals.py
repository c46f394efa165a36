"""What of the Pulumi SDK is private to it and used here, in one place; nothing else imports such
names (tests/repo/test_hygiene.py).

A test fails when another version of the SDK is locked than the one in which these were read: then
read them anew, and run tests/ops/test_recorder.py, tests/provider and tests/engine.
"""

from __future__ import annotations

from pulumi import _types as types
from pulumi._types import _py_properties as output_properties
from pulumi.runtime import resource as resource_runtime
from pulumi.runtime._callbacks import _CallbackServicer as CallbackServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS as GRPC_CHANNEL_OPTIONS
from pulumi.runtime.sync_await import _sync_await as sync_await

__all__ = [
    "GRPC_CHANNEL_OPTIONS",
    "READ_IN",
    "REPLACED",
    "CallbackServicer",
    "output_properties",
    "resource_runtime",
    "sync_await",
    "types",
]

#: The version of the SDK in which these names were read.
READ_IN = "3.272.0"
#: The private function that is replaced while a program is recorded (plan/sdk.py). An SDK without it
#: is recorded all the same: that costs time, and positions in the user's files are the SDK's.
REPLACED = "_get_stack_trace"

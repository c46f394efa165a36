"""Which AWS services have a VPC endpoint: the list that AWS keeps in its CDK
(scripts/refresh_endpoint_services.py), read only where a stack names one.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "endpoint_services.json"


@cache
def endpoint_services() -> frozenset[str]:
    """Names as they end com.amazonaws.REGION.NAME."""
    return frozenset(json.loads(FILE.read_text(encoding="utf-8"))["names"])


@cache
def source() -> str:
    """Where the list was read, and when."""
    table = json.loads(FILE.read_text(encoding="utf-8"))
    return f"{table['source']}, {table['read']}"

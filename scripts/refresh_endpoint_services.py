"""Makes config/data/endpoint_services.json: the names of AWS services that have a VPC endpoint,
from the list that AWS keeps in its own CDK.

    npm pack aws-cdk-lib && .venv/bin/python -m scripts.refresh_endpoint_services aws-cdk-lib-VERSION.tgz

The list is `InterfaceVpcEndpointAwsService` and `GatewayVpcEndpointAwsService`
(aws-ec2/lib/vpc-endpoint.js in the package). A service whose name begins with something else than
com.amazonaws there (`aws.sagemaker`) is left out: an endpoint of this program is
com.amazonaws.REGION.NAME.
"""

from __future__ import annotations

import datetime
import json
import re
import sys
import tarfile
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "config" / "data" / "endpoint_services.json"
_MEMBER = "package/aws-ec2/lib/vpc-endpoint.js"
_NAME = re.compile(
    r'new (?:Interface|Gateway)VpcEndpointAwsService\("([a-z0-9.-]+)"(?:,(?:void 0|""),[^,)]*)?\)'
)
_VERSION = re.compile(r"aws-cdk-lib-([0-9.]+)\.tgz")
#: Fewer mean that the package's text has another shape than this script reads.
_LEAST = 250


def names(text: str) -> list[str]:
    """The services named in the text of vpc-endpoint.js, sorted, each once. Raises ValueError
    where there are too few.
    """
    found = sorted(set(_NAME.findall(text)))
    if len(found) < _LEAST:
        raise ValueError(
            f"only {len(found)} services found: read the package's vpc-endpoint.js and mend the"
            " pattern"
        )
    return found


def main() -> int:
    """Write the file."""
    package = Path(sys.argv[1])
    version = _VERSION.fullmatch(package.name)
    with tarfile.open(package) as opened:
        member = opened.extractfile(_MEMBER)
        if member is None or version is None:
            raise ValueError(f"{package} is no package of aws-cdk-lib")
        found = names(member.read().decode("utf-8"))
    table = {
        "read": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "source": f"aws-cdk-lib {version[1]}, aws-ec2/lib/vpc-endpoint",
        "names": found,
    }
    FILE.write_text(json.dumps(table, indent=0) + "\n", encoding="utf-8")
    print(f"wrote {len(found)} names to {FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

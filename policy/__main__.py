"""What the engine starts: `pulumi up --policy-pack policy`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # sys.path has this folder only

from jupyterhub_aws.policy.pack import make_pack

make_pack(Path(__file__).parent)

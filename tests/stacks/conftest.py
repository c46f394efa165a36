"""Loads the SDKs before any test module does: their own deprecation warnings would be errors
there.
"""

import tests.support.stacks  # noqa: F401

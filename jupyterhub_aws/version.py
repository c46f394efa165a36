"""The library's version: the one place that says it (pyproject.toml and `jhub --version` read it
here).
"""

from __future__ import annotations

from collections.abc import Iterator

#: Its second number is the newest format of stack files that it reads (config/formats);
#: docs/upgrading-the-library.md says what each number promises.
__version__ = "0.2.0"
#: The SDKs that the program loads: types of resources and their inputs are theirs.
_SDKS = ("pulumi", "pulumi-aws", "pulumi-eks", "pulumi-kubernetes", "pulumi-random")


def described() -> Iterator[str]:
    """What `jhub --version` prints: `jupyterhub-aws X.Y.Z` first, then the format of stack
    files, and the SDKs that are installed.
    """
    import platform

    from jupyterhub_aws.config.formats import FORMAT

    yield f"jupyterhub-aws {__version__}"
    yield f"stack files: format {FORMAT} (older ones: jhub migrate)"
    yield f"SDKs: {', '.join(f'{name} {_installed(name)}' for name in _SDKS)}"
    yield f"Python {platform.python_version()}"


def _installed(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"

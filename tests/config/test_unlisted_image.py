"""Which images a user may write: the expression lets in what is below the listed registries and
paths, and nothing that only looks like it.
"""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jupyterhub_aws.config.errors import SectionError
from jupyterhub_aws.config.unlisted_image import (
    UnlistedImage,
    described,
    image_pattern,
    is_image_pattern,
    prefixes_of,
)

DIGEST = f"sha256:{'0a' * 32}"
ALLOWED = ("quay.io/jupyter", "ghcr.io", "quay.io/pangeo/*-notebook", "127.0.0.1:5000/x")
_WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
_COMPONENT = st.lists(_WORD, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([".", "_", "__", "-", "--"]).map(lambda sep: sep.join(words))
)
_PATH = st.lists(_COMPONENT, min_size=1, max_size=4).map("/".join)
_TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,20}", fullmatch=True).filter(
    lambda tag: tag != "latest"
)
_VERSION = st.one_of(
    _TAG.map(lambda tag: f":{tag}"),
    st.just(f"@{DIGEST}"),
    _TAG.map(lambda tag: f":{tag}@{DIGEST}"),
    st.just(f":latest@{DIGEST}"),
)
_HOST = st.lists(_WORD, min_size=2, max_size=3).map(".".join)


def lets_in(image: str, allowed: tuple[str, ...] = ALLOWED) -> bool:
    """As KubeSpawner 7.0.0 asks: by the beginning alone."""
    return re.match(image_pattern(allowed), image) is not None


@given(host=_HOST, first=_PATH, below=_PATH, version=_VERSION)
def test_what_is_below_a_prefix_is_let_in_and_the_repository_that_is_called_so(
    host: str, first: str, below: str, version: str
) -> None:
    prefix = f"{host}/{first}"
    assert lets_in(f"{prefix}/{below}{version}", (prefix,))
    assert lets_in(f"{prefix}{version}", (prefix,))
    assert lets_in(f"{prefix}{version}", (host,))


@given(host=_HOST, first=_PATH, other_host=_HOST, other=_PATH, version=_VERSION)
@example("quay.io", "jupyter", "quay.io.evil.org", "jupyter/x", ":1")
@example("quay.io", "jupyter", "quayxio.org", "jupyter/x", ":1")
def test_what_is_elsewhere_is_not(
    host: str, first: str, other_host: str, other: str, version: str
) -> None:
    prefix = f"{host}/{first}"
    image = f"{other_host}/{other}"
    assume(image != prefix and not image.startswith(f"{prefix}/"))
    assert not lets_in(f"{image}{version}", (prefix,))


@given(version=_VERSION, before=_PATH, after=st.text(max_size=5))
def test_nothing_may_be_before_or_behind_it(version: str, before: str, after: str) -> None:
    assert not lets_in(f"{before}/quay.io/jupyter/a{version}")
    assume(not re.fullmatch(r"[A-Za-z0-9_.\-]*", after))
    assert not lets_in(f"quay.io/jupyter/a{version}{after}") or re.fullmatch(
        r"[A-Za-z0-9_.\-]*@sha256:[0-9a-f]{64}", after
    )


@given(st.text(max_size=60))
def test_whatever_is_let_in_has_a_fixed_version_and_a_listed_beginning(text: str) -> None:
    for image in (text, f"quay.io/jupyter{text}", f"ghcr.io/{text}", f"quay.io/jupyter/a:{text}"):
        if lets_in(image):
            name, _, version = image.partition("/a:") if "/a:" in image else (image, "", image)
            assert name.startswith(("quay.io/jupyter", "ghcr.io/"))
            assert not re.search(r"\s|\.\.", image.partition(":")[0]) and "\n" not in image
            assert re.search(r"[:@]", image.partition("/")[2]) and not version.endswith(":latest")


@pytest.mark.parametrize(
    "image",
    [
        "quay.io/jupyter/scipy-notebook",
        "quay.io/jupyter/scipy-notebook:latest",
        "quay.io/jupyter/scipy-notebook:latest\n",
        "quay.io/jupyter/scipy-notebook:1\n",
        "quay.io/jupyter/scipy-notebook:1 evil.org/x:1",
        "quay.io/jupyter/scipy-notebook:1@evil.org/x:1",
        "quay.io/jupyter/scipy-notebook@sha256:00",
        "quay.io/jupyter/../evil/x:1",
        "quay.io/jupyter//x:1",
        "quay.io/jupyter/X:1",
        "quay.io/jupyter/x:{value}",
        "quay.io/jupyterx/a:1",
        "quay.io.evil.org/jupyter/a:1",
        "quay.io:443/jupyter/a:1",
        "user@quay.io/jupyter/a:1",
        "https://quay.io/jupyter/a:1",
        "quayxio/jupyter/a:1",
        "QUAY.IO/jupyter/a:1",
        "ghcr.io:1",
        "quay.io/pangeo/base:1",
        "quay.io/pangeo/x/y-notebook:1",
        "127.0.0.1:500/x/a:1",
        "quay.io/jupyter/a:" + "1" * 129,
        "quay.io/jupyter/" + "a/" * 300 + "a:1",
        "quay.io/jupyter/x:１",
        "",
    ],
)
def test_what_only_looks_like_it_is_refused(image: str) -> None:
    assert not lets_in(image)


@pytest.mark.parametrize(
    "image",
    [
        "quay.io/jupyter/scipy-notebook:2026-08-03",
        f"quay.io/jupyter/scipy-notebook@{DIGEST}",
        f"quay.io/jupyter/scipy-notebook:latest@{DIGEST}",
        "quay.io/jupyter/scipy-notebook:latest-1",
        "ghcr.io/a/b/c:v1",
        "quay.io/pangeo/base-notebook:1",
        "127.0.0.1:5000/x/y:1",
    ],
)
def test_what_is_meant_is_let_in(image: str) -> None:
    assert lets_in(image)


@given(st.lists(st.tuples(_HOST, _PATH).map("/".join), min_size=1, max_size=5, unique=True))
def test_the_prefixes_can_be_read_back(prefixes: list[str]) -> None:
    allowed = (*prefixes, "ghcr.io", "quay.io/pangeo/*-notebook")
    expression = image_pattern(allowed)
    assert is_image_pattern(expression)
    assert sorted(prefixes_of(expression)) == sorted(set(allowed))


def test_an_expression_of_another_maker_is_none_of_ours() -> None:
    assert prefixes_of("^quay.io/.*$") == ("^quay.io/.*$",)
    assert prefixes_of(None) == ("any registry",)
    assert not is_image_pattern(image_pattern(ALLOWED).removesuffix(r"(?!\n)"))
    assert not is_image_pattern(f"x{image_pattern(ALLOWED)}") and not is_image_pattern(None)


@given(st.lists(st.tuples(_HOST, _PATH).map("/".join), min_size=1, max_size=3))
def test_the_text_on_the_page_fits_into_an_attribute_of_html(prefixes: list[str]) -> None:
    for text in (image_pattern(prefixes), described(prefixes)):
        assert not set(text) & set("\"'<>&")


def test_a_browser_can_read_the_expression() -> None:
    r"""Flag `v` (HTML standard, the attribute `pattern`) wants - and / escaped inside of a class,
    and knows no \Z, (?P…) and possessive forms.
    """
    expression = image_pattern(ALLOWED)
    for inner in re.findall(r"\[((?:\\.|[^\]])*)\]", expression):
        bare = re.sub(r"\\.|[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9]", "", inner)
        assert not set(bare) & set("()[]{}/-|^"), inner
    assert not re.search(r"\\[AZzdwsbDWSB]|\(\?P|\(\?<|[*+?}]\+", expression)


def test_several_problems_are_said_at_once() -> None:
    with pytest.raises(SectionError) as caught:
        UnlistedImage(allowed=("jupyter/x", "quay.io/x:1"))
    assert [problem.id for problem in caught.value.problems] == [
        "unlisted-image.host",
        "unlisted-image.tag",
    ]


def test_the_page_of_the_real_kubespawner_has_the_expression_unchanged() -> None:
    import html
    from pathlib import Path

    import jinja2
    import kubespawner

    folder = Path(kubespawner.__file__).parent / "templates"
    # as KubeSpawner 7.0.0 makes it (spawner.py, _render_options_form): nothing is escaped
    made = jinja2.Environment(loader=jinja2.FileSystemLoader(folder))  # noqa: S701 -- so it is
    page = made.get_template("form.html")
    option = {
        "display_name": "Image",
        "choices": {"a": {"display_name": "A"}},
        "unlisted_choice": {
            "enabled": True,
            "display_name": "Another image",
            "display_name_in_choices": "Another image …",
            "validation_regex": image_pattern(ALLOWED),
            "validation_message": described(ALLOWED),
        },
    }
    text = page.render(profile_list=[{"slug": "s", "profile_options": {"image": option}}])
    (pattern,) = re.findall(r'pattern="([^"]*)"', text)
    (title,) = re.findall(r'title="([^"]*)"', text)
    assert html.unescape(pattern) == image_pattern(ALLOWED)
    assert html.unescape(title) == described(ALLOWED)


@pytest.mark.real
def test_javascript_says_the_same_of_every_sample() -> None:
    import json
    import shutil
    import subprocess

    if shutil.which("node") is None:
        pytest.skip("no node on PATH: the expression was not read by JavaScript")
    samples = [
        *(f"quay.io/{path}{version}" for path in ("jupyter/a", "jupyterx/a", "jupyter") for version in
          ("", ":1", ":latest", f"@{DIGEST}", f":latest@{DIGEST}", ":1@x", ":1 ")),
        "quay.io.evil.org/jupyter/a:1", "quayxio/jupyter/a:1", "ghcr.io/a/b:1", "ghcr.io:1",
        "quay.io/pangeo/base-notebook:1", "quay.io/pangeo/base:1", "127.0.0.1:5000/x/y:1",
        "quay.io/jupyter/../x:1", "quay.io/jupyter//x:1", "quay.io/jupyter/X:1",
    ]  # fmt: skip
    program = (
        "const [p, all] = JSON.parse(process.argv[1]);"
        "const r = new RegExp('^(?:' + p + ')$', 'v');"  # as the attribute `pattern` is read
        "console.log(JSON.stringify(all.map(one => r.test(one))))"
    )
    done = subprocess.run(
        ["node", "-e", program, json.dumps([image_pattern(ALLOWED), samples])],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [lets_in(sample) for sample in samples]
    assert any(map(lets_in, samples)) and not all(map(lets_in, samples))

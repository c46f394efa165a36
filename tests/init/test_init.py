"""`jhub init`: what it writes, what it refuses, and how it talks."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import stat
import sys
from pathlib import Path
from unittest import mock

import pytest
from ruamel.yaml import YAML

from jupyterhub_aws.cli.commands import init as command
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.formats import FORMAT
from jupyterhub_aws.config.prices import Prices
from jupyterhub_aws.init import defaults, run
from jupyterhub_aws.init import files as init_files
from jupyterhub_aws.init.draft import drafted
from jupyterhub_aws.init.judge import split
from jupyterhub_aws.init.question import Answers
from jupyterhub_aws.init.questions import VARIANTS, questions_of
from jupyterhub_aws.version import __version__
from tests.support.in_process import Done, in_process
from tests.support.stack_files import ROOT, read_yaml
from tests.support.stacks import quiet_sdks

#: No setting of the machine that runs the tests becomes a default.
ALONE = {
    "AWS_REGION": "",
    "AWS_DEFAULT_REGION": "",
    "AWS_PROFILE": "",
    "AWS_CONFIG_FILE": "/nothing",
    "USER": "ada",
    "COLUMNS": "80",
}
_NAT = Prices().of("nat_gateway_hour") + Prices().of("public_ipv4_hour")
FILES = {"Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py", "requirements.txt", ".gitignore"}


def jhub(folder: Path, *arguments: str, typed: str | None = None, **environment: str) -> Done:
    with (
        quiet_sdks(),
        mock.patch.object(run, "is_terminal", return_value=typed is not None),
        mock.patch.object(sys, "stdin", io.StringIO(typed or "")),
    ):
        return in_process(["init", *arguments], folder, {**ALONE, **environment})


def written(folder: Path, *arguments: str, typed: str | None = None) -> Done:
    """The same without the plan at the end."""
    with mock.patch.object(run, "_shown", return_value=0):
        return jhub(folder, *arguments, typed=typed)


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return tmp_path / "lab"


def test_every_default_gives_a_project_that_plans(tmp_path: Path, lab: Path) -> None:
    done = jhub(tmp_path, "lab", "--yes")
    assert done.returncode == 0, done.stderr
    assert below(lab) == FILES
    assert read_yaml(lab / "Pulumi.yaml") == {
        "name": "lab",
        "description": "JupyterHub on AWS",
        "runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}},
    }
    config = read_yaml(lab / "Pulumi.dev.yaml")["config"]
    assert set(config) == {
        "aws:region",
        *(
            f"lab:{name}"
            for name in ("format", "name", "tags", "network", "cluster", "pools", "homes", "hubs")
        ),
    }
    assert (
        config["lab:format"] == FORMAT
        and config["lab:name"] == "lab"
        and config["lab:tags"] == {"owner": "ada", "environment": "trial"}
    )
    assert (
        "Pulumi.dev.yaml becomes lab in us-east-1" in done.stdout
        and "✓ No check failed" in done.stdout
    )
    last = done.stdout[done.stdout.index("Next:") :].splitlines()
    assert [line.split("  ")[1] for line in last[1:]] == [
        "cd lab && pulumi install",
        "pulumi login s3://BUCKET",
        "pulumi stack init dev",
        "pulumi up -s dev",
    ]
    first, *lines = done.stdout.splitlines()
    assert first.endswith(" in the folder lab"), "whole where no terminal is"
    assert max(map(len, lines)) <= 80


@pytest.mark.real
@pytest.mark.parametrize("variant", ["airgap", "existing"])
def test_the_other_variants_too(tmp_path: Path, variant: str) -> None:
    done = jhub(tmp_path, "--yes", "--variant", variant, "--stack", "prod", "--project", "our-hub")
    assert done.returncode == 0, done.stderr + done.stdout
    stacks = (
        {"Pulumi.prod.yaml", "Pulumi.prod-hub.yaml"}
        if variant == "airgap"
        else {"Pulumi.prod.yaml"}
    )
    assert below(tmp_path) == FILES - {"Pulumi.dev.yaml"} | stacks
    for name in stacks:
        assert f"{name} becomes" in done.stdout
        assert all(
            key.startswith(("aws:", "our-hub:")) for key in read_yaml(tmp_path / name)["config"]
        )
    assert done.stdout.count("✓ No check failed") == len(stacks)
    if variant == "airgap":
        assert read_yaml(tmp_path / "Pulumi.prod-hub.yaml")["config"] == {
            "our-hub:format": FORMAT,
            "our-hub:cloud_stack": "prod",
        }


@pytest.mark.real
def test_a_placeholder_is_marked_in_the_file_and_named_at_the_end(tmp_path: Path) -> None:
    done = jhub(tmp_path, "--yes", "--variant", "airgap")
    text = (tmp_path / "Pulumi.dev.yaml").read_text()
    assert 'account: "123456789012"  # FILL IN: AWS account' in text
    assert (
        "        # FILL IN: File of the authority's certificate\n        ca_certificate: |\n"
        in text
    ), "above a value of several lines"
    said = done.stdout[
        done.stdout.index("To fill in, in Pulumi.dev.yaml:") : done.stdout.index("Next:")
    ]
    assert len(re.findall(r"(?m)^  \S+: ", said)) == text.count("# FILL IN:") == 11
    given, _ = split(
        ["accounts=210987654321", "network.internal_hosts=['*.a.lab', b.lab]"],
        questions_of("airgap", "lab"),
    )
    text = drafted("airgap", Answers(questions_of("airgap", "lab"), given), "dev").text("lab")
    assert (
        "FILL IN: AWS account" not in text
        and 'account: "210987654321"\n' in text
        and "internal_hosts: ['*.a.lab', b.lab]\n" in text
    )
    assert "server: ldap.a.lab  # FILL IN: Directory server" in text, "other defaults follow"


def test_settings_answer_questions_and_set_any_option(tmp_path: Path) -> None:
    settings = (
        "region=eu-central-1",
        "users=100",
        "gpu=1",
        "network.nat=per_zone",
        "hubs.main.culling={server_idle_minutes: 30}",
        "tags.cost_center=lab-7",
    )
    done = written(
        tmp_path, "--yes", *(part for setting in settings for part in ("--set", setting))
    )
    assert done.returncode == 0, done.stderr
    config = read_yaml(tmp_path / "Pulumi.dev.yaml")["config"]
    project = read_yaml(tmp_path / "Pulumi.yaml")["name"]
    assert config["aws:region"] == "eu-central-1"
    network, pools, hub = (config[f"{project}:{name}"] for name in ("network", "pools", "hubs"))
    assert network == {
        "mode": "open",
        "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
        "nat": "per_zone",
    }, "zones follow the region"
    assert pools["users"]["size"]["max"] == 15 and pools["gpu"]["size"]["max"] == 1
    assert hub["main"]["culling"] == {"server_idle_minutes": 30} and set(
        hub["main"]["profiles"]
    ) == {"standard", "gpu"}
    assert config[f"{project}:tags"]["cost_center"] == "lab-7"


@pytest.mark.parametrize(
    ("arguments", "says", "which"),
    [
        (("--set", "region=eu-centrl-1"), "aws:region: ", "region.unknown"),
        (
            ("--set", "hubs.main.sign_in.kind=githb"),
            "jhub init: hubs.main.sign_in.kind: is none of the choices (got 'githb'); did you mean g",
            "init.choice",
        ),
        (("--set", "users=many"), "jhub init: users: ", "init.number"),
        (("--set", "network.zones=us-east-1a"), "network.zones: ", "option.entries"),
        (
            ("--set", "netwrk.nat=single"),
            "jhub init: --set netwrk: is no option of a stack file; did you mean network?",
            "option.unknown",
        ),
        (
            ("--set", "sign_in.kind=oidc"),
            "it is an option of a hub: --set hubs.main.sign_in.kind=oidc",
            "option.unknown",
        ),
        (
            (
                "--set",
                "hubs.main.sign_in.kind=ldap",
                "--set",
                "hubs.main.sign_in.ca_certificate=/nothing.pem",
            ),
            "cannot be read from /nothing.pem (No such file",
            "file.unreadable",
        ),
        (("--set", "users"), "--set users: ", "set.form"),
        (("--stack", "de v"), "--stack: is no name for Pulumi (got 'de v')", "init.name"),
        (("--project", "aws"), "--project: ", "init.provider-name"),
        (("--project", "8ball"), "--project: ", "init.name"),
    ],
)
def test_a_wrong_answer_writes_nothing(
    lab: Path, tmp_path: Path, arguments: tuple[str, ...], says: str, which: str
) -> None:
    done = jhub(tmp_path, "lab", "--yes", *arguments)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, (
        done.stderr
    )
    assert f"[{which}]" in done.stderr, done.stderr
    assert done.stdout == "" and not lab.exists()


@pytest.mark.parametrize(
    "name", ["Pulumi.yaml", "Pulumi.dev.yaml", "__main__.py", "requirements.txt"]
)
def test_nothing_that_exists_is_overwritten(lab: Path, tmp_path: Path, name: str) -> None:
    lab.mkdir()
    (lab / name).write_text("mine")
    (lab / "README.md").write_text("mine too")
    done = jhub(tmp_path, "lab", "--yes")
    assert (
        done.returncode == 2
        and done.stderr.startswith(f"jhub init: lab/{name}: exists; ")
        and "[init.file-exists]" in done.stderr
        and done.stderr.count("\n") == 1
    )
    assert below(lab) == {name, "README.md"} and (lab / name).read_text() == "mine"


@pytest.mark.real
def test_a_repository_with_other_files_is_filled_and_its_gitignore_stays(
    lab: Path, tmp_path: Path
) -> None:
    lab.mkdir()
    (lab / "README.md").write_text("mine")
    (lab / ".gitignore").write_text("*.log\n")
    done = jhub(lab, "--yes")
    assert done.returncode == 0 and below(lab) == FILES | {"README.md"}
    assert (
        lab / ".gitignore"
    ).read_text() == "*.log\n" and ".gitignore exists and stays as it is" in done.stdout
    assert "cd " not in done.stdout[done.stdout.index("Next:") :]


def test_a_link_that_leads_nowhere_is_a_file_too_and_a_file_is_no_folder(
    lab: Path, tmp_path: Path
) -> None:
    lab.mkdir()
    (lab / "__main__.py").symlink_to("nowhere")
    assert (
        "lab/__main__.py: exists" in jhub(tmp_path, "lab", "--yes").stderr and below(lab) == set()
    )
    (tmp_path / "text").write_text("")
    assert jhub(tmp_path, "text", "--yes").returncode == 2


@pytest.mark.parametrize("broken", [1, 2, 4])
def test_what_cannot_be_written_whole_is_not_there_at_all(
    lab: Path, tmp_path: Path, broken: int
) -> None:
    opened, seen = Path.open, []

    def fails(path: Path, mode: str = "r", **options: object) -> object:
        if mode == "x" and lab in path.parents:
            seen.append(path)
            if len(seen) == broken:
                raise KeyboardInterrupt if broken == 2 else OSError(28, os.strerror(28))
        return opened(path, mode, **options)

    with mock.patch.object(Path, "open", fails):
        done = jhub(tmp_path, str(lab), "--yes")
    assert done.returncode == (130 if broken == 2 else 2) and not lab.exists()
    assert broken == 2 or "(No space left on device)" in done.stderr
    assert broken == 2 or "[file.not-written]" in done.stderr


def test_without_a_terminal_it_says_so_once(lab: Path, tmp_path: Path) -> None:
    done = jhub(tmp_path, "lab")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (
        2,
        "",
        1,
    ) and not lab.exists()
    assert (
        "there is no terminal to answer in; run it in a terminal; or take the defaults with --yes"
        in done.stderr
        and "[init.no-terminal]" in done.stderr
    )


@pytest.mark.real
def test_a_dialogue(lab: Path, tmp_path: Path) -> None:
    answers = {question.path: "" for question in questions_of("open", "lab")}
    typed = [
        "Mine", "mine",  # a name that is refused, and the one that it advises
        "", "eu-west-1", "", "per_zone", "", "", "",
        "198.51.100.7", "198.51.100.7/32",
        "GitHub", "github", "Iv1.abc", "our-org", "ada",
        "load_balancer", "hub.lab.example", "198.51.100.0/24", "Z0123456789ABCDEFGHIJ",
        "", "large", "5000", "40", "0",
    ]  # fmt: skip
    done = jhub(tmp_path, "lab", typed="\n".join(typed) + "\n")
    assert done.returncode == 0, done.stderr + done.stdout
    assert "✗ name: must be lower-case letters" in done.stdout and "write mine" in done.stdout
    assert (
        "✗ hubs.main.sign_in.kind: is none of the choices (got 'GitHub'); did you mean github?"
        in " ".join(done.stdout.split())
    )
    assert "must be at most 450" in done.stdout, "a size that the models refuse is asked again"
    lines = re.sub(
        r"(answer|choice)( \[.*?\])?: ", "\n", done.stdout
    ).splitlines()  # nobody pressed the return key
    wide = [line for line in lines if len(line) > 80]
    assert all(line.startswith("wrote ") for line in wide) and "\x1b[" not in done.stdout
    prices = re.findall(r"\$([\d,.]+) a month at rest, \$([\d,.]+) at most", done.stdout)
    single, per_zone = (float(price[0].replace(",", "")) for price in prices[:2])
    assert round(per_zone - single, 2) == round(2 * float(_NAT) * 730, 2), (
        "two more NAT gateways with their addresses, at the prices of the table"
    )
    config = read_yaml(lab / "Pulumi.dev.yaml")["config"]
    assert (config["aws:region"], config["lab:name"], config["lab:network"]["nat"]) == (
        "eu-west-1",
        "mine",
        "per_zone",
    )
    hub = config["lab:hubs"]["main"]
    assert hub["sign_in"] == {
        "kind": "github",
        "client_id": "Iv1.abc",
        "allowed_organizations": ["our-org"],
        "administrators": ["ada"],
    }
    assert hub["entry"]["route53_zone"] == "Z0123456789ABCDEFGHIJ" and "tls" not in hub["entry"]
    assert "FILL IN" not in (lab / "Pulumi.dev.yaml").read_text()
    assert len(answers) > 20


def test_leaving_in_the_middle_leaves_nothing(lab: Path, tmp_path: Path) -> None:
    done = jhub(tmp_path, "lab", typed="mine\n\n")  # then the input ends, as with Ctrl+C and Ctrl+D
    assert done.returncode == 130 and not lab.exists()


@pytest.mark.real
def test_what_was_set_is_not_asked(lab: Path, tmp_path: Path) -> None:
    settings = (
        "region=eu-west-1",
        "network.nat=single",
        "purpose=trial",
        "hubs.main.entry.kind=port_forward",
        "homes.kind=efs",
        "server=small",
        "users=5",
    )
    done = written(tmp_path, "lab", *(f"--set={setting}" for setting in settings), typed="\n" * 10)
    assert done.returncode == 0, done.stderr
    asked = [
        line
        for line in done.stdout.splitlines()
        if line in {question.ask for question in questions_of("open", "lab")}
    ]
    assert asked == [
        "Name", "AWS account", "Availability zones", "Owner", "Cluster administrators", "Networks that reach the Kubernetes API", "Sign-in",
        "Hub administrators", "GPU servers at once",
    ]  # fmt: skip


def test_the_program_is_the_sample_s_and_the_requirement_names_this_library(tmp_path: Path) -> None:
    written(tmp_path, "--yes")

    def code(path: Path) -> str:
        tree = ast.parse(path.read_text())
        return ast.dump(ast.Module(body=tree.body[1:], type_ignores=[]))

    assert code(tmp_path / "__main__.py") == code(ROOT / "__main__.py")
    assert len((tmp_path / "__main__.py").read_text().splitlines()) <= 12
    assert (tmp_path / "requirements.txt").read_text().splitlines()[-1] == init_files.requirement()


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (None, f"jupyterhub-aws=={__version__}"),
        ("not json", f"jupyterhub-aws=={__version__}"),
        ({"url": "file:///x/a.whl", "archive_info": {}}, "jupyterhub-aws @ file:///x/a.whl"),
        (
            {"url": "https://git.example/a", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "jupyterhub-aws @ git+https://git.example/a@abc",
        ),
    ],
)
def test_the_library_is_asked_for_again_where_it_came_from(said: object, line: str) -> None:
    text = said if isinstance(said, str) else None if said is None else json.dumps(said)
    with mock.patch("importlib.metadata.distribution") as found:
        found.return_value.read_text.return_value = text
        assert init_files.requirement() == line


def test_defaults_are_those_of_the_aws_tools(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-north-1\n[profile lab]\nregion = ap-south-1\nsso_account_id ="
        " 210987654321\n"
    )
    for environment, region, account in (
        ({"AWS_CONFIG_FILE": str(tmp_path / "config")}, "eu-north-1", ""),
        (
            {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "lab"},
            "ap-south-1",
            "210987654321",
        ),
        ({"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_REGION": "us-west-2"}, "us-west-2", ""),
        ({"AWS_REGION": "nowhere-1"}, "us-east-1", ""),
        ({"AWS_CONFIG_FILE": str(ROOT / "LICENSE")}, "us-east-1", ""),
    ):
        with mock.patch.dict(os.environ, {**ALONE, **environment}):
            assert (defaults.region({}), defaults.account({})) == (region, account)
    with mock.patch.dict(os.environ, ALONE):
        assert (
            defaults.owner({}),
            defaults.name_of(tmp_path / "My Hub!"),
            defaults.name_of(Path("/")),
        ) == ("ada", "my-hub", "jupyterhub")
        assert defaults.zones({"region": "us-west-1"}) == "us-west-1a, us-west-1b, us-west-1c"
        assert "us-east-1e" not in defaults.zones({"region": "us-east-1"})


def test_no_color_and_colour_where_a_terminal_is(tmp_path: Path) -> None:
    colour = re.compile(r"\x1b\[[\d;]*3[0-7]m")
    typed = "Mine\nmine\n"  # then the input ends
    with mock.patch("rich.console.Console.is_terminal", True):
        assert colour.search(
            jhub(tmp_path, "a", typed=typed, TERM="xterm-256color", NO_COLOR="").stdout
        )
        assert not colour.search(
            jhub(tmp_path, "b", typed=typed, TERM="xterm-256color", NO_COLOR="1").stdout
        ), "bold at most"
    assert "\x1b[" not in jhub(tmp_path, "c", typed=typed).stdout


class TestWorkflows:
    @pytest.mark.parametrize(
        ("variant", "stacks"), [("open", ["lab.1"]), ("airgap", ["lab.1", "lab.1-hub"])]
    )
    def test_they_are_the_examples_with_the_projects_own_stacks(
        self, tmp_path: Path, variant: str, stacks: list[str]
    ) -> None:
        done = written(
            tmp_path,
            "--yes",
            "--workflows",
            "--stack",
            "lab.1",
            "--variant",
            variant,
            "--set",
            "accounts=210987654321",
        )
        assert done.returncode == 0, done.stderr
        examples = ROOT / "examples" / "github"
        pairs = [
            (path, tmp_path / ".github" / path.relative_to(examples))
            for path in examples.rglob("*")
            if path.is_file()
        ]
        assert {ours.name for ours, theirs in pairs if ours.read_text() != theirs.read_text()} == {
            "up.yml",
            "preview.yml",
            "stacks.json",
        }
        up, preview = (
            YAML(typ="safe").load((tmp_path / ".github" / "workflows" / f"{name}.yml").read_text())
            for name in ("up", "preview")
        )
        assert [job["with"]["stack"] for job in up["jobs"].values()] == stacks
        names = list(up["jobs"])
        assert [job.get("needs") for job in up["jobs"].values()] == [None, *names][: len(names)], (
            "each after the one before"
        )
        example = YAML(typ="safe").load((examples / "workflows" / "up.yml").read_text())
        assert (
            len(
                {
                    json.dumps({**job, "with": 0, "needs": 0}, sort_keys=True)
                    for job in [*up["jobs"].values(), *example["jobs"].values()]
                }
            )
            == 1
        )
        choice = preview["on"]["workflow_dispatch"]["inputs"]["stack"]
        assert choice["options"] == stacks and choice["default"] == stacks[0]
        rows = json.loads((tmp_path / ".github" / "stacks.json").read_text())
        assert [
            row["stack"] for row in rows
        ] == stacks and "arn:aws:iam::210987654321:role/" in rows[0]["up_role"]
        for script in (tmp_path / ".github").glob("*.sh"):
            assert script.stat().st_mode & stat.S_IXUSR

    @pytest.mark.real
    def test_the_policy_pack_is_the_repositorys(self, tmp_path: Path) -> None:
        done = jhub(tmp_path, "--yes", "--workflows")
        assert ".github/ (9 files), policy/ (2 files)" in " ".join(done.stdout.split())
        for name in ("PulumiPolicy.yaml", "__main__.py"):
            ours = (ROOT / "policy" / name).read_text().splitlines()
            theirs = (tmp_path / "policy" / name).read_text().splitlines()
            assert [line for line in theirs if line] == [
                line for line in ours if line and "sys" not in line
            ]


def test_the_options_of_the_command_are_those_of_the_questions() -> None:
    assert tuple(VARIANTS) == command._VARIANTS
    for variant in VARIANTS:
        paths = [question.path for question in questions_of(variant, "x")]
        assert len(paths) == len(set(paths))
    with pytest.raises(ConfigError):
        init_files.refuse_names("ok", "")

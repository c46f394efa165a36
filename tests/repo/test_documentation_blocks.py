"""Every block of YAML in the pages is one that the models take, and every command in them is one that
exists, with options that exist.

A block or a command that cannot be judged here is listed, with the reason.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
from botocore import xform_name

from jupyterhub_aws.cli.group import jhub
from jupyterhub_aws.components.hub.values.hub import hub_values
from jupyterhub_aws.components.hub.values.problems import UNKNOWN
from jupyterhub_aws.config.chart import effective, refusals
from jupyterhub_aws.config.errors import ConfigError
from jupyterhub_aws.config.specs import resolve
from tests.support.page_blocks import (
    SHELL,
    Block,
    Command,
    blocks,
    commands,
    configuration,
    kind_of,
    pages,
    parsed,
)
from tests.support.stack_cases import validated_values
from tests.support.stack_files import ROOT, engine_values

BLOCKS = blocks()
#: Those of tutorials are written into files and planned by tests/repo/test_tutorials.py.
YAML_BLOCKS = [
    block
    for block in BLOCKS
    if block.language in ("yaml", "yml") and not block.page.startswith("docs/tutorials/")
]
#: Stack files that a piece may belong to, in this order.
BASES = (
    "Pulumi.dev.yaml", "examples/first-try/Pulumi.first-try.yaml", "Pulumi.airgap.yaml", "examples/kubeadm/Pulumi.kubeadm.yaml",
    "examples/dask-gateway/Pulumi.lab.yaml", "examples/own-resources/Pulumi.lab.yaml",
)  # fmt: skip
#: Page and first words of a block of YAML that is judged elsewhere, or by nothing here; and why.
NOT_JUDGED: dict[tuple[str, str], str] = {
    ("docs/talking-to-users.md", "hubs:\n  main:\n    pages:\n      title"): "names a logo that the reader has",
    ("docs/talking-to-users.md", "    pages:\n      folder"): "names a folder that the reader has",
    ("docs/talking-to-users.md", "    maintenance_page:\n      paused_text"): "needs entry.route53_zone: tests/config/cases",
}  # fmt: skip
#: Blocks in other languages: what runs or reads them.
OTHERS = {
    ("CONTRIBUTING.md", "python"): "pieces of an option that does not exist: what a contributor would write",
    ("CONTRIBUTING.md", "toml"): "the same",
    ("README.md", "python"): "compiled below",
    ("docs/aws-access.md", "json"): "read below",
    ("docs/costs.md", "toml"): "read by tests/repo/test_costs_page.py",
    ("docs/images.md", "dockerfile"): "an image that is built by the reader",
    ("docs/talking-to-users.md", "html"): "a template of a hub's page: tests/config/test_pages.py",
    ("docs/other-languages.md", "typescript"): "the example of examples/typescript: tests/provider",
}  # fmt: skip
#: Programs that others make, and the subcommands that the pages have. None of them says what it takes without being run; `pulumi` is asked where it is.
THEIRS: dict[str, set[str]] = {
    "kubectl": {"get", "describe", "label", "logs", "port-forward", "delete", "apply", "edit", "debug", "exec", "create", "rollout", "config", "top", "wait", "taint", "scale", "cordon", "uncordon", "patch", "annotate", "events", "run", "auth"},
    "helm": {"get", "list", "history", "rollback", "uninstall", "upgrade", "pull", "registry", "template", "status"},
    "git": {"clone", "init", "add", "commit", "bundle", "checkout", "pull", "push", "diff", "show", "config", "fetch", "switch"},
    "pip": {"install"}, "pipx": {"install"}, "uv": {"tool", "pip", "venv"}, "npm": {"install"},
    "skopeo": {"login", "copy", "inspect"},
    "docker": {"build", "push", "pull", "run", "login", "tag"},
    "gh": {"api", "run", "pr", "secret", "variable"},
}  # fmt: skip
#: Programs of any system.
SYSTEM = {"cd", "mkdir", "cp", "mv", "rm", "cat", "echo", "tar", "sed", "basename", "python3", "python3.11", "python", "sha256sum", "jq", "sort", "uniq", "head", "tail", "grep", "source", "ls", "openssl", "curl", "command", "set", "printf", "test", "diff", "less", "dig", "base64", "chmod", "getent", "tee", "xargs", "watch", "sleep", "brew", "mktemp", "touch", "awk", "wc", "date", "psql", "pg_dump", "pg_restore", "ssh", "scp", "nvidia-smi", "top", "ps", "df", "du", "find", "id", "umask", ".", "$EDITOR"}  # fmt: skip
#: Subcommands and options of the Pulumi CLI in the pages (`pulumi help`, 3.272).
PULUMI: dict[str, set[str]] = {
    "up": {"-s", "--stack", "--yes", "-y", "--target", "--target-dependents", "--replace", "--refresh", "--skip-preview", "--diff", "--parallel", "--policy-pack", "--import-file", "--plan", "--exclude", "--run-program", "--show-replacement-steps"},
    "preview": {"-s", "--stack", "--json", "--diff", "--expect-no-changes", "--refresh", "--import-file", "--save-plan", "--policy-pack", "--target"},
    "destroy": {"-s", "--stack", "--yes", "-y", "--exclude-protected", "--target", "--target-dependents", "--remove", "--exclude", "--run-program"},
    "refresh": {"-s", "--stack", "--yes", "-y", "--clear-pending-creates", "--target", "--preview-only", "--skip-pending-creates", "--import-pending-creates", "--run-program"},
    "cancel": {"-s", "--stack", "--yes", "-y"},
    "install": set(), "about": set(), "whoami": set(), "version": set(), "logout": set(),
    "login": {"--local"},
    "import": {"-s", "--stack", "--file", "-f", "--yes", "--protect"},
    "config set": {"--secret", "-s", "--stack", "--path", "--plaintext"}, "config get": {"-s", "--stack", "--path"}, "config rm": {"-s", "--stack", "--path"},
    "config": {"-s", "--stack", "--show-secrets"}, "config refresh": {"-s", "--stack", "--force"},
    "stack init": {"-s", "--stack", "--secrets-provider", "--copy-config-from"}, "stack select": {"-s", "--stack", "--create", "-c"},
    "stack output": {"-s", "--stack", "--show-secrets", "--json", "-j"}, "stack export": {"-s", "--stack", "--file", "--show-secrets", "--version"},
    "stack import": {"-s", "--stack", "--file", "--force"}, "stack rm": {"-s", "--stack", "--yes", "-y", "--force", "--preserve-config"},
    "stack ls": {"--all", "-a", "--json"}, "stack": {"-s", "--stack", "--show-urns", "-u", "--show-ids", "-i"},
    "stack history": {"-s", "--stack", "--json"}, "stack change-secrets-provider": {"-s", "--stack"}, "stack rename": {"-s", "--stack"},
    "stack unselect": set(),
    "state unprotect": {"-s", "--stack", "--yes", "-y", "--all"}, "state protect": {"-s", "--stack", "--yes", "-y", "--all"},
    "state delete": {"-s", "--stack", "--yes", "-y", "--force", "--target-dependents", "--all"}, "state repair": {"-s", "--stack", "--yes"},
    "state edit": {"-s", "--stack"}, "state rename": {"-s", "--stack", "--yes", "-y"},
    "plugin install": {"--file", "-f", "--server", "--exact", "--reinstall"}, "plugin ls": {"--json"}, "package add": set(), "package get-schema": set(), "package gen-sdk": {"--language"},
    "policy enable": set(), "new": {"--force", "-y"},
}  # fmt: skip
#: Commands of the AWS CLI that are no operation of an API.
AWS_OWN = {
    ("logs", "tail"): {"--since", "--follow", "--filter-pattern", "--format"},
    ("s3", "sync"): {"--exclude", "--include", "--delete", "--dryrun"}, ("s3", "cp"): {"--recursive"}, ("s3", "ls"): {"--recursive", "--human-readable"},
    ("s3", "mb"): set(), ("s3", "rm"): {"--recursive"}, ("ecr", "get-login-password"): set(), ("sso", "login"): set(),
    ("eks", "update-kubeconfig"): {"--name", "--alias", "--kubeconfig"}, ("configure", "sso"): set(), ("configure", "list"): set(),
}  # fmt: skip
AWS_EVERYWHERE = {"--region", "--profile", "--output", "--query", "--no-cli-pager", "--debug"}


def named(block: Block) -> str:
    return str(block)


# --- YAML ---


def test_there_are_blocks_of_each_kind() -> None:
    kinds = {kind_of(document) for block in YAML_BLOCKS for document in parsed(block.text)}
    assert {"sections", "hub", "stack file", "pools"} <= kinds
    assert len(YAML_BLOCKS) >= 30 and len(pages()) > 40


def judged(document: Any, kind: str) -> None:
    """Raises ConfigError, or AssertionError, where none of the project's stacks takes a piece."""
    if kind == "object":
        group, _, version = document["apiVersion"].rpartition("/")
        module = f"pulumi_kubernetes.{(group.partition('.')[0] or 'core')}.{version}"
        assert hasattr(importlib.import_module(module), document["kind"]), document["kind"]
        assert document["metadata"]["name"]
        return
    if kind == "chart":
        assert list(refusals(effective(document))) == []
        return
    if kind in ("workflow", "project"):
        return  # the first below, in the real tier; the second by its keys
    assert kind in ("stack file", "sections", "hub", "pools"), f"unknown: {list(document)}"
    refused: list[ConfigError] = []
    for base in BASES:
        try:
            stack = validated_values(*engine_values(configuration(document, kind, base)))
        except ConfigError as error:
            refused.append(error)
            continue
        for name, hub in resolve(stack).hubs.items():
            values = hub_values(hub, UNKNOWN, resolve(stack).images)
            assert list(refusals(values)) == [], name
        return
    raise refused[0]


@pytest.mark.parametrize("block", YAML_BLOCKS, ids=named)
def test_a_block_of_yaml_is_one_that_a_stack_takes(block: Block) -> None:
    if any(block.page == page and block.text.startswith(text) for page, text in NOT_JUDGED):
        return
    documents = parsed(block.text)
    assert documents
    for document in documents:
        judged(document, kind_of(document))


def test_what_is_not_judged_is_in_a_page() -> None:
    for page, text in NOT_JUDGED:
        assert any(block.page == page and block.text.startswith(text) for block in YAML_BLOCKS)
    languages = {(block.page, block.language) for block in BLOCKS}
    assert set(OTHERS) <= languages


@pytest.mark.parametrize(
    "text",
    [
        "hubs: { main: { imag: x } }",
        "pools: { memory: { generation: -1 } }",
        "sign_in: { kind: google, client_id: x, allowed_domain: example.org }",
        "config: { format: 17 }",
        "helm_values: { singleuser: { networkPolicies: {} } }",
        "something: else",
        "{ hub: { db: { typ: x } }, proxy: { secretToken: 1 } }",
        "config: { course:pools: { memory: { generation: -1 } } }",
    ],
)
def test_a_wrong_piece_would_be_found(text: str) -> None:
    (document,) = parsed(text)
    with pytest.raises((ConfigError, AssertionError)):
        judged(document, kind_of(document))


@pytest.mark.real
def test_workflows_in_the_pages_have_no_fault_of_security(tmp_path: Path) -> None:
    found = [
        block
        for block in YAML_BLOCKS
        if any(kind_of(document) == "workflow" for document in parsed(block.text))
    ]
    for number, block in enumerate(found):
        (tmp_path / f"{number}.yml").write_text(block.text, encoding="utf-8")
    if not found:
        return
    zizmor = Path(sys.prefix) / "bin" / "zizmor"
    done = subprocess.run(
        [zizmor, "--offline", "--no-progress", *sorted(tmp_path.glob("*.yml"))],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


# --- other languages ---


def test_each_other_language_says_what_reads_it() -> None:
    judged_here = {"yaml", "yml", "python", "json", "toml", "text", *SHELL}
    left = {
        (block.page, block.language)
        for block in BLOCKS
        if block.language not in judged_here and (block.page, block.language) not in OTHERS
    }
    assert left == set()


@pytest.mark.parametrize(
    "block",
    [
        block
        for block in BLOCKS
        if block.language in ("python", "json", "toml") and block.page != "CONTRIBUTING.md"
    ],
    ids=named,
)
def test_a_block_of_python_json_or_toml_is_that(block: Block) -> None:
    if block.language == "json":
        json.loads(block.text)
        return
    if block.language == "toml":
        tomllib.loads(block.text)
        return
    tree = compile(
        block.text.replace("…", "..."), str(block), "exec", flags=0x400
    )  # ast.PyCF_ONLY_AST
    for name in re.findall(r"(?m)^\s*from (jupyterhub_aws[\w.]*) import", block.text):
        importlib.import_module(name)
    for module, names in re.findall(
        r"(?ms)^from (jupyterhub_aws[\w.]*) import \(?([\w,\s]+?)\)?$", block.text
    ):
        found = importlib.import_module(module)
        assert [name for name in re.findall(r"\w+", names) if not hasattr(found, name)] == []
    assert tree


# --- commands ---


def all_commands() -> Iterator[Command]:
    for block in BLOCKS:
        if block.language in SHELL and (block.language or _begins_as_a_command(block)):
            yield from commands(block)


def _begins_as_a_command(block: Block) -> bool:
    first = block.text.lstrip().partition("\n")[0].removeprefix("$ ")
    word = first.split()[0] if first.split() else ""
    program = word.rpartition("/")[2]
    known = {"jhub", "make", "pulumi", "aws", *THEIRS, *SYSTEM}
    return program in known or "=$(" in word or word in ("sudo", "export")


COMMANDS = list(all_commands())


def fault_of_jhub(words: tuple[str, ...]) -> str:
    """Why `jhub` would not know what to do with these words; empty where it would."""
    arguments = list(words)
    command: click.Command = jhub
    context = click.Context(jhub, info_name="jhub")
    while isinstance(command, click.Group):
        if not arguments or arguments[0].startswith("-"):
            known = {name for option in command.get_params(context) for name in option.opts}
            return "" if set(arguments[:1]) <= known | {"-h", "--help"} else f"no {arguments[0]}"
        if "show" in command.commands and arguments[0] not in command.commands:
            arguments.insert(0, "show")  # `jhub versions dev`
        try:
            _, below, arguments = command.resolve_command(context, arguments)
        except click.UsageError as error:
            return error.format_message()
        assert below is not None
        command, context = below, click.Context(below, info_name=below.name, parent=context)
    return _fault_of_arguments(command, arguments, context)


def _fault_of_arguments(
    command: click.Command, arguments: list[str], context: click.Context
) -> str:
    try:
        command.make_context(str(command.name), arguments, parent=context.parent)
    except click.exceptions.Exit:
        return ""
    except click.MissingParameter as error:
        return error.format_message()
    except click.BadParameter as error:
        # A file of the reader's, or a word in capitals that stands for a value.
        words_for = isinstance(error.param, click.Parameter) and isinstance(
            error.param.type, (click.Path, click.File)
        )
        return "" if words_for or re.search(r"'[A-Z_-]+'", error.format_message()) else error.format_message()  # fmt: skip
    except click.UsageError as error:
        return error.format_message()
    return ""


def fault(command: Command) -> str:
    """Why a command is none that exists; empty where it is one."""
    program, words = command.program, command.words[1:]
    if program == "jhub":
        return fault_of_jhub(words)
    if program == "make":
        targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"))
        wanted = [word for word in words if "=" not in word and not word.startswith("-")]
        return "" if set(wanted) <= set(targets) else f"no target {wanted}"
    if program == "pulumi":
        return fault_of_pulumi(words)
    if program == "aws":
        return fault_of_aws(words)
    if program in THEIRS:
        plain = [word for word in words if not word.startswith("-")]
        sub = next((word for word in plain[:2] if word in THEIRS[program]), " ".join(plain[:1]))
        return "" if sub in THEIRS[program] else f"{program} {sub} is not listed"
    known = program in SYSTEM or program == "pulumi-resource-jupyterhub-aws"
    return "" if known or (ROOT / command.words[0]).is_file() else f"{program} is not listed"


def fault_of_pulumi(words: tuple[str, ...]) -> str:
    names = [word for word in words if re.fullmatch(r"[a-z-]+", word) and word[0] != "-"]
    sub = next((" ".join(names[:n]) for n in (2, 1) if " ".join(names[:n]) in PULUMI), None)
    if sub is None:
        return f"{' '.join(words)} is not listed"
    options = {word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1}
    left = options - PULUMI[sub] - {"-h", "--help", "-C", "--cwd"}
    return f"{sub} has no {sorted(left)}" if left else ""


def fault_of_aws(words: tuple[str, ...]) -> str:
    service, operation = words[0], words[1]
    options = {word.partition("=")[0] for word in words[2:] if word.startswith("--")}
    if (service, operation) in AWS_OWN:
        left = options - AWS_OWN[service, operation] - AWS_EVERYWHERE
        return f"no {sorted(left)}" if left else ""
    name = {"s3api": "s3"}.get(service, service)
    try:
        model = botocore.session.get_session().get_service_model(name)
    except Exception:
        return f"no service {service}"
    operations = {xform_name(it, "-"): it for it in model.operation_names}
    if operation not in operations:
        return f"no {service} {operation}"
    shape = model.operation_model(operations[operation]).input_shape
    members = {f"--{xform_name(it, '-')}" for it in (shape.members if shape else ())}
    flags = {f"--no-{it[2:]}" for it in members}
    left = options - members - flags - AWS_EVERYWHERE - {"--max-items"}
    return f"{service} {operation} has no {sorted(left)}" if left else ""


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_in_a_page_exists(command: Command) -> None:
    assert fault(command) == "", command


def test_many_commands_were_found() -> None:
    count = {program: 0 for program in ("jhub", "make", "pulumi", "aws", "kubectl")}
    for command in COMMANDS:
        count[command.program] = count.get(command.program, 0) + 1
    assert count["jhub"] > 40 and count["pulumi"] > 30 and count["make"] > 5 and count["aws"] > 3


@pytest.mark.parametrize(
    "line",
    [
        "jhub plann dev", "jhub plan", "jhub plan dev --htm x", "jhub adopt scam", "jhub logs dev", "make plans", "pulumi uup", "pulumi up --stak dev",
        "aws s4 ls", "aws ec2 describe-vpcz", "aws ec2 describe-vpcs --vpcs x", "kubectl gett pods", "unknown-program",
        "cd x && jhub pla dev", 'echo "$(jhub pla dev)"',
    ],
)  # fmt: skip
def test_a_wrong_command_would_be_found(line: str) -> None:
    found = list(commands(Block("page.md", 1, "", line)))
    assert found and any(fault(command) for command in found)


def test_commands_in_the_text_exist() -> None:
    """`jhub …` in the middle of a sentence, where it is a whole command."""
    wrong: list[str] = []
    count = 0
    for path in pages():
        text = re.sub(r"(?ms)^ *```.*?^ *```", "", path.read_text(encoding="utf-8"))
        for line in re.findall(r"`(jhub [a-z][^`]*)`", text):
            plain = re.sub(r"[\[\]…]|\.\.\.", " ", line.partition(" #")[0])
            if "|" in line:
                continue
            for command in commands(Block(path.name, 1, "", plain)):
                count += 1
                said = fault(command)
                # A sentence names a command without its arguments.
                if said and not re.search(r"^Missing |requires an argument", said):
                    wrong.append(f"{path.name}: {line}: {said}")
    assert wrong == [] and count > 100

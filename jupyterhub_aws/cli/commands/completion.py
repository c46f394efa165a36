"""`jhub completion SHELL`: the script that lets a shell complete `jhub`."""

from __future__ import annotations

import click

from jupyterhub_aws.cli.about import command
from jupyterhub_aws.cli.output import to_standard_output

#: The variable by which the script asks `jhub` (click's name for it).
VARIABLE = "_JHUB_COMPLETE"
#: click asks zsh whether the file is being loaded, which is so at the first Tab key only: the second
#: one would complete nothing. Whether the file's own function runs is so at each.
_FIRST_TIME_ONLY = "$zsh_eval_context[-1] == loadautofunc"
_EACH_TIME = "$funcstack[1] == _jhub"


@command(
    "completion",
    examples=(
        ('eval "$(jhub completion bash)"', "bash: in ~/.bashrc"),
        ("jhub completion zsh > ~/.zfunc/_jhub", "zsh: in a folder of $fpath, before compinit"),
        ("jhub completion fish > ~/.config/fish/completions/jhub.fish", "fish"),
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> int:
    """Print the script that lets SHELL complete commands, options, stacks, hubs, profiles, pools,
    users and ids.

    Names come from the stack files of the current folder and its project; nothing is asked of the
    network. Open a new shell afterwards.
    """
    from click.shell_completion import get_completion_class

    from jupyterhub_aws.cli.group import jhub

    made = get_completion_class(shell)
    if made is None:  # the choice above has only those that click knows
        raise click.UsageError(f"no completion for {shell}")
    script = made(jhub, {}, "jhub", VARIABLE).source()
    to_standard_output(script.replace(_FIRST_TIME_ONLY, _EACH_TIME))
    return 0

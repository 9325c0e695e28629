"""``docs/reference/cli.md``, made from the commands' own help."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperOption
from typer.main import get_command

from infra.cli import ELSEWHERE, Command, app, load

HEAD = """\
# Commands

`playhead COMMAND --help` says the same. Every command uses the stack that `PLAYHEAD_STACK` names.
"""


def page() -> str:
    return HEAD + "".join(_section(name, command) for name, command in _commands())


def _commands() -> Iterator[tuple[str, Command]]:
    """Every command with its full name, groups before their members."""
    playhead: Command = get_command(app)
    for name, command in playhead.commands.items():
        yield from _with_members(f"playhead {name}", load(name) if name in ELSEWHERE else command)


def _with_members(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    yield name, command
    for member, each in getattr(command, "commands", {}).items():
        yield from _with_members(f"{name} {member}", each)


def _section(name: str, command: Command) -> str:
    options = [each for each in command.params if isinstance(each, TyperOption) and not each.hidden]
    arguments = [each for each in command.params if isinstance(each, TyperArgument)]
    members = ["COMMAND [ARGS]..."] if hasattr(command, "commands") else []
    usage = " ".join([name, *(["[OPTIONS]"] if options else []), *map(_placeholder, arguments), *members])
    rows = "".join([*map(_argument, arguments), *map(_option, options)])
    table = f"\n| | meaning | default |\n|---|---|---|\n{rows}" if rows else ""
    return f"\n## {name}\n\n{_text(command.help)}\n\n```text\n{usage}\n```\n{table}"


def _argument(argument: TyperArgument) -> str:
    return _row(f"`{_placeholder(argument)}`", argument)


def _option(option: TyperOption) -> str:
    name = ", ".join(f"`{each}`" for each in (*option.opts, *option.secondary_opts))
    return _row(name if option.is_flag else f"{name} `{option.metavar or option.bare_type().upper()}`", option)


def _row(name: str, parameter: Any) -> str:
    return f"| {name} | {_text(parameter.help).replace('|', chr(92) + '|')} | {_default(parameter)} |\n"


def _placeholder(argument: TyperArgument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    return (name if argument.required else f"[{name}]") + ("..." if argument.nargs == -1 else "")


def _default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if parameter.required:
        return "required"
    default = parameter.default
    return "" if default in (None, "") or isinstance(default, bool) or callable(default) else f"`{default}`"


def _text(help_text: str | None) -> str:
    """Each paragraph in one line."""
    paragraphs = inspect.cleandoc(help_text or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)

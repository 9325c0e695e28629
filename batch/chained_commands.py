"""Several commands in one command line, each with its options, run in order by one process."""

from typing import Any

from typer.core import TyperGroup


class ChainedCommands(TyperGroup):
    """``first --option second --option``: a command ends where its options end.

    All commands are parsed before any runs. With the group's option ``--check`` none runs.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leaves the commands in ``ctx.args``; the group's own method moves the first one to a private attribute."""
        return super(TyperGroup, self).parse_args(ctx, args)

    def invoke(self, ctx: Any) -> None:
        words, contexts = ctx.args, []
        ctx.args = []
        if not words:
            ctx.fail(f"Missing command: {', '.join(self.list_commands(ctx))}.")
        with ctx:
            while words:
                name, command, words = self.resolve_command(ctx, words)
                assert command is not None  # resolve_command raises a usage error for an unknown name
                one = command.make_context(
                    name, words, parent=ctx, allow_extra_args=True, allow_interspersed_args=False
                )
                words, one.args = one.args, []
                contexts.append(one)
            if ctx.params.get("check"):
                return
            for one in contexts:
                with one:
                    one.command.invoke(one)

"""Several commands in one command line, each with its options, run in order by one process."""

from typing import Any

from typer.core import TyperGroup


class Chain(TyperGroup):
    """``first --option second --option``: a command ends where its options do. All are parsed before any runs; with
    ``--check`` of the group itself none does."""

    def invoke(self, ctx: Any) -> None:
        words, contexts = [*ctx._protected_args, *ctx.args], []
        ctx._protected_args, ctx.args = [], []
        with ctx:
            while words:
                name, command, words = self.resolve_command(ctx, words)
                assert command is not None  # an unknown name has ended all of it
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

"""A command without subcommands."""

from __future__ import annotations

import click


class Command(click.Command):
    """A command that is named in all of its usage errors."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            click.UsageError: The arguments are invalid.

        """
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            # click omits the command if an option lacks a value.
            error.ctx = error.ctx or ctx
            raise

"""A command without commands."""

from __future__ import annotations

import click


class Command(click.Command):
    """A command that all its usage errors name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            click.UsageError: They are not those of the command.

        """
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            # click leaves it out where an option lacks a value.
            error.ctx = error.ctx or ctx
            raise

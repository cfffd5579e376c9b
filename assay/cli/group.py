"""Commands with subcommands."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from assay.cli.command import Command
from assay.cli.suggestions import nearest


class Group(click.Group):
    """A group that suggests the nearest of its commands, and documents exit codes."""

    command_class = Command

    def __init__(self, *args: Any, exit_codes: Mapping[int, str] | None = None, **settings: Any) -> None:  # noqa: ANN401 - as click has it
        """Create the group.

        Args:
            *args: Arguments of `click.Group`.
            exit_codes: Meaning of each exit code, for the help.
            **settings: Arguments of `click.Group`.

        """
        super().__init__(*args, **{"no_args_is_help": False} | settings)
        self._exit_codes = exit_codes or {}

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of the commands in the order of their declaration."""
        return [*self.commands]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; at least one is required.

        Raises:
            click.UsageError: No command was given.

        """
        if not (args or self.invoke_without_command or ctx.resilient_parsing):
            msg = "COMMAND is missing"
            raise click.UsageError(msg, ctx)
        return super().parse_args(ctx, args)

    def format_epilog(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the meanings of the exit codes."""
        if self._exit_codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(f"{code:d}", meaning) for code, meaning in self._exit_codes.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command named by the first argument.

        Raises:
            click.UsageError: The command is unknown.

        """
        name, *rest = args
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            names = self.list_commands(ctx)
            hint = nearest(name, names) or f"Commands: {', '.join(names)}"
            msg = f"unknown command {name!r}. {hint}"
            raise click.UsageError(msg, ctx)
        return name if command else None, command, rest


class LazyGroup(Group):
    """A group that imports a command on use; help, suggestions and completions import none."""

    def __init__(self, *args: Any, package: str, summaries: Mapping[str, str], **settings: Any) -> None:  # noqa: ANN401 - as click has it
        """Create the group.

        Args:
            *args: Arguments of `click.Group`.
            package: Package with a module for each command, which defines the command under the same name.
            summaries: Summary of each command, by its name.
            **settings: Arguments of `click.Group`.

        """
        super().__init__(*args, **settings)
        self._package = package
        self._summaries = summaries

    def list_commands(self, _: click.Context) -> list[str]:
        """Return the names of the commands in the order of their declaration."""
        return [*self._summaries]

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._summaries:
            return None
        command: click.Command = getattr(import_module(f"{self._package}.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of the commands."""
        with formatter.section("Commands"):
            formatter.write_dl([*self._summaries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin with an incomplete word."""
        items = (CompletionItem(name, help=summary) for name, summary in self._summaries.items())
        commands = [item for item in items if str(item.value).startswith(incomplete)]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

"""Running of commands, in which every error becomes one message and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from assay.cli.suggestions import nearest
from assay.errors import ErrorKind, ExitCode, UserError, label

# Maximum width of help. The documentation sets COLUMNS for wider lines.
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def execute(command: click.Command, name: str, arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code.

    Args:
        command: Command whose callback returns an exit code.
        name: Name of the program, for its messages.
        arguments: Words of the command line (default: those of this process).

    """
    try:
        _check_surroundings()
        _escape_what_cannot_be_encoded()
        try:
            return _invoke(command, name, sys.argv[1:] if arguments is None else arguments)
        finally:
            # Flushed now: at exit, a closed pipe would be an error.
            sys.stdout.flush()
    except (click.UsageError, UserError) as error:
        return _complain(*_explain(error, name))
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe.
        _discard_output()
        return ExitCode.CONFORMANT
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        # Such as a missing folder, a name that is too long or a full device: the system's message says which.
        _discard_output()
        where = "" if error.filename is None else f": {error.filename!r}"
        return _complain(name, label(ErrorKind.SYSTEM_ERROR, f"{error.strerror or error}{where}"))
    except Exception as error:  # noqa: BLE001 - Python's exit code, 1, would be a verdict
        sys.excepthook(type(error), error, error.__traceback__)
        return ExitCode.BROKEN


def _invoke(command: click.Command, name: str, arguments: Sequence[str]) -> int:
    # `command.main` exits with 1 if the reader has closed the pipe, which would be a verdict here.
    try:
        with command.make_context(name, [*arguments], **SETTINGS) as context:
            return int(command.invoke(context))
    except click.exceptions.Exit as exit_:
        return exit_.exit_code


def _explain(error: click.UsageError | UserError, name: str) -> tuple[str, str]:
    """Return the command that an error is about, and the message for its user."""
    if isinstance(error, UserError):
        return name, error.describe()
    path = error.ctx.command_path if error.ctx else name
    return path, label(ErrorKind.INVALID_ARGUMENT, f"{describe(error)} (see `{path} --help`)")


def describe(error: click.UsageError) -> str:
    """Describe what is wrong with a command line, with the nearest option."""
    match error:
        case click.MissingParameter(param=click.Parameter() as parameter):
            return f"{_name_of(parameter)} is missing"
        case click.BadParameter(param=click.Parameter() as parameter):
            return f"{_name_of(parameter)}: {error.message.removesuffix('.')}"
        case click.NoSuchOption(ctx=click.Context() as context):
            options = (option for parameter in context.command.get_params(context) for option in _visible(parameter))
            near = nearest(error.option_name, options)
            return f"unknown option {error.option_name}{f'. {near}' if near else ''}"
    message = error.format_message().removesuffix(".")
    # click's messages begin with a capital letter; names such as COMMAND consist of capitals.
    return message[:1].lower() + message[1:] if message[1:2].islower() else message


def _visible(parameter: click.Parameter) -> Sequence[str]:
    return parameter.opts if isinstance(parameter, click.Option) and not parameter.hidden else ()


def _name_of(parameter: click.Parameter) -> str:
    """Return the longest name of an option, or the name of an argument in the help."""
    return max(parameter.opts, key=len) if isinstance(parameter, click.Option) else parameter.human_readable_name


def _check_surroundings() -> None:
    if sys.stdout is None:
        msg = "standard output is closed"
        raise UserError(ErrorKind.UNWRITABLE_FILE, msg, "Redirect it, for example to /dev/null")
    try:
        Path.cwd()
    except OSError:
        msg = "the current folder does not exist any more"
        raise UserError(ErrorKind.MISSING_FILE, msg, "Change to one that does") from None


def _escape_what_cannot_be_encoded() -> None:
    """Write characters that the terminal's encoding lacks as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _complain(program: str, message: str) -> int:
    # Standard error may be closed.
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"{program}: {message}\n")
        sys.stderr.flush()
    return ExitCode.USAGE


def _discard_output() -> None:
    """Discard Python's buffered standard output."""
    with suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

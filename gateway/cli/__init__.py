"""The `gateway` command. Each command lives in its own module, imported only when it is called."""

import codecs
import errno
import gc
import io
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from gateway.cli.errors import OutputLostError
from gateway.kernel.errors import GatewayError
from gateway.kernel.text import DEFAULT_LANGUAGE, Language

#: Command name -> module and attribute (a function, or a Typer application for a group of commands).
COMMANDS = {
    "demo": ("gateway.cli.demo", "demo_command"),
    "serve": ("gateway.cli.service", "serve_command"),
    "worker": ("gateway.cli.service", "worker_command"),
    "clock": ("gateway.cli.service", "clock_command"),
    "health": ("gateway.cli.service", "health_command"),
    "settings": ("gateway.cli.service", "settings_command"),
    "validate": ("gateway.cli.validate", "validate_command"),
    "explain": ("gateway.cli.explain", "explain_command"),
    "schemas": ("gateway.cli.schemas", "schemas_app"),
    "ingest": ("gateway.cli.ingest", "ingest_command"),
    "timeline": ("gateway.cli.timeline", "timeline_command"),
    "cdar": ("gateway.cli.cdar", "cdar_app"),
    "customers": ("gateway.cli.customers", "customers_app"),
    "accounting": ("gateway.cli.accounting", "accounting_app"),
    "receivables": ("gateway.cli.customers", "receivables_command"),
    "receipts": ("gateway.cli.receipts", "receipts_app"),
    "promises": ("gateway.cli.agreements", "promises_app"),
    "disputes": ("gateway.cli.agreements", "disputes_app"),
    "plans": ("gateway.cli.agreements", "plans_app"),
    "letters": ("gateway.cli.letters", "letters_app"),
    "worklist": ("gateway.cli.worklist", "worklist_command"),
    "reminders": ("gateway.cli.reminders", "reminders_app"),
    "penalties": ("gateway.cli.penalties", "penalties_app"),
    "write-offs": ("gateway.cli.write_offs", "write_offs_app"),
    "claims": ("gateway.cli.claims", "claims_app"),
    "orders": ("gateway.cli.claims", "orders_app"),
    "rebuild": ("gateway.cli.ledger", "rebuild_command"),
    "ledger": ("gateway.cli.ledger", "ledger_app"),
    "simulate-platform": ("gateway.cli.simulate", "simulate_platform_command"),
    "drops": ("gateway.cli.drops", "drops_app"),
    "platforms": ("gateway.cli.platforms", "platforms_app"),
    "deliveries": ("gateway.cli.deliveries", "deliveries_app"),
    "quarantine": ("gateway.cli.quarantine", "quarantine_app"),
    "directory": ("gateway.cli.directory", "directory_app"),
    "organisations": ("gateway.cli.access", "organisations_app"),
    "agencies": ("gateway.cli.access", "agencies_app"),
    "users": ("gateway.cli.access", "users_app"),
    "webhooks": ("gateway.cli.webhooks", "webhooks_app"),
    "clients": ("gateway.cli.clients", "clients_app"),
}
#: Commands that leave nothing to close: the system takes all their memory back at once, the interpreter piece by piece.
NOTHING_TO_CLOSE = frozenset({"validate"})
EXIT_BAD_USAGE = 2
_OUTPUT_FAILS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
#: Name of the error handler of the streams.
_ESCAPED = "gateway-escaped"


class LazyCommands(TyperGroup):
    """A group that imports a command's module when it is asked for: `validate` must not pay for the web service."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Every command, in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command, imported; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        target = getattr(_imported(module), attribute)
        if not isinstance(target, typer.Typer):
            function, target = target, typer.Typer(add_completion=False)
            target.command(name=cmd_name)(function)
        command = get_command(target)
        command.name = cmd_name
        return command


def _imported(module: str) -> ModuleType:
    """A command's module; what its import makes stays until the end, and is never looked through for garbage."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()


def _print_version(wanted: bool) -> None:
    if wanted:
        from gateway import __version__

        typer.echo(f"gateway {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def gateway(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Affiche la version. / Print it."),
    ] = False,
) -> None:
    """Passerelle de facturation électronique : valider, transmettre, suivre, encaisser.

    E-invoicing gateway: validate, forward, follow, collect.
    """


def main() -> None:
    """Entry point: an error that has a name is said in one line, in the person's language, with exit code 2."""
    _settle_streams()
    try:
        _run()
    except GatewayError as error:
        sys.stderr.write(f"{error.code}: {error.in_language(_language())}\n")
        sys.exit(EXIT_BAD_USAGE)


def _settle_streams() -> None:
    """Have a stream that the caller closed be empty, and what the encoding of an output lacks be escaped."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - stays open as long as the program
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error(_ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors=_ESCAPED)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Characters as JSON escapes them, so that JSON stays what it is in every encoding."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4)), error.end


def _run() -> None:
    """Run the command and see its output off. Raises OutputLostError: half a result must not look like a whole one."""
    try:
        try:
            app(prog_name="gateway")
        except SystemExit as end:
            sys.stdout.flush()
            if NOTHING_TO_CLOSE.issuperset(sys.argv[1:2]) and isinstance(end.code, int):
                sys.stderr.flush()
                os._exit(end.code)
            raise
    except OSError as error:
        if error.errno not in _OUTPUT_FAILS:
            raise
        # What is still held back would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLostError(os.strerror(error.errno)) from error


def _language() -> Language:
    # Imported only here: who validates files need not wait for it.
    from gateway.kernel.settings import load_settings

    try:
        return load_settings().language
    except GatewayError:
        return DEFAULT_LANGUAGE

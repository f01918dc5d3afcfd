"""`arena accounts`: who may enter `/admin` and `/review`."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.tables import print_rows
from arena.cli.terminal import Console
from arena.errors import ConfigError
from arena.rules.roles import Actor, Role

if TYPE_CHECKING:
    from arena.store import Database
    from arena.store.accounts import AccountRow

app = typer.Typer(
    no_args_is_help=True,
    help="Add, list and change the accounts of operators and reviewers, who sign in at /admin.",
)

Name = Annotated[str, typer.Argument(help="Name of the account.")]
PasswordVariable = Annotated[
    str | None,
    typer.Option(
        "--password-env",
        metavar="NAME",
        help="Environment variable with the password; default: ask on the terminal.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", "--why", help="Reason, for the audit trail.")]


@app.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the account may do.")] = Role.OPERATOR,
    password_env: PasswordVariable = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Add an account with a password of at least 12 characters."""
    from arena.accounts.accounts import add_account

    with _opened(config, db) as database:
        password = _password(password_env)
        added = add_account(database, name, role, password, _actor())
    Console().print(Text(f"Added {added}, {role}. Sign in at /admin."))


@app.command("list")
def list_(as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None) -> None:
    """List the accounts with their roles and open sessions."""
    from arena.accounts.accounts import list_accounts

    with _opened(config, db) as database:
        rows = [_row(row) for row in list_accounts(database)]
    if not for_programs({"accounts": rows}, as_format, rows):
        print_rows(rows, f"{len(rows):,} accounts")


@app.command()
def disable(name: Name, reason: Reason = "", config: Config = None, db: DatabaseURL = None) -> None:
    """Disable an account and end its sessions at once."""
    from arena.accounts.accounts import set_disabled

    with _opened(config, db) as database:
        set_disabled(database, name, True, _actor(), reason)
    Console().print(Text(f"Disabled {name}."))


@app.command()
def enable(name: Name, reason: Reason = "", config: Config = None, db: DatabaseURL = None) -> None:
    """Enable a disabled account."""
    from arena.accounts.accounts import set_disabled

    with _opened(config, db) as database:
        set_disabled(database, name, False, _actor(), reason)
    Console().print(Text(f"Enabled {name}."))


@app.command()
def password(
    name: Name, password_env: PasswordVariable = None, config: Config = None, db: DatabaseURL = None
) -> None:
    """Change a password and end the sessions of the account."""
    from arena.accounts.accounts import set_password

    with _opened(config, db) as database:
        set_password(database, name, _password(password_env), _actor())
    Console().print(Text(f"Changed the password of {name}."))


@app.command()
def role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What the account may do.")],
    reason: Reason = "",
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Give an account another role, which counts at once."""
    from arena.accounts.accounts import set_role

    with _opened(config, db) as database:
        set_role(database, name, role, _actor(), reason)
    Console().print(Text(f"{name} is {role} now."))


@contextmanager
def _opened(config: Path | None, db: str | None) -> Iterator[Database]:
    """The database. A refusal ends with exit code 2. Raises `ConfigError`, `DatabaseError`."""
    from arena.accounts.passwords import PasswordRefused

    try:
        with opened(config, db) as (database, _):
            yield database
    except PasswordRefused as refused:
        raise ConfigError(str(refused)) from refused


def _actor() -> Actor:
    return Actor.terminal(getpass.getuser())


def _password(variable: str | None) -> str:
    """The password of an environment variable, else from the terminal, typed twice. Raises `ConfigError`."""
    if variable is None:
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    given = os.environ.get(variable)
    if given is None:
        raise ConfigError(f"the environment variable {variable} is not set. Run: export {variable}=…")
    return given


def _row(row: AccountRow) -> dict[str, Any]:
    account, seen = row.account, row.seen_at
    return {
        "name": account.name,
        "role": account.role,
        "state": "disabled" if account.disabled_at else "active",
        "sign_in": "password" if account.password_hash else "sign-in service" if account.oidc_issuer else "none",
        "sessions": row.sessions,
        "seen_at": seen.isoformat(timespec="seconds") if seen else None,
    }

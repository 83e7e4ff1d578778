"""Real database servers for tests: started on loopback in a temporary folder, and stopped again."""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "p@ss:w/rd#?%41&ö'\\"
ENCODED = quote(PASSWORD, safe="")
SECRETS = (PASSWORD, ENCODED)
PATIENCE = 60


def _program(name, *places):
    found = [one for place in places for one in sorted(glob.glob(place))]
    path = next((one for one in found if Path(one).is_file()), None) or shutil.which(name)
    if path is None:
        pytest.skip(f"`{name}` is not installed")
    return path


def _port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextlib.contextmanager
def _home():
    """A folder that a server without rights can use, and options for the processes of one."""
    folder = tempfile.mkdtemp(prefix="penstock-test-")
    options = {
        "cwd": folder,
        "env": {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    if os.getuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        yield Path(folder), options
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _running(command, sign, ready, options):
    process = subprocess.Popen(command, **options)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            try:
                ready()
                break
            except Exception:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield
    finally:
        process.send_signal(sign)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextlib.contextmanager
def postgresql():
    """The address of a PostgreSQL with an empty database and a difficult password."""
    initdb = _program("initdb", "/usr/lib/postgresql/*/bin/initdb")
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
    with _home() as (folder, options):
        secret = folder / "secret"
        secret.write_text(PASSWORD, encoding="utf-8")
        secret.chmod(0o644)
        data = str(folder / "data")
        command = [initdb, "-D", data, "-U", "me", "--pwfile", str(secret), "-E", "UTF8", "-N"]
        subprocess.run([*command, "--auth=scram-sha-256"], check=True, timeout=PATIENCE, **options)
        port = _port()
        url = f"postgresql://me:{ENCODED}@127.0.0.1:{port}/postgres"
        command = [str(Path(initdb).with_name("postgres")), "-D", data, "-p", str(port), "-F"]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        with _running(command, signal.SIGINT, lambda: dbapi.connect(url).close(), options):
            yield url


@contextlib.contextmanager
def mariadb():
    """The address of a MariaDB with an empty database and a difficult password."""
    server = _program("mariadbd", "/usr/sbin/mariadbd")
    install = _program("mariadb-install-db", "/usr/bin/mariadb-install-db")
    pymysql = pytest.importorskip("pymysql")
    with _home() as (folder, options):
        data = f"--datadir={folder / 'data'}"
        plain = "--auth-root-authentication-method=normal"
        command = [install, "--no-defaults", data, plain, "--skip-test-db"]
        subprocess.run(command, check=True, timeout=PATIENCE, **options)
        port = _port()
        command = [server, "--no-defaults", data, f"--port={port}", "--bind-address=127.0.0.1"]
        # Far from UTC, so that a time in the zone of the server is seen.
        command += [
            "--default-time-zone=-08:00",
            f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}",
        ]
        place = {"host": "127.0.0.1", "port": port, "user": "root"}
        ready = lambda: pymysql.connect(**place).close()  # noqa: E731
        with _running([*command, "--skip-name-resolve"], signal.SIGTERM, ready, options):
            connection = pymysql.connect(**place)
            with connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE flights CHARACTER SET utf8mb4")
                cursor.execute("CREATE USER me@'%%' IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute("GRANT ALL ON flights.* TO me@'%'")
            connection.close()
            yield f"mysql://me:{ENCODED}@127.0.0.1:{port}/flights"

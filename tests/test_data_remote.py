"""`penstock.read` of what is far: an S3 and a web server on loopback; no secret in messages."""

import functools
import http.server
import io
import json
import threading
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd
import pytest

import penstock
from penstock.data.addresses import parse
from penstock.data.files import File, Files

FRAME = pd.DataFrame({"distance": [1.5, None, 3.0], "carrier": ["UA", "NA", "✈"]})
PASSWORD = "p@ss:w/rd#?%41&ö"
ENCODED = "p%40ss%3Aw%2Frd%23%3F%2541%26%C3%B6"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remote")
    FRAME.to_csv(folder / "a.csv", index=False)
    FRAME.to_csv(folder / "b.csv.gz", index=False)
    FRAME.to_parquet(folder / "c.parquet")
    return folder


@pytest.fixture(scope="module")
def web(folder):
    """The address of a web server that has the files."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def bucket(folder, monkeypatch):
    """An S3 server on loopback with a bucket `flights` that has the files."""
    moto_server = pytest.importorskip("moto.server")
    import boto3
    import s3fs

    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="flights")
    for path in folder.iterdir():
        client.put_object(Bucket="flights", Key=f"2024/{path.name}", Body=path.read_bytes())
    yield "s3://flights"
    server.stop()


@pytest.fixture
def google(folder, monkeypatch):
    """A bucket `flights` on loopback that has the files, as far as reading needs Google's API."""
    # It would ask by gRPC what kind of bucket this is.
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    gcsfs = pytest.importorskip("gcsfs")

    def described(path):
        size = str(path.stat().st_size)
        return {"name": f"2024/{path.name}", "size": size, "etag": size, "bucket": "flights"}

    class Storage(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            asked = urlsplit(self.path)
            options = parse_qs(asked.query)
            name = unquote(asked.path.partition("/b/flights/o/")[2])
            path = folder / name.rpartition("/")[2]
            found = f"2024/{path.name}" == name and path.is_file()
            if asked.path.endswith("/b/flights/o"):
                prefix = options.get("prefix", [""])[0]
                items = [described(one) for one in folder.iterdir()]
                body = {"items": [one for one in items if one["name"].startswith(prefix)]}
            else:
                body = described(path) if found else {"error": {"code": 404, "message": "none"}}
            data = json.dumps(body).encode()
            if found and options.get("alt") == ["media"]:
                start, _, end = self.headers.get("Range", "bytes=0-")[6:].partition("-")
                data = path.read_bytes()[int(start) : int(end) + 1 if end else None]
            known = found or asked.path.endswith("/b/flights/o")
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(data)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    gcsfs.GCSFileSystem.clear_instance_cache()
    yield "gs://flights"
    server.shutdown()


@pytest.mark.parametrize("name", ["a.csv", "b.csv.gz", "c.parquet"])
def test_objects_of_google_are_read(google, name):
    assert same(penstock.read(f"{google}/2024/{name}")) == 3


def test_patterns_of_google_are_read_and_what_is_not_there_is_told(google):
    assert same(penstock.read(f"{google}/2024/*.csv*")) == 6
    assert refusal(f"{google}/2024/none.csv") == (
        "`gs://flights/2024/none.csv`: there is no such file; check the address, the network and "
        "the credentials"
    )


def same(table):
    found = table.to_pandas()
    assert found["distance"].fillna(-1).tolist() == [1.5, -1, 3.0] * (len(found) // 3)
    assert found["carrier"].tolist() == ["UA", "NA", "✈"] * (len(found) // 3)
    return len(found)


@pytest.mark.parametrize("name", ["a.csv", "b.csv.gz", "c.parquet"])
def test_files_of_a_web_server_are_read(web, name):
    assert same(penstock.read(f"http://{web}/{name}")) == 3
    assert same(penstock.read(f"http://{web}/{name}?version=2")) == 3


@pytest.mark.parametrize("name", ["a.csv", "b.csv.gz", "c.parquet"])
def test_objects_of_a_bucket_are_read(bucket, name):
    assert same(penstock.read(f"{bucket}/2024/{name}")) == 3


def test_patterns_and_folders_of_a_bucket_are_read(bucket):
    assert same(penstock.read(f"{bucket}/2024/*.csv*")) == 6
    assert len(penstock.read(f"{bucket}/2024/*.csv*").origin.stamp()) == 2
    with pytest.raises(penstock.PenstockError, match="has no files of rows"):
        penstock.read(f"{bucket}/2023/*.csv")
    with pytest.raises(penstock.PenstockError, match="formats `csv` and `parquet`"):
        penstock.read(f"{bucket}/2024")


def refusal(source):
    with pytest.raises(penstock.PenstockError) as caught:
        penstock.read(source).to_arrow()
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_what_is_not_there_is_told_with_its_address(web, bucket):
    said = refusal(f"http://{web}/none.csv")
    assert said.startswith(f"`http://{web}/none.csv`: ")
    assert said.endswith("check the address, the network and the credentials")
    assert "404" in said
    assert "Cannot connect" in refusal("http://127.0.0.1:1/a.csv")
    assert refusal(f"{bucket}/none.csv").startswith("`s3://flights/none.csv`: ")
    assert "very secret" not in refusal("s3://nobody/none.csv")


def test_hadoop_that_is_not_here_is_told_in_a_line(monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "/none")
    said = refusal("hdfs://127.0.0.1:1/a.csv")
    assert "`hdfs:` needs Java and Hadoop's `libhdfs`: set JAVA_HOME" in said and len(said) < 700


def test_no_password_is_in_a_message_or_a_name(web):
    url = f"http://me:{ENCODED}@{web}/none.csv?X-Amz-Signature=abcdef0123456789&password=hunter22"
    said = refusal(url)
    for secret in (PASSWORD, ENCODED, "abcdef0123456789", "hunter22"):
        assert secret not in said
    assert said.startswith(f"`http://me:***@{web}/none.csv?***`: ")
    address = parse(url)
    assert ENCODED not in repr(address) and "hunter22" not in repr(address)
    assert address.scrub(f"a\n  message with {PASSWORD} and {ENCODED}") == (
        "a message with *** and ***"
    )


def test_no_signature_is_in_what_the_reader_of_a_file_says(tmp_path, monkeypatch):
    """What brings the bytes may fail further down, with the address in its message."""
    url = "https://host/a.parquet?X-Amz-Signature=abcdef0123456789"

    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def seekable(self):
            return True

        def seek(self, *_):
            raise FileNotFoundError(url)

    address = parse(url)
    file = File("a.parquet", address.shown, "", None, Broken)
    with pytest.raises(penstock.SchemaError) as caught:
        list(Files(address, [file], "parquet", None).batches(None))
    assert "abcdef0123456789" not in str(caught.value) and "***" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:sec/ret@host/flights",
        "postgresql://me:sec#ret@host/flights",
        "postgresql://me:sec?ret@host/flights",
        "postgresql://me:sec@ret@host/flights",
        "postgresql://me:sec%ret@host/flights",
        "postgresql:me:secret@host/flights",
        "postgresql:host=host user=me password=secret",
        "mysql://me:secret@host:port/flights",
        "https://me:sec/ret@host/a.csv",
        "https://me:secret@[::1/a.csv",
    ],
)
def test_an_address_that_is_unclear_is_refused_without_showing_it(url):
    said = refusal(url)
    assert "sec" not in said and "ret" not in said
    assert "write `@`, `:`, `/`, `?`, `#`, `%` and `=` as %40, %3A, %2F, %3F, %23, %25" in said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql://me:{ENCODED}@host:5432/flights", "postgresql://me:***@host:5432/flights"),
        ("postgres://me@host/flights", "postgresql://me@host/flights"),
        ("postgresql:flights", "postgresql:///flights"),
        (
            "postgresql://host/flights?user=me&password=hunter2&sslmode=require",
            "postgresql://host/flights?user=me&password=***&sslmode=require",
        ),
        ("postgresql:flights?p%61ssword=hunter2", "postgresql:///flights?p%61ssword=***"),
        ("mysql://host/flights?passwd=hunter2", "mysql://host/flights?passwd=***"),
        ("mariadb://me:hunter2@host/flights", "mysql://me:***@host/flights"),
        ("sqlite:a b.db", "sqlite:a b.db"),
        ("sqlite:///a.db", "sqlite:a.db"),
        ("sqlite:////tmp/a.db", "sqlite:/tmp/a.db"),
        ("s3://flights/2024/*.csv", "s3://flights/2024/*.csv"),
        ("https://host/path@v1/a.csv?sig=abc", "https://host/path@v1/a.csv?***"),
        ("C:\\rows.csv", "C:\\rows.csv"),
        ("file:///tmp/a%20b.csv", "/tmp/a b.csv"),
    ],
)
def test_addresses_are_shown_without_passwords(url, shown):
    address = parse(url)
    assert address.shown == shown
    assert "hunter2" not in repr(address)


def test_a_package_that_is_not_installed_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gcsfs", None)
    assert refusal("gs://flights/a.csv") == (
        "`gs:` needs `fsspec` and `gcsfs`; pip install 'penstock[gs]'"
    )

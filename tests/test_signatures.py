"""Signatures: made and checked by us and by OpenSSL, and refused for whatever a forger could do."""

import base64
import hashlib
import io
import os
import pickle
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

import penstock
from penstock import ArtifactError, PenstockError
from penstock.model import Model
from tests import toys
from tests.foreign_reader import Reader
from tests.pages import blocks
from tests.test_cli import run, wrong

NAMES = ("manifest.json", "tensors.safetensors", "examples.json", "card.md", "signature")
ROW = '{"distance": 12.5, "carrier": "UA"}'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in: the keys `release` and `other`, an artifact as it is, and signed."""
    monkeypatch.chdir(tmp_path)
    penstock.keygen("release")
    penstock.keygen("other")
    toys.late().save("late.penstock")
    penstock.sign("late.penstock", "release.key", "signed.penstock")
    return tmp_path


def entries(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(entries):
    """An artifact whose checksums are right, whatever is in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in NAMES:
            if name in entries:
                archive.writestr(zipfile.ZipInfo(name), entries[name])
    return packed.getvalue()


def refusal(data, key="release.pub"):
    with pytest.raises(ArtifactError) as refused:
        Model(data, verify=False, require_signature=key)
    return str(refused.value)


def key_id(public):
    """The id as docs/format.md has it, from the last 32 bytes of the DER in the PEM."""
    lines = Path(public).read_text().splitlines()
    return hashlib.sha256(base64.b64decode("".join(lines[1:-1]))[-32:]).hexdigest()[:16]


# -- keys --


def test_keys_are_made_once_and_the_private_one_is_for_its_owner_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = penstock.keygen(Path("release"))
    assert made == key_id("release.pub")
    assert stat.S_IMODE(os.stat("release.key").st_mode) == 0o600
    before = Path("release.key").read_bytes(), Path("release.pub").read_bytes()
    with pytest.raises(PenstockError, match=r"^`release.key` is there already, and is not overw"):
        penstock.keygen("release")
    Path("release.key").rename("moved.key")
    with pytest.raises(PenstockError, match=r"^`release.pub` is there already"):
        penstock.keygen("release")
    assert not Path("release.key").exists()
    assert before == (Path("moved.key").read_bytes(), Path("release.pub").read_bytes())
    assert penstock.keygen("another") != made


def test_a_key_that_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(PenstockError, match="cannot be written: No such file or directory"):
        penstock.keygen(tmp_path / "none" / "release")
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_such_key_are_refused(folder):
    Path("garbage").write_bytes(bytes(range(256)))
    Path("cut.pub").write_bytes(Path("release.pub").read_bytes()[:-40])
    for path, message in (
        ("release.key", "`release.key` is a private key where the public one is wanted"),
        ("garbage", "`garbage` is no key file: it has no `-----BEGIN PUBLIC KEY-----`"),
        ("cut.pub", "`cut.pub` is no "),
        ("late.penstock", "`late.penstock` is no key file"),
        ("none.pub", "`none.pub` cannot be read: No such file or directory; check the path"),
    ):
        with pytest.raises(PenstockError) as refused:
            penstock.load("signed.penstock", require_signature=path)
        assert str(refused.value).startswith(message)
        assert not isinstance(refused.value, ArtifactError)
    for path, message in (
        ("release.pub", "`release.pub` is a public key where the private one is wanted"),
        ("garbage", "`garbage` is no key file: it has no `-----BEGIN PRIVATE KEY-----`"),
    ):
        with pytest.raises(PenstockError) as refused:
            penstock.sign("late.penstock", path)
        assert str(refused.value).startswith(message)


# -- signing --


def test_a_signed_artifact_is_the_same_model(folder):
    plain = penstock.load("late.penstock")
    signed = penstock.load("signed.penstock", require_signature="release.pub")
    assert signed.signed_by == key_id("release.pub")
    assert signed.signatures == [("ed25519", signed.signed_by)]
    assert signed.digest == plain.digest
    assert signed.predict_json(ROW) == plain.predict_json(ROW)
    assert (plain.signatures, plain.signed_by) == ([], None)
    assert penstock.load("signed.penstock").signed_by is None
    before, after = entries("late.penstock"), entries("signed.penstock")
    assert list(after) == list(NAMES)
    assert {**before, "signature": after["signature"]} == after
    assert signed.unpacked_size == plain.unpacked_size + len(after["signature"])
    assert Reader(Path("signed.penstock").read_bytes()).verify() == 2


def test_signing_in_place_replaces_the_file_whole(folder):
    penstock.sign("late.penstock", "release.key")
    assert Path("late.penstock").read_bytes() == Path("signed.penstock").read_bytes()
    assert not list(folder.glob(".*"))


def test_signatures_stay_wherever_the_model_goes(folder):
    signed = penstock.load("signed.penstock")
    signed.save("saved.penstock")
    assert Path("saved.penstock").read_bytes() == Path("signed.penstock").read_bytes()
    assert pickle.loads(pickle.dumps(signed)).signatures == signed.signatures
    by_both = signed.signed("other.key")
    assert by_both.signatures == sorted(
        ("ed25519", key_id(name)) for name in ("release.pub", "other.pub")
    )
    by_both.save("both.penstock")
    for key in ("release.pub", "other.pub"):
        penstock.load("both.penstock", require_signature=key)
    # Ed25519 has one signature for each key and message.
    assert toys.late().signed("other.key").signed("release.key")._data == by_both._data


def test_what_cannot_be_loaded_is_not_signed(folder):
    toys.late(wrong=True).save("lying.penstock")
    before = Path("lying.penstock").read_bytes()
    with pytest.raises(ArtifactError, match="of the examples differ"):
        penstock.sign("lying.penstock", "release.key")
    assert Path("lying.penstock").read_bytes() == before


# -- checking --


def test_what_nobody_or_another_has_signed_is_refused(folder):
    with pytest.raises(ArtifactError, match=r"^`late.penstock`: the artifact is not signed, and"):
        penstock.load("late.penstock", require_signature="release.pub")
    said = refusal(Path("signed.penstock").read_bytes(), "other.pub")
    mine, theirs = key_id("other.pub"), key_id("release.pub")
    assert f"has no signature of key `{mine}`, but one of key `{theirs}`" in said


def test_every_flipped_byte_of_the_manifest_is_refused(folder):
    parts = entries("signed.penstock")
    for at in range(len(parts["manifest.json"])):
        manifest = bytearray(parts["manifest.json"])
        manifest[at] ^= 1 << (at % 8)
        said = refusal(pack({**parts, "manifest.json": bytes(manifest)}))
        assert "was altered after it was signed" in said


def test_every_other_entry_is_held_to_the_manifest(folder):
    parts = entries("signed.penstock")
    for name in NAMES[1:4]:
        altered = parts[name][:-2] + bytes([parts[name][-2] ^ 1]) + parts[name][-1:]
        assert f"`{name}` has the hash" in refusal(pack({**parts, name: altered}))
    del parts["signature"]
    assert "is not signed" in refusal(pack(parts))


def test_a_truncated_signature_is_refused_even_where_none_is_required(folder):
    parts = entries("signed.penstock")
    for end in range(len(parts["signature"])):
        data = pack({**parts, "signature": parts["signature"][:end]})
        assert "truncated" in refusal(data)
        with pytest.raises(ArtifactError, match=r"^`signature` is not UTF-8, or is truncated"):
            Model(data)


def test_the_signature_of_another_artifact_is_refused(folder):
    another = toys.echo(penstock.Field("distance", "number")).signed("release.key")
    another.save("another.penstock")
    moved = {**entries("signed.penstock"), "signature": entries("another.penstock")["signature"]}
    assert "was altered after it was signed" in refusal(pack(moved))


def test_an_unknown_algorithm_is_named_where_a_signature_is_required(folder):
    line = f"ml-dsa-65 {key_id('release.pub')} AAAA\n".encode()
    data = pack({**entries("late.penstock"), "signature": line})
    said = refusal(data)
    assert "with the algorithm `ml-dsa-65`, which this version does not know" in said
    model = Model(data)
    assert model.signatures == [("ml-dsa-65", key_id("release.pub"))]
    both = model.signed("release.key")
    assert Model(both._data, require_signature="release.pub").signed_by == key_id("release.pub")


# -- OpenSSL --


@pytest.fixture
def openssl():
    """Runs OpenSSL, and gives its standard output."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    version = subprocess.run([program, "version"], capture_output=True, text=True).stdout
    if not version.startswith("OpenSSL ") or int(version.split()[1].split(".")[0]) < 3:
        pytest.skip(f"needs OpenSSL 3, not {version}")

    def run(*arguments):
        return subprocess.run([program, *arguments], check=True, capture_output=True).stdout

    return run


def test_openssl_reads_our_keys_and_writes_the_same(folder, openssl):
    assert openssl("pkey", "-in", "release.key") == Path("release.key").read_bytes()
    assert openssl("pkey", "-in", "release.key", "-pubout") == Path("release.pub").read_bytes()


def test_openssl_takes_our_signatures(folder, openssl):
    parts = entries("signed.penstock")
    algorithm, key, value = parts["signature"].decode().split()
    assert (algorithm, key) == ("ed25519", key_id("release.pub"))
    Path("manifest.json").write_bytes(parts["manifest.json"])
    Path("value").write_bytes(base64.b64decode(value, validate=True))
    check = ("pkeyutl", "-verify", "-pubin", "-rawin", "-in", "manifest.json", "-sigfile", "value")
    assert b"Signature Verified Successfully" in openssl(*check, "-inkey", "release.pub")
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*check, "-inkey", "other.pub")


def test_keys_and_signatures_of_openssl_are_taken(folder, openssl):
    openssl("genpkey", "-algorithm", "ed25519", "-out", "theirs.key")
    openssl("pkey", "-in", "theirs.key", "-pubout", "-out", "theirs.pub")
    parts = entries("late.penstock")
    Path("manifest.json").write_bytes(parts["manifest.json"])
    value = openssl("pkeyutl", "-sign", "-rawin", "-in", "manifest.json", "-inkey", "theirs.key")
    line = f"ed25519 {key_id('theirs.pub')} {base64.b64encode(value).decode()}\n".encode()
    model = Model(pack({**parts, "signature": line}), require_signature="theirs.pub")
    penstock.sign("late.penstock", "theirs.key")
    assert entries("late.penstock")["signature"] == line
    assert model.signed_by == key_id("theirs.pub")


def test_the_commands_of_the_page_make_keys_and_check_a_signature(folder, openssl):
    if shutil.which("unzip") is None:
        pytest.skip("unzip is not installed")
    make, check = blocks("docs/format.md", "sh")
    for name in ("release.key", "release.pub"):
        Path(name).unlink()
    subprocess.run(["bash", "-e", "-c", make], check=True, capture_output=True)
    penstock.sign("late.penstock", "release.key")
    told = subprocess.run(["bash", "-e", "-c", check], check=True, capture_output=True, text=True)
    assert told.stdout == "Signature Verified Successfully\n"


def test_keys_of_other_algorithms_are_refused(folder, openssl):
    openssl("genpkey", "-algorithm", "x25519", "-out", "x25519.key")
    openssl("genpkey", "-algorithm", "ed448", "-out", "ed448.key")
    openssl("pkey", "-in", "ed448.key", "-pubout", "-out", "ed448.pub")
    encrypted = ("pkey", "-in", "release.key", "-aes256", "-passout", "pass:secret")
    openssl(*encrypted, "-out", "encrypted.key")
    for path, message in (
        ("x25519.key", "`x25519.key` is no Ed25519 key"),
        ("ed448.key", "`ed448.key` is no Ed25519 key"),
        ("encrypted.key", "`encrypted.key` is an encrypted private key; decrypt it with"),
    ):
        with pytest.raises(PenstockError, match=f"^{message}"):
            penstock.sign("late.penstock", path)
    with pytest.raises(PenstockError, match=r"^`ed448.pub` is no Ed25519 key"):
        penstock.load("signed.penstock", require_signature="ed448.pub")


# -- the command line --


def test_keygen_sign_and_verify_on_the_command_line(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    toys.late().save("late.penstock")
    code, out, err = run(capfd, "keygen", "release")
    key = key_id("release.pub")
    assert (code, out) == (0, "")
    assert err == f"key {key}: `release.key` is private, keep it secret; `release.pub` is public\n"
    assert "`release.key` is there already" in wrong(capfd, "keygen", "release")
    options = ("--key", "release.key", "-o", "signed.penstock")
    code, out, err = run(capfd, "sign", "late.penstock", *options)
    assert (code, out, err) == (0, "", f"`signed.penstock`: signed by key {key}\n")
    code, out, err = run(capfd, "verify", "signed.penstock", "--key", "release.pub")
    told = f"`signed.penstock`: signed by key {key}\n`signed.penstock`: 2 examples match\n"
    assert (code, out, err) == (0, "", told)
    assert run(capfd, "sign", "late.penstock", "--key", "release.key")[0] == 0
    assert Path("late.penstock").read_bytes() == Path("signed.penstock").read_bytes()
    assert "Missing option '--key'" in wrong(capfd, "sign", "late.penstock", code=2)


def test_verify_and_predict_refuse_what_the_key_has_not_signed(folder, capfd):
    parts = entries("signed.penstock")
    altered = parts["manifest.json"].replace(b'"version": "1"', b'"version": "2"')
    Path("altered.penstock").write_bytes(pack({**parts, "manifest.json": altered}))
    for path, key, message in (
        ("late.penstock", "release.pub", "the artifact is not signed"),
        ("signed.penstock", "other.pub", "has no signature of key"),
        ("altered.penstock", "release.pub", "was altered after it was signed"),
    ):
        for command in (("verify", path, "--key"), ("predict", path, ROW, "--require-signature")):
            said = wrong(capfd, *command, key)
            assert said.startswith(f"`{path}`: ") and message in said
    options = ("--require-signature", "release.pub")
    code, out, _ = run(capfd, "predict", "signed.penstock", ROW, *options)
    assert code == 0 and '"label"' in out
    assert "is a private key" in wrong(capfd, "verify", "signed.penstock", "--key", "release.key")


def test_inspect_tells_who_says_to_have_signed(folder, capfd):
    key = key_id("release.pub")
    signed = run(capfd, "inspect", "signed.penstock")[1]
    assert f"\nsignature: key {key} (ed25519, not checked)\n" in signed
    assert "\nsignature: none\n" in run(capfd, "inspect", "late.penstock")[1]
    facts = run(capfd, "inspect", "signed.penstock", "--json")[1]
    assert f'"key": "{key}"' in facts and '"algorithm": "ed25519"' in facts

# SPDX-License-Identifier: GPL-2.0-or-later
"""What is looked at before an image is signed, and what is changed in a kernel, without a boot."""

import datetime
import struct
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from lab.paths import KERNEL, ROOT, run

KEYS, TRUST, SIGN, ZBOOT = (ROOT / "rootfs" / name for name in ("keys.py", "trust.py", "sign.sh", "zboot.sh"))


def _request(folder: Path, name: str, *words: str) -> Path:
    """A self-signed certificate; its key has the same name."""
    certificate = folder / f"{name}.pem"
    run([
        "openssl", "req", "-x509", "-nodes", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key",
        "-out", certificate, *words,
    ])  # fmt: skip
    return certificate


def _expire(folder: Path, name: str) -> None:
    """A certificate of the last century; openssl makes none."""
    key = serialization.load_pem_private_key((folder / "good.key").read_bytes(), None)
    who = x509.Name.from_rfc4514_string(f"CN={name}")
    builder = x509.CertificateBuilder(who, who, key.public_key(), 1)
    builder = builder.not_valid_before(datetime.datetime(1998, 1, 1))
    builder = builder.not_valid_after(datetime.datetime(1999, 1, 1))
    made = builder.sign(key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and certificates, good and bad; names are what test_bad_ones() calls them."""
    folder = tmp_path_factory.mktemp("keys")
    rsa = ("-newkey", "rsa:2048", "-days", "30")
    good = _request(folder, "good", *rsa, "-sha256")
    _request(folder, "other", *rsa)
    _request(folder, "small", "-newkey", "rsa:1024", "-days", "30")
    _request(folder, "elliptic", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    _request(folder, "sha1", *rsa, "-sha1")
    _request(folder, "pss", *rsa, "-sigopt", "rsa_padding_mode:pss")
    _request(folder, "large", *rsa, "-addext", "nsComment=" + 4000 * "x")
    _expire(folder, "expired")
    run(["openssl", "pkey", "-in", folder / "good.key", "-aes128", "-passout", "pass:x", "-out", folder / "locked.key"])
    run(["openssl", "x509", "-in", good, "-outform", "DER", "-out", folder / "good.der"])
    (folder / "two.pem").write_text(good.read_text() + (folder / "other.pem").read_text())
    (folder / "cut.pem").write_text(good.read_text().replace("MII", "MIX", 1))
    (folder / "cut.key").write_text((folder / "good.key").read_text().replace("MII", "MIX", 1))
    (folder / "text.pem").write_text("hello\n")
    (folder / "endless.pem").write_text(100_000 * "x")
    return folder


def _look(folder: Path, key: str, certificate: str, *words: str) -> subprocess.CompletedProcess[str]:
    names = [str(folder / name) if name else "" for name in (key, certificate)]
    return subprocess.run(
        [KEYS, "--key", names[0], "--certificate", names[1], *words, folder / "out.pem"],
        capture_output=True, text=True,
    )  # fmt: skip


def test_good_ones_are_taken(folder: Path) -> None:
    """What is left is the certificate alone, and it stays as it is."""
    assert _look(folder, "good.key", "good.pem").returncode == 0
    made = folder / "out.pem"
    assert made.read_text() == (folder / "good.pem").read_text()
    before = made.stat().st_mtime_ns
    assert _look(folder, "good.key", "good.pem").returncode == 0
    assert made.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "key, certificate, part",
    [
        ("", "good.pem", "KEY: it is missing"),
        ("good.key", "", "CERT: it is missing"),
        ("none.key", "good.pem", "No such file"),
        (".", "good.pem", "it is no plain file"),
        ("good.key", "none.pem", "No such file"),
        ("good.pem", "good.pem", "it has no private key, but: CERTIFICATE"),
        ("good.key", "good.key", "it has no certificate, but: PRIVATE KEY"),
        ("good.key", "good.der", "it is not in PEM form"),
        ("good.key", "text.pem", "it is not in PEM form"),
        ("good.key", "endless.pem", "it is too large for a certificate"),
        ("good.key", "cut.pem", "its certificate is damaged"),
        ("cut.key", "good.pem", "its private key is damaged"),
        ("locked.key", "good.pem", "it has a passphrase"),
        ("good.key", "two.pem", "it has 2 certificates"),
        ("other.key", "good.pem", "it is not the key of"),
        ("small.key", "small.pem", "has 1024 bits"),
        ("elliptic.key", "elliptic.pem", "id-ecPublicKey: want RSA"),
        ("sha1.key", "sha1.pem", "signed by sha1WithRSAEncryption"),
        ("pss.key", "pss.pem", "signed by rsassaPss"),
        ("large.key", "large.pem", "the kernel room for 4096"),
        ("good.key", "expired.pem", "has expired"),
    ],
)
def test_bad_ones_are_refused(folder: Path, key: str, certificate: str, part: str) -> None:
    (folder / "out.pem").unlink(missing_ok=True)
    done = _look(folder, key, certificate)
    assert done.returncode == 1 and done.stderr.startswith("hvinit: sign: ")
    assert part in done.stderr and not (folder / "out.pem").exists()


def test_expired_ones_are_taken_anyway(folder: Path) -> None:
    assert _look(folder, "good.key", "expired.pem", "--anyway").returncode == 0


def test_make_looks_before_it_builds(folder: Path) -> None:
    done = subprocess.run(
        ["make", "-C", ROOT, "sign", "KEY=/nowhere/key.pem", f"CERT={folder}/good.pem",
         f"SIGNED={folder}/signed", f"SIGNED_OUT={folder}/out"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode and "KEY: /nowhere/key.pem: read it: No such file" in done.stderr
    assert not (folder / "signed").exists() and not (folder / "out").exists()


# --- the kernel ---

BASE, AT, USED_AT, SIZE_AT, END = 0x8000, 0x100, 0x180, 0x188, 0x1000


def _kernel(folder: Path, changes: dict[int, bytes] | None = None, **symbols: int) -> list[str | Path]:
    """A small image and its map, and the words to work on them."""
    image = bytearray(0x200)
    struct.pack_into("<Q", image, 16, END)
    image[56:60] = b"ARM\x64"
    for at, data in (changes or {}).items():
        image[at : at + len(data)] = data
    (folder / "Image").write_bytes(image)
    place = {
        "_text": BASE, "_end": BASE + END, "system_certificate_list": BASE + AT, "system_extra_cert": BASE + AT,
        "system_extra_cert_used": BASE + USED_AT, "system_certificate_list_size": BASE + SIZE_AT,
    } | symbols  # fmt: skip
    lines = [f"{address:016x} D {name}\n" for name, address in place.items() if address]
    (folder / "System.map").write_text("".join(lines))
    (folder / "der").write_bytes(b"\x30\x82\x00\x04abcd")
    return [
        TRUST, "--image", folder / "Image", "--map", folder / "System.map", "--certificate",
        folder / "der", folder / "made",
    ]  # fmt: skip


def test_certificate_is_put_in_its_place(tmp_path: Path) -> None:
    run(_kernel(tmp_path))
    image, made = ((tmp_path / name).read_bytes() for name in ("Image", "made"))
    assert made[AT : AT + 8] == b"\x30\x82\x00\x04abcd"
    assert struct.unpack_from("<i", made, USED_AT) == (8,)
    assert struct.unpack_from("<Q", made, SIZE_AT) == (8,)
    changed = {at for at in range(len(image)) if image[at] != made[at]}
    assert changed <= {*range(AT, AT + 8), USED_AT, SIZE_AT} and len(made) == len(image)


@pytest.mark.parametrize(
    "changes, symbols, part",
    [
        ({56: b"MZ"}, {}, "no arm64 kernel"),
        ({16: b"\0\x20"}, {}, "of two kernels"),
        ({AT: b"x"}, {}, "has a certificate already"),
        ({USED_AT: b"\x01"}, {}, "has a certificate already"),
        ({SIZE_AT: b"\x01"}, {}, "not behind the kernel's own"),
        ({}, {"system_extra_cert": 0}, "lacks system_extra_cert"),
        ({}, {"system_extra_cert_used": BASE + AT + 7}, "the room 7"),
        ({}, {"system_certificate_list_size": BASE + 0x1F9}, "is not in the image"),
        ({}, {"system_extra_cert": BASE - 8}, "is not in the image"),
    ],
)
def test_other_kernels_are_refused(
    tmp_path: Path, changes: dict[int, bytes], symbols: dict[str, int], part: str
) -> None:
    done = subprocess.run(_kernel(tmp_path, changes, **symbols), capture_output=True, text=True)
    assert done.returncode == 1 and part in done.stderr and not (tmp_path / "made").exists()


@pytest.mark.parametrize("data", [b"", b"\x30\x82\x00\x05abcd", b"-----BEGIN"])
def test_other_certificates_are_refused(tmp_path: Path, data: bytes) -> None:
    words = _kernel(tmp_path)
    (tmp_path / "der").write_bytes(data)
    assert subprocess.run(words, capture_output=True).returncode == 1


def test_kernel_is_compressed_as_its_own_build_does_it(tmp_path: Path) -> None:
    run([ZBOOT, KERNEL, KERNEL / "Image", tmp_path / "made"])
    assert (tmp_path / "made").read_bytes() == (KERNEL / "vmlinuz.efi").read_bytes()


@pytest.mark.parametrize("size", [0, 1 << 32])
def test_what_is_no_kernel_is_not_compressed(tmp_path: Path, size: int) -> None:
    """Its header says that it takes less memory than the file has bytes, or more than 4 GiB."""
    image = bytearray(0x200)
    struct.pack_into("<Q", image, 16, size)
    (tmp_path / "Image").write_bytes(image)
    done = subprocess.run([ZBOOT, KERNEL, tmp_path / "Image", tmp_path / "made"], capture_output=True, text=True)
    assert done.returncode == 1 and "it is no arm64 kernel" in done.stderr
    assert not (tmp_path / "made").exists()


def test_the_same_key_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """The kernel with its modules, twice; each module is signed, and nothing of the key is left."""
    for name in ("one", "two"):
        run([SIGN, "kernel", folder / "good.key", folder / "good.pem", KERNEL, tmp_path / name])
    assert not run(["diff", "-r", tmp_path / "one", tmp_path / "two"])
    modules = [*(tmp_path / "one").rglob("*.ko")]
    assert modules and all(m.read_bytes().endswith(b"~Module signature appended~\n") for m in modules)
    secret = (folder / "good.key").read_bytes().splitlines()[2]
    assert not [file for file in (tmp_path / "one").rglob("*") if file.is_file() and secret in file.read_bytes()]

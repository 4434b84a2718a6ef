#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks at the key and the certificate that an image is to be signed with, before anything is built:

    keys.py --key KEY --certificate CERT [--room BYTES] [--anyway] OUTPUT

OUTPUT becomes the certificate alone, in PEM form, and stays as it is when it is that already. The
key is only looked at: nothing of it is written anywhere.
"""

import argparse
import calendar
import os
import re
import subprocess
import sys
import time
from pathlib import Path

MOST = 64 * 1024  # bytes of a file; a key or a certificate has some 2000
BITS = (2048, 3072, 4096)
HASHES = ("sha256", "sha384", "sha512")
BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----\n?", re.DOTALL)


class Refused(Exception):
    """The subject and what is wrong with it."""


def openssl(*words: str, text: str = "") -> str:
    """What openssl prints; it never asks for a passphrase."""
    done = subprocess.run(
        ["openssl", *words], input=text, capture_output=True, text=True, check=False,
        env=dict(os.environ, LC_ALL="C"),
    )  # fmt: skip
    if done.returncode:
        raise ValueError(done.stderr.strip().splitlines()[-1:] or "openssl failed")
    return done.stdout


def read(name: str, path: str, example: str) -> dict[str, list[str]]:
    """The blocks of a file in PEM form, by their kind."""
    if not path:
        raise Refused(f"{name}: it is missing: make sign KEY=key.pem CERT=cert.pem")
    try:
        if not Path(path).is_file() and Path(path).exists():
            raise Refused(f"{name}: {path}: it is no plain file")
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise Refused(f"{name}: {path}: read it: {error.strerror}") from error
    if len(data) > MOST:
        raise Refused(f"{name}: {path}: it is too large for {example}")
    blocks: dict[str, list[str]] = {}
    for found in BLOCK.finditer(data.decode("ascii", errors="replace")):
        blocks.setdefault(found[1], []).append(found[0])
    if not blocks:
        raise Refused(f"{name}: {path}: it is not in PEM form (-----BEGIN …)")
    return blocks


def read_certificate(path: str) -> str:
    blocks = read("CERT", path, "a certificate")
    found = blocks.get("CERTIFICATE", [])
    if not found:
        raise Refused(f"CERT: {path}: it has no certificate, but: {', '.join(blocks)}")
    if len(found) > 1:
        raise Refused(f"CERT: {path}: it has {len(found)} certificates: want that of KEY alone")
    try:
        return openssl("x509", text=found[0])
    except ValueError:
        raise Refused(f"CERT: {path}: its certificate is damaged") from None


def read_key(path: str) -> str:
    """The public half of the key."""
    blocks = read("KEY", path, "a key")
    kinds = [kind for kind in blocks if kind.endswith("PRIVATE KEY")]
    if not kinds:
        raise Refused(f"KEY: {path}: it has no private key, but: {', '.join(blocks)}")
    if "ENCRYPTED PRIVATE KEY" in kinds or "Proc-Type: 4,ENCRYPTED" in blocks[kinds[0]][0]:
        raise Refused(f"KEY: {path}: it has a passphrase, for which nobody can be asked")
    try:
        return openssl("pkey", "-in", path, "-passin", "pass:", "-pubout")
    except ValueError:
        raise Refused(f"KEY: {path}: its private key is damaged, or of an unknown kind") from None


def public_half(certificate: str) -> str:
    return openssl("pkey", "-pubin", text=openssl("x509", "-noout", "-pubkey", text=certificate))


def check_kind(certificate: str) -> None:
    """Firmware and kernel have to know it: RSA is what both do, and the kernel's only way."""
    text = openssl("x509", "-noout", "-text", text=certificate)
    kind = re.search(r"Public Key Algorithm: (\S+)", text)
    bits = re.search(r"Public-Key: \((\d+) bit", text)
    signed = re.search(r"Signature Algorithm: (\S+)", text)
    if not kind or kind[1] != "rsaEncryption":
        raise Refused(f"CERT: its key is of the kind {kind[1] if kind else '?'}: want RSA")
    if not bits or int(bits[1]) not in BITS:
        raise Refused(f"CERT: its key has {bits[1] if bits else '?'} bits: want 2048, 3072 or 4096")
    if not signed or signed[1] not in [f"{name}WithRSAEncryption" for name in HASHES]:
        raise Refused(f"CERT: it is signed by {signed[1] if signed else '?'}: want RSA with SHA-256, -384 or -512")


def check_size(certificate: str, room: int) -> None:
    der = "".join(line for line in certificate.splitlines() if "-----" not in line)
    size = len(der) * 3 // 4 - der.count("=")
    if size > room:
        raise Refused(f"CERT: it has {size} bytes in DER form, and the kernel room for {room}")


def seconds(word: str, dates: str) -> int:
    found = re.search(rf"^{word}=(.+) GMT$", dates, re.MULTILINE)
    if not found:
        raise Refused("CERT: it has no dates")
    return calendar.timegm(time.strptime(found[1], "%b %d %H:%M:%S %Y"))


def check_dates(certificate: str, anyway: bool) -> None:
    """Neither firmware nor kernel look at them, and update does not: clocks of servers are wrong.
    People who keep keys do."""
    dates = openssl("x509", "-noout", "-dates", text=certificate)
    now = time.time()
    for wrong, word, what in (
        (seconds("notBefore", dates) > now, "notBefore", "is not valid yet"),
        (seconds("notAfter", dates) < now, "notAfter", "has expired"),
    ):
        if wrong and not anyway:
            date = time.strftime("%Y-%m-%d", time.gmtime(seconds(word, dates)))
            raise Refused(f"CERT: it {what} ({date}); ANYWAY=1 signs with it all the same")


def look(args: argparse.Namespace) -> str:
    """The certificate, when all is well."""
    public = read_key(args.key)
    certificate = read_certificate(args.certificate)
    check_kind(certificate)
    check_size(certificate, args.room)
    if public_half(certificate) != public:
        raise Refused(f"KEY: {args.key}: it is not the key of {args.certificate}")
    check_dates(certificate, args.anyway)
    return certificate


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Looks at what an image is to be signed with.")
    parser.add_argument("--key", required=True, help="the private key, in PEM form")
    parser.add_argument("--certificate", required=True, help="its certificate, in PEM form")
    parser.add_argument("--room", type=int, default=4096, help="bytes that it may have (4096)")
    parser.add_argument("--anyway", action="store_true", help="although its dates are wrong")
    parser.add_argument("output", type=Path, help="where the certificate is put")
    args = parser.parse_args(words)
    try:
        certificate = look(args)
        args.output.parent.mkdir(parents=True, exist_ok=True)
        if not args.output.is_file() or args.output.read_text() != certificate:
            args.output.write_text(certificate)
    except (Refused, ValueError, OSError) as error:
        print(f"hvinit: sign: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

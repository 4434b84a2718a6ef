#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts a certificate into the place that an arm64 kernel was built with for one, among the keys that
it trusts from the start (CONFIG_SYSTEM_EXTRA_CERTIFICATE; certs/system_certificates.S of Linux):

    trust.py --image IMAGE --map SYSTEM_MAP --certificate DER OUTPUT

IMAGE is the plain one; nothing of it changes but the certificate and the two numbers that say how
long it is. An image that is not the map's, or has a certificate there already, is refused.
"""

import argparse
import struct
import sys
from pathlib import Path

# Documentation/arch/arm64/booting.rst: a header of 64 bytes.
HEADER_SIZE, IMAGE_SIZE_AT, MAGIC_AT, MAGIC = 64, 16, 56, b"ARM\x64"
SYMBOLS = (
    "_text", "_end", "system_certificate_list", "system_extra_cert", "system_extra_cert_used",
    "system_certificate_list_size",
)  # fmt: skip


class Refused(Exception):
    """Something is not as it has to be."""


def read_map(text: str) -> dict[str, int]:
    """Where the kernel is linked to have SYMBOLS, each of which must be there once."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) != 3:
            raise Refused(f"the map has a line that is none: {line[:60]!r}")
        if words[2] not in SYMBOLS:
            continue
        if words[2] in found:
            raise Refused(f"the map has {words[2]} twice")
        found[words[2]] = int(words[0], 16)
    lost = [name for name in SYMBOLS if name not in found]
    if lost:
        raise Refused(f"the map lacks {lost[0]}: the kernel has no room for a certificate")
    return found


def check_image(image: bytes, place: dict[str, int]) -> None:
    """The header tells how much memory the kernel takes, which must be what the map says."""
    if len(image) < HEADER_SIZE or image[MAGIC_AT : MAGIC_AT + len(MAGIC)] != MAGIC:
        raise Refused("the image is no arm64 kernel, or a compressed one")
    (size,) = struct.unpack_from("<Q", image, IMAGE_SIZE_AT)
    if size != place["_end"] - place["_text"]:
        raise Refused("image and map are of two kernels")


def insert(image: bytes, place: dict[str, int], certificate: bytes) -> bytes:
    """The image with the certificate."""
    check_image(image, place)
    # The file is what is at _text in memory, up to where only zeros follow.
    at, used_at, size_at = (
        place[name] - place["_text"]
        for name in ("system_extra_cert", "system_extra_cert_used", "system_certificate_list_size")
    )
    if not 0 < at < used_at < size_at <= len(image) - 8:
        raise Refused("the room for a certificate is not in the image")
    room = used_at - at
    (used,) = struct.unpack_from("<i", image, used_at)
    (size,) = struct.unpack_from("<Q", image, size_at)
    if used or any(image[at:used_at]):
        raise Refused("the image has a certificate already")
    # The kernel reads one list: what is inserted has to stand right behind what was built in.
    if place["system_certificate_list"] + size != place["system_extra_cert"]:
        raise Refused("the room is not behind the kernel's own certificates")
    if not certificate or len(certificate) > room:
        raise Refused(f"the certificate has {len(certificate)} bytes, the room {room}")
    # x509_load_certificate_list() takes no other form: a sequence with two bytes of length.
    if certificate[:2] != b"\x30\x82" or int.from_bytes(certificate[2:4]) + 4 != len(certificate):
        raise Refused("the certificate is not one in DER form")
    changed = bytearray(image)
    changed[at : at + len(certificate)] = certificate
    struct.pack_into("<i", changed, used_at, len(certificate))
    struct.pack_into("<Q", changed, size_at, size + len(certificate))
    return bytes(changed)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Puts a certificate among a kernel's keys.")
    parser.add_argument("--image", type=Path, required=True, help="the plain kernel")
    parser.add_argument("--map", type=Path, required=True, help="its System.map")
    parser.add_argument("--certificate", type=Path, required=True, help="in DER form")
    parser.add_argument("output", type=Path)
    args = parser.parse_args(words)
    try:
        place = read_map(args.map.read_text())
        made = insert(args.image.read_bytes(), place, args.certificate.read_bytes())
        args.output.write_bytes(made)
    except (Refused, OSError, ValueError) as error:
        print(f"hvinit: sign: {args.image}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the image's bill of materials (SPDX 2.3, JSON): packages, versions, files, the kernel."""

import argparse
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
IMAGE = "SPDXRef-image"
DISK = "SPDXRef-disk"
LOADER = "/EFI/BOOT/BOOTAA64.EFI"
GUEST_INITRD = "/usr/lib/hvinit/demo/initrd"
# Debian packages that are in the image without a file of their own in the root file system.
LINKED_IN = {
    "systemd-boot-efi": ("the UKI's stub", "CONTAINS"),
    "musl-dev": ("the C library in PID 1", "STATIC_LINK"),
}


@dataclass(frozen=True)
class Package:
    """A line of a lock."""

    name: str
    version: str
    arch: str
    sha256: str
    size: str

    @property
    def spdx_id(self) -> str:
        return "SPDXRef-deb-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in self.name)

    def spdx(self) -> Json:
        purl = f"pkg:deb/debian/{self.name}@{self.version.replace(':', '%3A')}?arch={self.arch}"
        return {
            **base_package(self.spdx_id, self.name, self.version),
            "supplier": "Organization: Debian",
            "checksums": [{"algorithm": "SHA256", "checksumValue": self.sha256}],
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE-MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": purl,
                }
            ],
        }


def base_package(spdx_id: str, name: str, version: str) -> Json:
    return {
        "SPDXID": spdx_id,
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def read_lock(path: Path) -> dict[str, Package]:
    packages = (Package(*line.split()) for line in path.read_text().splitlines())
    return {package.name: package for package in packages}


def read_owners(tree: Path) -> dict[str, str]:
    """The package of each file of a package tree, by the path inside it."""
    return dict(line.split("\t") for line in (tree / ".files").read_text().splitlines())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verification_code(files: list[Json]) -> str:
    """SPDX 2.3, section 7.9: the SHA-1 of the files' sorted SHA-1 sums."""
    return hashlib.sha1("".join(sorted(entry["sha1"] for entry in files)).encode()).hexdigest()


def relation(left: str, kind: str, right: str) -> Json:
    return {"spdxElementId": left, "relationshipType": kind, "relatedSpdxElement": right}


class Bill:
    """The document while it grows."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.lock = read_lock(options.target / ".lock")
        self.owners = read_owners(options.target)
        self.packages: dict[str, Json] = {}
        self.files: list[Json] = []
        self.relations = [relation("SPDXRef-DOCUMENT", "DESCRIBES", one) for one in (IMAGE, DISK)]

    def add_package(self, package: Json, kind: str = "CONTAINS") -> str:
        spdx_id: str = package["SPDXID"]
        if spdx_id not in self.packages:
            self.packages[spdx_id] = package
            if spdx_id != IMAGE:
                self.relations.append(relation(IMAGE, kind, spdx_id))
        return spdx_id

    def add_image(self) -> None:
        image = base_package(IMAGE, "hvinit", self.options.version)
        image["packageFileName"] = self.options.image.name
        image["checksums"] = [{"algorithm": "SHA256", "checksumValue": sha256(self.options.image)}]
        image["licenseDeclared"] = "GPL-2.0-or-later"
        image["primaryPackagePurpose"] = "FIRMWARE"
        own = [entry for records in self.options.files for entry in json.loads(records.read_text())]
        image["filesAnalyzed"] = True
        image["packageVerificationCode"] = {"packageVerificationCodeValue": verification_code(own)}
        self.add_package(image)

    def add_disk(self) -> None:
        """The disk has the image, and a boot loader from the package that the image's stub is from."""
        disk = base_package(DISK, "hvinit-disk", self.options.version)
        disk["packageFileName"] = self.options.disk.name
        disk["checksums"] = [{"algorithm": "SHA256", "checksumValue": sha256(self.options.disk)}]
        disk["licenseDeclared"] = "GPL-2.0-or-later"
        disk["primaryPackagePurpose"] = "FIRMWARE"
        self.packages[DISK] = disk
        data = self.options.loader.read_bytes()
        self.relations.append(relation(DISK, "CONTAINS", IMAGE))
        self.add_file(DISK, {
            "path": LOADER, "size": len(data), "source": str(self.options.loader),
            "sha1": hashlib.sha1(data).hexdigest(), "sha256": hashlib.sha256(data).hexdigest(),
        })  # fmt: skip

    def add_kernel(self) -> None:
        release = (self.options.kernel / "release").read_text().strip()
        kernel = base_package("SPDXRef-kernel", "linux", release)
        kernel["licenseDeclared"] = "GPL-2.0-only WITH Linux-syscall-note"
        kernel["primaryPackagePurpose"] = "OPERATING-SYSTEM"
        kernel["checksums"] = [
            {"algorithm": "SHA256", "checksumValue": sha256(self.options.kernel / "vmlinuz.efi")}
        ]
        kernel["comment"] = f"configuration sha256 {sha256(self.options.kernel / 'config')}"
        self.add_package(kernel)
        for package in read_lock(self.options.source_lock).values():
            if package.name.startswith("linux-source-"):
                self.packages[package.spdx_id] = package.spdx()
                self.relations.append(relation("SPDXRef-kernel", "GENERATED_FROM", package.spdx_id))

    def add_linked_in(self) -> None:
        for name, (comment, kind) in LINKED_IN.items():
            self.add_package(self.lock[name].spdx() | {"comment": comment}, kind)

    def add_origin(self, file_id: str, source: str) -> None:
        """Says which package a file came from; what this project made has none."""
        if source.startswith(f"{self.options.kernel}/"):
            self.relations.append(relation(file_id, "GENERATED_FROM", "SPDXRef-kernel"))
        elif source.startswith(f"{self.options.target}/"):
            name = self.owners[source.removeprefix(str(self.options.target))]
            package_id = self.add_package(self.lock[name].spdx())
            self.relations.append(relation(file_id, "EXPANDED_FROM_ARCHIVE", package_id))

    def add_file(self, container: str, entry: Json) -> None:
        file_id = f"SPDXRef-file-{len(self.files) + 1}"
        self.files.append(
            {
                "SPDXID": file_id,
                "fileName": f".{entry['path']}",
                "checksums": [
                    {"algorithm": "SHA1", "checksumValue": entry["sha1"]},
                    {"algorithm": "SHA256", "checksumValue": entry["sha256"]},
                ],
                "licenseConcluded": "NOASSERTION",
                "copyrightText": "NOASSERTION",
                "comment": f"{entry['size']} bytes",
            }
        )
        self.relations.append(relation(container, "CONTAINS", file_id))
        self.add_origin(file_id, entry["source"])

    def add_files(self, records: Path, container: str) -> None:
        for entry in json.loads(records.read_text()):
            self.add_file(container, entry)

    def file_id(self, path: str) -> str | None:
        return next((f["SPDXID"] for f in self.files if f["fileName"] == f".{path}"), None)

    def document(self) -> Json:
        created = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
        digest = self.packages[IMAGE]["checksums"][0]["checksumValue"]
        return {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"hvinit-{self.options.version}",
            "documentNamespace": f"urn:hvinit:image:sha256:{digest}",
            "creationInfo": {
                "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", created),
                "creators": [f"Tool: hvinit-{self.options.version}"],
            },
            "packages": list(self.packages.values()),
            "files": self.files,
            "relationships": self.relations,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", required=True)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--disk", type=Path, required=True, help="the disk with the image")
    parser.add_argument("--loader", type=Path, required=True, help="the disk's boot loader")
    parser.add_argument("--target", type=Path, required=True, help="package tree of the image")
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--source-lock", type=Path, required=True, help="of the kernel's source")
    parser.add_argument("--files", type=Path, action="append", required=True, help="pack.py's record")
    parser.add_argument("--guest-files", type=Path, required=True, help="the demo guest's")
    bill = Bill(parser.parse_args())
    bill.add_image()
    bill.add_kernel()
    bill.add_linked_in()
    bill.add_disk()
    for records in bill.options.files:
        bill.add_files(records, IMAGE)
    guest = bill.file_id(GUEST_INITRD)
    if guest:
        bill.add_files(bill.options.guest_files, guest)
    print(json.dumps(bill.document(), indent=1))


if __name__ == "__main__":
    main()

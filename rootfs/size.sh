#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints how large the image is, and of what: as files, and as they are compressed.
set -eu

bytes() { stat -L -c %s "$1"; }
row() { printf '%-34s %10d\n' "$1" "$2"; }

row out/hvinit.efi "$(bytes out/hvinit.efi)"
row '  kernel, compressed' "$(bytes build/kernel/vmlinuz.efi)"
row '  root file system, compressed' "$(bytes build/rootfs.cpio.zst)"
row '  PID 1 and manifest' "$(bytes build/appliance.cpio)"
row 'root file system, unpacked' "$(bytes build/rootfs.cpio)"
/usr/bin/python3 - build/rootfs.files <<'END'
import json, sys
parts: dict[str, int] = {}
for entry in json.load(open(sys.argv[1])):
    path = entry["path"]
    part = (
        "QEMU" if "/qemu-system" in path
        else "firmware" if path.endswith(".fd")
        else "kernel modules" if "/modules/" in path
        else "demo guest" if "/demo/" in path
        else "busybox" if path.endswith("/busybox")
        else "shared libraries" if ".so" in path
        else "other"
    )
    parts[part] = parts.get(part, 0) + entry["size"]
for part, size in sorted(parts.items(), key=lambda item: -item[1]):
    print(f"  {part:<32} {size:10}")
END

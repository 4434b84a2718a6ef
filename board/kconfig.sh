#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Unpacks of a kernel's source what its Kconfig needs, and builds Kconfig's program: with that, the
# boards' fragments can be looked at in seconds, and no kernel is compiled (tests/boards.py).
# The folder can be moved. It then also holds tiny.config, which every board starts from.
# Usage: kconfig.sh TARBALL FOLDER     (CROSS_COMPILE from the environment)
set -euo pipefail

tarball=$1 folder=$2
# Makefiles tell which symbol a module belongs to.
wanted=('*/Kconfig*' '*/Makefile' '*/scripts/*' '*/arch/arm64/tools/*' '*/kernel/configs/*')

unset MAKEFLAGS MFLAGS MAKELEVEL
echo "hvinit: kconfig: unpacking ${tarball##*/}" >&2
tar -xf "$tarball" -C "$folder" --strip-components=1 --wildcards "${wanted[@]}"
make -s -C "$folder" ARCH=arm64 CROSS_COMPILE="${CROSS_COMPILE:-}" tinyconfig >"$folder/log" 2>&1 || {
	cat "$folder/log" >&2
	exit 1
}
mv "$folder/.config" "$folder/tiny.config"

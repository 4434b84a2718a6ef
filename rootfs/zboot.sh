#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Compresses an arm64 Image into an EFI program that unpacks it, as the kernel's own build does
# (drivers/firmware/efi/libstub/Makefile.zboot of Linux), out of the parts that KERNEL has kept. So
# of KERNEL's own Image it makes the bytes of KERNEL's own vmlinuz.efi; a test holds it to that.
# Usage: zboot.sh KERNEL IMAGE OUTPUT                 (CROSS_COMPILE from the environment)
set -euo pipefail

: "${CROSS_COMPILE=$([ "$(uname -m)" = aarch64 ] || echo aarch64-linux-gnu-)}"
kernel=$1 image=$2 output=$3
parts=$kernel/zboot
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "hvinit: zboot: $*" >&2
	exit 1
}

# The four bytes of a number, the lowest one first.
little_endian() {
	local at
	for at in 0 8 16 24; do
		# shellcheck disable=SC2059 # the format is made of the number
		printf "\\x$(printf %02x $(($1 >> at & 255)))"
	done
}

# What the Image's header says it takes in memory (booting.rst of arm64); the file lacks the zeros.
size=$(od -An -t u8 -j 16 -N 8 "$image" | tr -d ' ')
if ! [[ $size =~ ^[0-9]+$ ]] || [ "$size" -lt "$(stat -c %s "$image")" ] || [ "$size" -ge $((1 << 32)) ]; then
	die "$image: it is no arm64 kernel"
fi
code_size=$(awk '$3 == "_kernel_codesize" { print $1 }' "$kernel/System.map")
[ -n "$code_size" ] || die "$kernel/System.map: _kernel_codesize is not in it"

cp "$image" "$work/vmlinux.bin"
truncate -s "$size" "$work/vmlinux.bin"
{
	zstd -22 --ultra -q -c <"$work/vmlinux.bin"
	little_endian "$size"
} >"$work/vmlinuz"
# objcopy names symbols after the file as it is called.
cd "$work"
"${CROSS_COMPILE}objcopy" -I binary -O elf64-littleaarch64 --add-symbol "zboot_code_size=0x$code_size" \
	--rename-section .data=.gzdata,load,alloc,readonly,contents vmlinuz vmlinuz.o
cd "$OLDPWD"
"${CROSS_COMPILE}ld" -EL -maarch64linux -z norelro -z noexecstack --no-warn-rwx-segments -T "$parts/zboot.lds" \
	"$work/vmlinuz.o" "$parts/zboot-header.o" "$parts/lib.a" -o "$work/vmlinuz.efi.elf"
"${CROSS_COMPILE}objcopy" -O binary "$work/vmlinuz.efi.elf" "$work/vmlinuz.efi"
mv "$work/vmlinuz.efi" "$output"

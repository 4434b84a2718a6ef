#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the arm64 kernel and its modules from a source tarball, tinyconfig and fragments, and
# refuses a configuration that silently lost a wanted symbol.
# Usage: kernel.sh TARBALL LOG FRAGMENT... FOLDER     (CROSS_COMPILE and JOBS from the environment)
set -euo pipefail
# shellcheck source=rootfs/progress.sh
. "$(dirname "$0")/../rootfs/progress.sh"

# About how many files a build makes; only the progress line uses it.
expected_steps=2253

tarball=$1 log=$2
shift 2
fragments=("${@:1:$#-1}")
folder=${!#}
source=$folder/.source build=$folder/.build

die() {
	echo "hvinit: kernel: $*" >&2
	exit 1
}

# The kernel carries its configuration, which tells of tools that somebody may have and that are not used:
# they are not found.
kernel_make() {
	nice make -C "$source" O="$build" ARCH=arm64 CROSS_COMPILE="${CROSS_COMPILE:-}" \
		RUSTC=none BINDGEN=none PAHOLE=none "$@"
}

# Prints "symbol value" for each setting of the fragments; the last one of a symbol counts.
wanted() {
	cat "${fragments[@]}" | sed -n '
		s/^\(CONFIG_[A-Z0-9_]*\)=/\1 /p
		s/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1 n/p' |
		awk '{ symbol = $1; sub(/^[^ ]* /, ""); value[symbol] = $0 }
			END { for (symbol in value) print symbol, value[symbol] }' | LC_ALL=C sort
}

configure() {
	kernel_make tinyconfig
	cat "${fragments[@]}" >>"$build/.config"
	kernel_make olddefconfig
}

check_config() {
	local symbol value got lost=0
	while read -r symbol value; do
		got=$(sed -n "s/^$symbol=//p" "$build/.config")
		[ "${got:-n}" = "$value" ] && continue
		echo "hvinit: kernel: $symbol: wanted $value, olddefconfig made it ${got:-n}" >&2
		lost=1
	done < <(wanted)
	[ "$lost" -eq 0 ] || die "a wanted symbol was lost: its name or what it depends on has changed"
}

percent_compiled() {
	local steps percent
	steps=$(grep -cE '^  (CC|AS|LD|AR)\b' "$log" || :)
	percent=$((steps * 100 / expected_steps))
	echo "$((percent < 99 ? percent : 99)) %"
}

# modules.dep is all that a loader by name needs; depmod's other indexes are for udev and modprobe.
install_modules() {
	local modules=$folder/modules/lib/modules/$1
	kernel_make INSTALL_MOD_PATH="$folder/modules" INSTALL_MOD_STRIP=1 \
		DEPMOD=/sbin/depmod modules_install
	find "$modules" -maxdepth 1 \( -type l -o -type f \) ! -name modules.dep ! -name modules.alias \
		! -name modules.builtin.modinfo -delete
}

# What makes vmlinuz.efi of an Image, for rootfs/zboot.sh. The kernel's archives only name their members.
keep_zboot() {
	local stub=$build/drivers/firmware/efi/libstub members
	mkdir -p "$folder/zboot"
	mapfile -t members < <("${CROSS_COMPILE:-}ar" t "$stub/lib.a")
	"${CROSS_COMPILE:-}ar" cDrs "$folder/zboot/lib.a" "${members[@]}"
	cp "$build/arch/arm64/boot/zboot-header.o" "$source/drivers/firmware/efi/libstub/zboot.lds" \
		"$folder/zboot"
}

# The kernel's make is its own: nothing of the caller's flags belongs in it.
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$source" "$build" "$(dirname "$log")"
log=$(realpath "$log")
trap 'echo "hvinit: kernel: the build failed, see $log" >&2' ERR
echo "hvinit: kernel: unpacking ${tarball##*/}" >&2
tar -xf "$tarball" -C "$source" --strip-components=1

# The same inputs give the same bytes.
KBUILD_BUILD_TIMESTAMP=$(date -u -R -d "@$(stat -L -c %Y "$tarball")")
export KBUILD_BUILD_TIMESTAMP KBUILD_BUILD_USER=hvinit KBUILD_BUILD_HOST=hvinit KBUILD_BUILD_VERSION=1

configure >"$log" 2>&1
check_config
start=$SECONDS
progress_start "kernel: compiling" percent_compiled
kernel_make -j "${JOBS:-$(nproc)}" Image vmlinuz.efi modules >>"$log" 2>&1
progress_stop
release=$(<"$build/include/config/kernel.release")
install_modules "$release" >>"$log" 2>&1
cp "$build/arch/arm64/boot/Image" "$build/arch/arm64/boot/vmlinuz.efi" "$build/System.map" \
	"$build/scripts/sign-file" "$folder"
keep_zboot
cp "$build/.config" "$folder/config"
echo "$release" >"$folder/release"
rm -rf "$source" "$build"
echo "hvinit: kernel: $release built in $((SECONDS - start)) s" >&2

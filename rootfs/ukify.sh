#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes a unified kernel image for arm64, with the package tree's ukify and this machine's Python.
# Usage: ukify.sh TOOLS TARGET OUTPUT UKIFY_OPTION...
set -eu

tools=$1 target=$2 output=$3
shift 3
log=$(mktemp)
trap 'rm -f "$log" "$output.$$"' EXIT

mkdir -p "$(dirname "$output")"
PYTHONPATH=$tools/usr/lib/python3/dist-packages PYTHONDONTWRITEBYTECODE=1 \
	/usr/bin/python3 "$tools/usr/bin/ukify" build --efi-arch=aa64 \
	--stub="$target/usr/lib/systemd/boot/efi/linuxaa64.efi.stub" --output="$output.$$" "$@" \
	>"$log" 2>&1 || {
	cat "$log" >&2
	echo "hvinit: ukify: $output could not be built" >&2
	exit 1
}
mv "$output.$$" "$output"

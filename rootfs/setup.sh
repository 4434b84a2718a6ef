#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs the build machine's missing packages: lists them, then apt-get as root or by sudo.
# Usage: setup.sh [install|check [LIST]]
# check only says what is missing, and fails if anything is; LIST is packages.build, or another one.
set -eu

mode=${1:-install}
list=$(dirname "$0")/${2:-packages.build}
arch=$(dpkg --print-architecture)

wanted() {
	sed -n "s/#.*//; s/^$arch: *//; /:/d; s/ *$//; /./p" "$list"
}

missing=
for package in $(wanted); do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

echo "hvinit: setup: packages that are missing:$missing"
if [ "$mode" = check ]; then
	echo "hvinit: setup: install them with: make setup" >&2
	exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	echo "hvinit: setup: installing packages needs root: run as root, or install sudo" >&2
	exit 1
fi
install() {
	# shellcheck disable=SC2086 # $missing is a list, $as_root may be empty
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends $missing
}
# Package lists may be absent (a container) or stale: they are refreshed only when that shows.
install || { $as_root apt-get update && install; }

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Points LINK at the cache entry KIND-KEY; if there is none, makes it by running COMMAND with an
# empty folder as its last argument. An entry appears whole or not at all, and is made once even
# when several builds want it at the same time.
# Usage: cache.sh LINK KIND KEY COMMAND [ARGUMENT...]
set -euo pipefail

link=$1 name=$2-$3
shift 3
cache=${HVINIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hvinit}
mkdir -p "$cache/lock"

# A maker holds its lock for as long as it or any child of it lives, so an unfinished folder
# whose lock is free belongs to a dead one.
sweep() {
	local unfinished lock
	for unfinished in "$cache"/tmp-*; do
		[ -d "$unfinished" ] || continue
		lock=${unfinished##*/tmp-}
		lock=$cache/lock/${lock%.*}
		if exec 8>>"$lock" && flock -n 8; then
			rm -rf "$unfinished"
		fi
	done
	exec 8>&-
}

make_entry() (
	exec 9>>"$cache/lock/$name"
	if ! flock -n 9; then
		echo "hvinit: cache: waiting for another build to make $name" >&2
		flock 9
	fi
	[ ! -d "$cache/$name" ] || exit 0
	fresh=$(mktemp -d "$cache/tmp-$name.XXXXXX")
	chmod 755 "$fresh"
	trap 'rm -rf "$fresh"' EXIT
	trap 'exit 1' HUP INT TERM
	"$@" "$fresh"
	mv -T "$fresh" "$cache/$name"
)

if [ ! -d "$cache/$name" ]; then
	sweep
	make_entry "$@"
fi
mkdir -p "$(dirname "$link")"
ln -sfn "$cache/$name" "$link.$$"
mv -fT "$link.$$" "$link"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Package trees: resolves a package list against Debian's signed indexes into a lock (name, version,
# architecture, sha256, size), and unpacks exactly the locked packages. Needs no root: apt works in a
# private root, with nothing installed, and dpkg-deb only unpacks.
# The tree's .lock is its lock, .files says which package each file came from.
# Usage: fetch.sh resolve PACKAGES ARCH LOCK   |   fetch.sh unpack LOCK ARCH FOLDER
set -euo pipefail
# shellcheck source=rootfs/progress.sh
. "$(dirname "$0")/progress.sh"

release=trixie
suites="$release $release-updates $release-backports"

die() {
	echo "hvinit: packages: $*" >&2
	exit 1
}

# The build machine's own mirror serves every suite, so that nobody has to name one.
mirror() {
	if [ -n "${HVINIT_MIRROR:-}" ]; then
		echo "$HVINIT_MIRROR"
		return
	fi
	# shellcheck disable=SC2016 # the $() are apt's
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(SITE)' |
		sed -n 's/^Debian|Debian|//p' | sort -u | sed -n 1p
}

# Makes a private apt root in $1 for architecture $2, with the machine's own proxy settings.
apt_root() {
	local root=$1 arch=$2 site keyring suite
	site=$(mirror)
	[ -n "$site" ] || die "no Debian mirror is configured in apt; name one in HVINIT_MIRROR"
	for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
		[ ! -f "$keyring" ] || break
	done
	[ -f "$keyring" ] || die "debian-archive-keyring is not installed; run: make setup"
	mkdir -p "$root"/{lists/partial,cache/archives/partial}
	: >"$root/status"
	for suite in $suites; do
		echo "deb [arch=$arch signed-by=$keyring] $site $suite main"
	done >"$root/sources.list"
	{
		apt-config dump | grep -E '^Acquire::(https?|Retries|Check|ForceIPv)' || :
		cat <<-END
			Dir::Etc::main "/dev/null";
			Dir::Etc::parts "/dev/null";
			Dir::Etc::sourcelist "$root/sources.list";
			Dir::Etc::sourceparts "/dev/null";
			Dir::Etc::preferences "/dev/null";
			Dir::Etc::preferencesparts "/dev/null";
			Dir::Etc::trusted "/dev/null";
			Dir::Etc::trustedparts "/dev/null";
			Dir::State "$root";
			Dir::State::lists "$root/lists";
			Dir::State::status "$root/status";
			Dir::Cache "$root/cache";
			Dir::Log "$root";
			APT::Architecture "$arch";
			APT::Architectures "$arch";
			APT::Install-Recommends "0";
			APT::Sandbox::User "";
			Acquire::Languages "none";
			Acquire::Retries "3";
		END
	} >"$root/apt.conf"
	export APT_CONFIG="$root/apt.conf"
	apt-get -qq update || die "the package indexes of $site cannot be fetched"
}

# Prints the packages of a list that are marked $2 ("alone" or nothing).
listed() {
	awk -v mark="$2" '{ sub(/#.*/, "") } NF && $2 == mark { print $1 }' "$1"
}

# From package records to lock lines.
records_to_lock() {
	awk '
		$1 == "Package:" { name = $2 }
		$1 == "Version:" { version = $2 }
		$1 == "Architecture:" { arch = $2 }
		$1 == "Size:" { size = $2 }
		$1 == "SHA256:" { sha256 = $2 }
		NF == 0 { print name, version, arch, sha256, size }
	' | LC_ALL=C sort -u
}

resolve() {
	local packages=$1 arch=$2 lock=$3 scratch
	scratch=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder's name is wanted now
	trap "rm -rf '$scratch'" EXIT
	echo "hvinit: packages: resolving ${packages##*.} for $arch" >&2
	apt_root "$scratch/apt" "$arch"
	listed "$packages" "" | xargs -r apt-get -qq --simulate install >"$scratch/plan" ||
		die "$packages cannot be resolved"
	{
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' "$scratch/plan"
		listed "$packages" alone
	} >"$scratch/wanted"
	xargs apt-cache --no-all-versions show <"$scratch/wanted" | records_to_lock >"$scratch/lock" ||
		die "$packages cannot be resolved"
	sed 's|[=/].*||' "$scratch/wanted" | LC_ALL=C sort -u | cmp -s - <(cut -d' ' -f1 "$scratch/lock") ||
		die "$packages: some packages have no record, or two"
	mkdir -p "$(dirname "$lock")"
	mv "$scratch/lock" "$lock"
}

# Prints how much of $2 MB is in folder $1.
fetched() {
	echo "$(($(du -sb "$1" | cut -f1) / 1000000)) of $2 MB"
}

unpack() {
	local lock=$1 arch=$2 folder=$3 megabytes name version package_arch sha256 deb
	megabytes=$(awk '{ sum += $5 } END { print int(sum / 1e6) }' "$lock")
	mkdir "$folder/.debs" "$folder"/usr "$folder"/usr/{bin,sbin,lib,lib64}
	ln -s usr/bin usr/sbin usr/lib usr/lib64 "$folder"
	apt_root "$folder/.apt" "$arch"
	progress_start "packages: fetching for $arch" fetched "$folder/.debs" "$megabytes"
	awk '{ print $1 "=" $2 }' "$lock" | (cd "$folder/.debs" && xargs apt-get -qq download) ||
		die "a locked package cannot be fetched (a newer one may have replaced it: make update)"
	progress_stop
	while read -r name version package_arch sha256 _; do
		deb=$(printf '%s\n' "$folder/.debs/${name}_"*"_$package_arch.deb")
		echo "$sha256  $deb" | sha256sum --quiet --strict -c - ||
			die "$name $version is not the locked one: make update"
		dpkg-deb --fsys-tarfile "$deb" |
			tar -xv -C "$folder" --keep-directory-symlink --no-same-owner --no-same-permissions |
			sed -n "s|^\.\(/.*[^/]\)\$|\1\t$name|p" >>"$folder/.files"
	done <"$lock"
	echo "hvinit: packages: fetched and unpacked $(wc -l <"$lock") packages for $arch" >&2
	cp "$lock" "$folder/.lock"
	rm -rf "$folder/.debs" "$folder/.apt"
}

command=$1
shift
"$command" "$@"

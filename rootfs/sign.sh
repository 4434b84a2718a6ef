#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Signs with a key of the user's, which is read where it is and copied nowhere. The signatures' time
# is SOURCE_DATE_EPOCH, so that the same key and inputs give the same bytes.
# Usage: sign.sh efi KEY CERTIFICATE FILE SIGNED      an EFI program, as firmware wants it
#        sign.sh kernel KEY CERTIFICATE KERNEL SIGNED the folder of a kernel: its image and modules
set -euo pipefail

die() {
	echo "hvinit: sign: $*" >&2
	exit 1
}

sign_efi() {
	local key=$1 certificate=$2 file=$3 signed=$4 said
	mkdir -p "$(dirname "$signed")"
	rm -f "$signed.part"
	said=$(osslsigncode sign -h sha256 -time "${SOURCE_DATE_EPOCH:-0}" -certs "$certificate" \
		-key "$key" -in "$file" -out "$signed.part" 2>&1) || die "$file: $said"
	mv "$signed.part" "$signed"
}

# A certificate can be put into the plain kernel alone, which is then compressed anew. The result is
# signed, too: not every firmware lets the UKI's stub start a kernel that is not.
sign_image() {
	local key=$1 certificate=$2 kernel=$3 signed=$4
	openssl x509 -in "$certificate" -outform DER -out "$signed/certificate.der"
	rootfs/trust.py --image "$kernel/Image" --map "$kernel/System.map" \
		--certificate "$signed/certificate.der" "$signed/Image"
	rootfs/zboot.sh "$kernel" "$signed/Image" "$signed/unsigned.efi"
	sign_efi "$key" "$certificate" "$signed/unsigned.efi" "$signed/vmlinuz.efi"
	rm "$signed/certificate.der" "$signed/Image" "$signed/unsigned.efi"
}

sign_modules() {
	local key=$1 certificate=$2 kernel=$3 signed=$4 hash module
	hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"$/\1/p' "$kernel/config")
	[ -n "$hash" ] || die "$kernel: its modules take no signatures"
	cp -R "$kernel/modules" "$signed"
	while IFS= read -r module; do
		"$kernel/sign-file" "$hash" "$key" "$certificate" "$signed/$module" ||
			die "$module: sign-file failed"
	done < <(cd "$kernel" && find modules -name '*.ko')
}

sign_kernel() {
	local kernel=$3 signed=$4
	rm -rf "$signed.part"
	mkdir -p "$signed.part"
	cp "$kernel/config" "$kernel/release" "$signed.part"
	sign_modules "$1" "$2" "$kernel" "$signed.part"
	sign_image "$1" "$2" "$kernel" "$signed.part"
	rm -rf "$signed"
	mv "$signed.part" "$signed"
}

what=$1
shift
"sign_$what" "$@"

# SPDX-License-Identifier: GPL-2.0-or-later
# The image once more, signed with a key of the user's: see docs/secure-boot.md.

.PHONY: sign

SIGNED := build/signed
SIGNED_OUT := out/signed
CERTIFICATE := $(SIGNED)/certificate.pem
# How large a certificate the kernel has room for.
ROOM := $(shell sed -n 's/^CONFIG_SYSTEM_EXTRA_CERTIFICATE_SIZE=//p' board/common/hardening.config)
# The kernel reads no word behind the "--". So neither firmware (SMBIOS) nor an addon can add one.
SIGNED_CMDLINE = $(KERNEL_CMDLINE) lockdown=integrity --

# Key and certificate are looked at before anything is built with them. The certificate's file stays
# as it is while it is the same one, and with it all that the key has signed.
sign: build/setup-checked ## the image signed for Secure Boot, in out/signed/; KEY=key.pem CERT=cert.pem
	$(Q)rootfs/keys.py --key '$(KEY)' --certificate '$(CERT)' --room $(ROOM) \
		$(if $(ANYWAY),--anyway) $(CERTIFICATE)
	$(Q)case ' $(KERNEL_CMDLINE) ' in *' -- '*) \
		echo 'hvinit: sign: KERNEL_CMDLINE: "--" ends what the kernel reads' >&2; exit 1;; esac
	$(Q)$(MAKE) --no-print-directory $(SIGNED_OUT)/SHA256SUMS

$(CERTIFICATE):
	@echo 'hvinit: sign: there is no certificate: make sign KEY=key.pem CERT=cert.pem' >&2; exit 1

$(SIGNED)/kernel/vmlinuz.efi: $(KERNEL) $(CERTIFICATE) rootfs/sign.sh rootfs/trust.py rootfs/zboot.sh
	$(say) SIGN $(@D)
	$(Q)CROSS_COMPILE=$(CROSS_COMPILE) rootfs/sign.sh kernel '$(KEY)' $(CERTIFICATE) $(KERNEL) $(@D)

$(SIGNED)/modules.cpio.zst: rootfs/modules.list $(SIGNED)/kernel/vmlinuz.efi rootfs/pack.py build/rootfs.config
	$(say) CPIO $@
	$(Q)rootfs/pack.py -D KERNEL=$(SIGNED)/kernel -D RELEASE="$$(cat $(SIGNED)/kernel/release)" \
		--record $(SIGNED)/modules.files $(SIGNED)/modules.cpio $<
	$(Q)$(call compress,$(SIGNED)/modules.cpio)

$(SIGNED)/certificate.cpio: rootfs/signed.list $(CERTIFICATE) rootfs/pack.py
	$(Q)rootfs/pack.py -D CERTIFICATE=$(CERTIFICATE) --record $(SIGNED)/certificate.files $@ $<

$(SIGNED_OUT)/hvinit.efi: $(UKI_PARTS) $(SIGNED)/modules.cpio.zst $(SIGNED)/certificate.cpio \
		rootfs/sign.mk rootfs/sign.sh
	$(say) UKI $@
	$(Q)cat build/base.cpio.zst $(SIGNED)/modules.cpio.zst $(demo_files) >$(SIGNED)/rootfs.cpio.zst
	$(Q)rootfs/ukify.sh $(TOOLS) $(TARGET) $(SIGNED)/unsigned.efi \
		--linux=$(SIGNED)/kernel/vmlinuz.efi --uname="$$(cat $(SIGNED)/kernel/release)" \
		--initrd=$(SIGNED)/rootfs.cpio.zst --initrd=build/appliance.cpio.zst \
		--initrd=$(SIGNED)/certificate.cpio --os-release=@build/os-release \
		--cmdline='$(SIGNED_CMDLINE)'
	$(Q)rootfs/sign.sh efi '$(KEY)' $(CERTIFICATE) $(SIGNED)/unsigned.efi $@
	$(Q)rm $(SIGNED)/unsigned.efi $(SIGNED)/rootfs.cpio.zst

$(SIGNED)/loader.efi: $(LOADER) $(CERTIFICATE) rootfs/sign.sh
	$(Q)rootfs/sign.sh efi '$(KEY)' $(CERTIFICATE) $< $@

$(SIGNED_OUT)/hvinit.img: $(SIGNED_OUT)/hvinit.efi $(SIGNED)/loader.efi rootfs/disk.py rootfs/gpt.py \
		build/disk.words
	$(say) DISK $@
	$(Q)rootfs/disk.py --loader $(SIGNED)/loader.efi --image $< --version $(HVINIT_VERSION) \
		$$(cat build/disk.words) $@

# What firmware's menus take: the certificate in DER form.
$(SIGNED_OUT)/hvinit.cer: $(CERTIFICATE)
	$(Q)mkdir -p $(@D)
	$(Q)openssl x509 -in $< -outform DER -out $@

# Of the root file system the modules are others.
$(SIGNED)/rootfs.files: build/rootfs.cpio.zst $(SIGNED)/modules.cpio.zst
	$(Q)/usr/bin/python3 -c 'import json, sys; print(json.dumps([entry for entry in \
		json.load(open(sys.argv[1])) if not entry["path"].startswith("/usr/lib/modules/")]))' \
		build/rootfs.files >$@

$(SIGNED_OUT)/sbom.spdx.json: rootfs/sbom.py $(SIGNED_OUT)/hvinit.img $(SIGNED)/rootfs.files
	$(Q)rootfs/sbom.py --version $(HVINIT_VERSION) --image $(SIGNED_OUT)/hvinit.efi \
		--disk $(SIGNED_OUT)/hvinit.img --loader $(SIGNED)/loader.efi --target $(TARGET) \
		--kernel $(SIGNED)/kernel --source-lock build/linux-source.lock \
		--files $(SIGNED)/rootfs.files --files $(SIGNED)/modules.files \
		--files build/appliance.files --files $(SIGNED)/certificate.files \
		--guest-files build/demo.files >$@

SIGNED_SUMMED := hvinit.efi hvinit.img hvinit.cer sbom.spdx.json

$(SIGNED_OUT)/SHA256SUMS: $(SIGNED_SUMMED:%=$(SIGNED_OUT)/%)
	$(Q)cd $(@D) && sha256sum $(SIGNED_SUMMED) >SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS

# SPDX-License-Identifier: GPL-2.0-or-later
# Hosts that share an image: manifests that are built in, and addons. See docs/hosts.md.

.PHONY: addon

hosts = rootfs/hosts.py --hvinit build/native/hvinit --board '$(BOARD)' --output $1

# The folder's files can be any, so it is looked at each time; the list changes when they do.
build/hosts/list: FORCE build/native/hvinit rootfs/hosts.py $(KCONFIG_FILES)
	$(Q)$(call hosts,build/hosts) built-in $(if $(HOSTS),'$(HOSTS)') || { rm -f $(CARRIED); exit 1; }

ADDON_STUB := $(TARGET)/usr/lib/systemd/boot/efi/addonaa64.efi.stub

# Whom it is for is in its name, so that a newer one takes its place.
addon: build/native/hvinit $(TOOLS) $(TARGET) $(KCONFIG_FILES) ## a manifest beside the image: MANIFEST=FILE [HOST=UUID] [KEY=FILE CERT=FILE]
	$(Q)[ -n '$(MANIFEST)' ] || { echo 'hvinit: addon: of what? MANIFEST=FILE.config' >&2; exit 1; }
	$(if $(NO_HOST),@echo 'hvinit: addon: HOST: it is empty: leave it out for an addon that is for any host' >&2; exit 1)
	$(Q)rm -rf build/addon && mkdir -p build/addon
	$(if $(KEY)$(CERT),$(Q)rootfs/keys.py --key '$(KEY)' --certificate '$(CERT)' --room $(ROOM) \
		$(if $(ANYWAY),--anyway) build/addon/certificate.pem)
	$(Q)$(call hosts,build/addon) addon '$(MANIFEST)' '$(or $(HOST),any)'
	$(if $(image_files),,@echo 'no image has been built yet: its files are not looked for')
	$(Q)$(call check_manifest,build/addon/manifest,$(image_files:%=--files %))
	$(Q)rootfs/pack.py build/addon/cpio build/addon/list
	$(Q)rootfs/ukify.sh $(TOOLS) $(TARGET) build/addon/unsigned.efi --stub=$(ADDON_STUB) \
		--initrd=build/addon/cpio
	$(Q)host='$(or $(HOST),any)'; addon=out/manifest-$${host,,}.addon.efi; mkdir -p out; \
		$(if $(KEY),rootfs/sign.sh efi '$(KEY)' build/addon/certificate.pem,mv) build/addon/unsigned.efi "$$addon"; \
		printf '  %-8s %s\n' ADDON "$$addon"

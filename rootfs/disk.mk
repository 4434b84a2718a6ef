# SPDX-License-Identifier: GPL-2.0-or-later
# The image on media: a disk, a CD, a drive that it is written to; and sums of all that is taken away.

.PHONY: disk iso flash sums

# Sizes of the partitions, and what the drive's sectors have (bytes): 4096 for one that is "4Kn".
ESP_MIB ?= 512
STATE_MIB ?= 64
SECTOR ?= 512

# What the firmware starts on the disk, and what that then boots.
LOADER ?= $(TARGET)/usr/lib/systemd/boot/efi/systemd-bootaa64.efi

# The image's media are made again when somebody wants them otherwise.
build/disk.words: FORCE
	$(call keep_words,--esp $(ESP_MIB) --state $(STATE_MIB) --sector-size $(SECTOR))

build/iso.words: FORCE
	$(call keep_words,$(ADDONS:%=--addon %))

disk: out/hvinit.img out/SHA256SUMS ## out/hvinit.img, a whole disk; ESP_MIB (512), STATE_MIB (64), SECTOR (512 or 4096)
out/hvinit.img: out/hvinit.efi rootfs/disk.py rootfs/gpt.py build/disk.words $(TARGET)
	$(say) DISK $@
	$(Q)rootfs/disk.py --loader $(LOADER) --image $< --version $(HVINIT_VERSION) \
		$$(cat build/disk.words) $@

iso: out/hvinit.iso ## out/hvinit.iso, a CD for a BMC's virtual drive; ADDONS=... go beside the image
out/hvinit.iso: out/hvinit.efi rootfs/iso.py rootfs/disk.py build/iso.words $(ADDONS)
	$(say) ISO $@
	$(Q)rootfs/iso.py --image $< --version $(HVINIT_VERSION) $$(cat build/iso.words) $@
	$(Q)cd out && sha256sum hvinit.iso >hvinit.iso.sha256

flash: out/hvinit.img ## writes the disk to DEV (/dev/...): shows it, asks, verifies; YES=name does not ask
	$(Q)[ -n '$(DEV)' ] || { echo 'make flash: want DEV=/dev/...; lsblk lists them' >&2; exit 1; }
	$(Q)rootfs/flash.py $(if $(YES),--yes '$(YES)') $(if $(DRY),--dry-run) out/hvinit.img '$(DEV)'

# In the form that "sha256sum -c" reads, in that folder.
SUMMED := hvinit.efi hvinit.img sbom.spdx.json manifest

sums: out/SHA256SUMS ## out/SHA256SUMS, of all that make image leaves there
out/SHA256SUMS: $(SUMMED:%=out/%)
	$(Q)cd out && sha256sum $(SUMMED) >SHA256SUMS.part && mv SHA256SUMS.part SHA256SUMS

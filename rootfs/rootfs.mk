# SPDX-License-Identifier: GPL-2.0-or-later
# Package trees, the root file system, the image and its bill of materials.

.PHONY: setup update image rootfs sbom size check

setup: ## installs the build machine's missing packages (lists them first; root or sudo)
	$(Q)rootfs/setup.sh

# Every build begins with the package trees, so a missing program is named before it is missed.
build/setup-checked: rootfs/packages.build rootfs/setup.sh
	$(Q)rootfs/setup.sh check
	$(Q)mkdir -p $(@D)
	$(Q)touch $@

# --- package trees: resolved once for each work tree, unpacked once for each cache ---------------
tree_arch_target := arm64
tree_arch_tools := $(HOST_ARCH)
tree_arch_linux-source := $(HOST_ARCH)
TREES := target tools linux-source
LOCKS := $(TREES:%=build/%.lock)

$(LOCKS): build/%.lock: rootfs/packages.% rootfs/fetch.sh | build/setup-checked
	$(Q)rootfs/fetch.sh resolve $< $(tree_arch_$*) $@

update: ## resolves the newest versions of the packages that the image is made of
	$(Q)$(foreach tree,$(TREES),rootfs/fetch.sh resolve rootfs/packages.$(tree) \
		$(tree_arch_$(tree)) build/$(tree).lock;)

$(TARGET) $(TOOLS) build/linux-source: build/%: build/%.lock rootfs/fetch.sh
	$(Q)rootfs/cache.sh $@ tree "$$(cat $^ | sha256sum | cut -c1-16)" \
		rootfs/fetch.sh unpack $< $(tree_arch_$*)

# --- root file system ----------------------------------------------------------------------------
# Only what these parts depend on, so that another VM does not mean another compression.
build/rootfs.config: build/config
	$(Q)mkdir -p $(@D)
	$(Q)sed -n '/^BOARD=/p; /^ROOTFS_/p' $< >$@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

build/os-release: Makefile build/rootfs.config
	$(Q)printf '%s\n' 'ID=hvinit' 'NAME=hvinit' 'VERSION_ID=$(HVINIT_VERSION)' \
		'PRETTY_NAME="hvinit $(HVINIT_VERSION) ($(BOARD))"' 'VARIANT_ID=$(BOARD)' >$@

PACK = rootfs/pack.py -D TARGET=$(TARGET) -D KERNEL=$(KERNEL) -D RELEASE="$$(cat $(KERNEL)/release)"
PACK_PARTS := rootfs/pack.py $(TARGET) $(KERNEL)
# The highest level takes a minute: an archive that is what it was is not compressed again.
zstd_level = $$(sed -n 's/^ROOTFS_ZSTD_LEVEL=//p' build/rootfs.config)
compress = key="$(zstd_level) $$(sha256sum <$1)"; \
	if [ ! -e $1.zst ] || [ "$$(cat $1.key 2>/dev/null)" != "$$key" ]; then \
	rm -f $1.key; zstd -q -f -T0 -$(zstd_level) $1 -o $1.zst.$$$$; mv $1.zst.$$$$ $1.zst; \
	echo "$$key" >$1.key; else touch $1.zst; fi

build/arm64/frames.o: rootfs/demo/frames.c init/sha256.h | build/target build/tools
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS_COMPILE)gcc $(ARM64_CFLAGS) -c -o $@ $<

build/arm64/frames: build/arm64/frames.o build/arm64/init/sha256.o
	$(say) LD $@
	$(Q)$(ARM64_LINK) -s

# The lab's guest boots the lab's kernel: those of other boards lack its drivers.
DEMO := $(if $(filter qemu-virt,$(BOARD)),build/demo.cpio.zst)

build/demo.cpio.zst: rootfs/guest.list rootfs/demo/init build/arm64/frames $(PACK_PARTS) \
		build/rootfs.config
	$(say) CPIO $@
	$(Q)$(PACK) --record build/demo.files build/demo.cpio rootfs/guest.list
	$(Q)$(call compress,build/demo.cpio)

# Of the kernel's configuration only what hvinit looks at; a symbol that is off is left out.
build/kernel.symbols: init/kernel.def $(KERNEL)
	$(Q)sed -n 's/^KERNEL(\(.*\))$$/CONFIG_\1=/p' $< | grep -F -f - $(KERNEL)/config >$@

# The lists that the configuration asks for. What follows --apart is an archive of its own behind the
# first one: modules, for those of a signed image are signed, and the demo, so that the image's size
# without it is known, too.
rootfs_lists = rootfs/base.list $$(sed -n 's/^ROOTFS_BUSYBOX=y/rootfs\/busybox.list/p' build/rootfs.config) \
	--apart build/modules.cpio rootfs/modules.list \
	$$(sed -n 's/^ROOTFS_DEMO=y/--apart build\/demo-files.cpio rootfs\/demo.list/p' build/rootfs.config)
demo_files = $$(ls build/demo-files.cpio.zst 2>/dev/null)

rootfs: build/rootfs.cpio.zst ## the root file system, without PID 1 and the manifest
build/rootfs.cpio.zst build/image.files &: rootfs/base.list rootfs/busybox.list rootfs/modules.list \
		rootfs/demo.list $(PACK_PARTS) build/kernel.symbols $(DEMO) build/rootfs.config
	$(say) CPIO build/rootfs.cpio.zst
	$(Q)rm -f build/demo-files.cpio
	$(Q)$(PACK) --record build/rootfs.files --paths build/image.files build/base.cpio \
		$(rootfs_lists)
	$(Q)$(call compress,build/base.cpio)
	$(Q)$(call compress,build/modules.cpio)
	$(Q)if [ -e build/demo-files.cpio ]; then $(call compress,build/demo-files.cpio); \
		else rm -f build/demo-files.cpio.*; fi
	$(Q)cat build/base.cpio.zst build/modules.cpio.zst $(demo_files) >build/rootfs.cpio.zst.$$$$; \
		mv build/rootfs.cpio.zst.$$$$ build/rootfs.cpio.zst

build/appliance.cpio.zst: rootfs/appliance.list build/hosts/list rootfs/pack.py out/init build/os-release \
		build/manifest
	$(Q)rootfs/pack.py --record build/appliance.files build/appliance.cpio $< build/hosts/list
	$(Q)$(call compress,build/appliance.cpio)

# --- image ---------------------------------------------------------------------------------------

# Words of the command line, kept in a file that changes when they do: what is made with them is made
# again then, and only then.
define keep_words
$(Q)mkdir -p $(@D)
$(Q)echo '$1' >$@.new
$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
endef

build/cmdline.words: FORCE
	$(call keep_words,$(KERNEL_CMDLINE))

# What somebody could carry to a machine. It is gone when it is not what was asked for any more.
CARRIED := $(addprefix out/,hvinit.efi hvinit.img hvinit.iso hvinit.iso.sha256 SHA256SUMS) \
	$(addprefix out/signed/,hvinit.efi hvinit.img SHA256SUMS)

image: out/hvinit.efi out/hvinit.img out/sbom.spdx.json out/manifest out/SHA256SUMS ## what UEFI boots: out/hvinit.efi, one file, and out/hvinit.img, a disk

# What no machine could make work is told of before it is carried to one.
check_manifest = build/native/hvinit check --no-machine $2 $1 >$1.checked || \
	{ echo "hvinit: $1:" >&2; cat $1.checked >&2; [ -n '$(ANYWAY)' ] || \
	{ echo 'make $(MAKECMDGOALS) ANYWAY=1 builds it all the same' >&2; exit 1; }; }

build/checked: build/native/hvinit build/manifest build/hosts/list build/image.files
	$(say) CHECK build/manifest
	$(Q)rm -f $(CARRIED)
	$(Q)$(call check_manifest,build/manifest,--files build/image.files)
	$(Q)shopt -s nullglob; for manifest in build/hosts/*.manifest; do \
		$(call check_manifest,$$manifest,--files build/image.files); done
	$(Q)touch $@

UKI_PARTS := build/checked rootfs/ukify.sh build/rootfs.cpio.zst build/appliance.cpio.zst \
	build/os-release $(KERNEL) $(TOOLS) $(TARGET) board/$(BOARD)/board.mk build/cmdline.words

out/hvinit.efi: $(UKI_PARTS)
	$(say) UKI $@
	$(Q)rootfs/ukify.sh $(TOOLS) $(TARGET) $@ \
		--linux=$(KERNEL)/vmlinuz.efi --uname="$$(cat $(KERNEL)/release)" \
		--initrd=build/rootfs.cpio.zst --initrd=build/appliance.cpio.zst \
		--os-release=@build/os-release --cmdline='$(KERNEL_CMDLINE)'

# Of an image that was never built, nobody knows the files.
image_files = $(wildcard build/image.files)

check: build/native/hvinit out/manifest $(image_files) ## what would keep a VM from starting; HOST=RECORD: on that machine
	$(if $(image_files),,@echo 'no image has been built yet: its files are not looked for')
	$(Q)build/native/hvinit check $(if $(HOST),--host '$(HOST)',--no-machine) \
		$(image_files:%=--files %) build/manifest

sbom: out/sbom.spdx.json ## what the image is made of, as SPDX 2.3
out/sbom.spdx.json: rootfs/sbom.py out/hvinit.efi out/hvinit.img
	$(Q)rootfs/sbom.py --version $(HVINIT_VERSION) --image out/hvinit.efi --disk out/hvinit.img \
		--loader $(LOADER) --target $(TARGET) \
		--kernel $(KERNEL) --source-lock build/linux-source.lock \
		--files build/rootfs.files --files build/appliance.files \
		--guest-files $(if $(DEMO),build/demo.files,/dev/null) >$@

size: out/hvinit.efi ## how large the image is, by part, with and without the demo guest
	$(Q)rootfs/size.py

# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration: Kconfig's front ends, the table of symbols for PID 1, and the manifest.

.PHONY: menuconfig nconfig config olddefconfig savedefconfig listnewconfig manifest

# Slots that a manifest has: bridges and virtual machines of the host, and the parts of each of
# those. Numbers in the templates' prompts and in init/plan.c stand on them.
SLOTS := BRIDGE=4 VM=8 HOSTDEV=16 VSMMU=8 PORT=8 DISK=4 NET=4

# What `make` configures when there is no .config yet.
DEFCONFIG ?= qemu_virt_defconfig

SYMBOLS_H := build/include/symbols.h
KCONFIG_MENUS := build/kconfig/host.in build/kconfig/vm.in
KCONFIG_TEMPLATES := $(wildcard init/kconfig/*.in)
KCONFIG_PLAIN := Kconfig rootfs/Kconfig $(wildcard board/*/Kconfig)
KCONFIG_FILES := $(KCONFIG_MENUS) $(KCONFIG_PLAIN)
DEFCONFIGS := $(notdir $(wildcard configs/*_defconfig))

# Symbols go without Kconfig's usual CONFIG_ before them: they are the manifest's keys.
KCONFIG := CONFIG_= KCONFIG_CONFIG=$(CURDIR)/.config

$(KCONFIG_MENUS) $(SYMBOLS_H) &: init/symbols.py $(KCONFIG_TEMPLATES) $(KCONFIG_PLAIN) configs/configs.mk
	$(say) KCONFIG '$(SYMBOLS_H)'
	$(Q)init/symbols.py --templates init/kconfig --menus build/kconfig --header $(SYMBOLS_H) \
		--slots $(SLOTS) -- $(KCONFIG_PLAIN)

# Front ends that ask are for a person: without a terminal one of them would wait for ever.
ask = $(Q)[ -t 0 ] && [ -t 1 ] || { echo "make $@: needs a terminal (olddefconfig does not)" >&2; exit 1; }

menuconfig: $(KCONFIG_FILES) .config ## changes .config in menus
	$(ask)
	$(Q)$(KCONFIG) kconfig-mconf Kconfig

nconfig: $(KCONFIG_FILES) .config ## the same, another look
	$(ask)
	$(Q)$(KCONFIG) kconfig-nconf Kconfig

config: $(KCONFIG_FILES) .config ## asks for every symbol, line by line
	$(ask)
	$(Q)$(KCONFIG) kconfig-conf --oldaskconfig Kconfig

olddefconfig: $(KCONFIG_FILES) .config ## gives symbols that .config lacks their defaults
	$(Q)$(KCONFIG) kconfig-conf --olddefconfig Kconfig

listnewconfig: $(KCONFIG_FILES) .config ## lists symbols that .config lacks
	$(Q)$(KCONFIG) kconfig-conf --listnewconfig Kconfig

savedefconfig: $(KCONFIG_FILES) .config ## writes what differs from the defaults to ./defconfig
	$(Q)$(KCONFIG) kconfig-conf --savedefconfig=defconfig Kconfig

.PHONY: $(DEFCONFIGS)
$(DEFCONFIGS): %: configs/% $(KCONFIG_FILES)
	$(Q)$(KCONFIG) kconfig-conf --defconfig=$< Kconfig

# A .config that is there is never touched by a build.
.config: | $(KCONFIG_FILES)
	$(say) CONFIG "$(DEFCONFIG); change it with: make menuconfig"
	$(Q)$(KCONFIG) kconfig-conf --defconfig=configs/$(DEFCONFIG) Kconfig > build/kconfig/log

# What the build uses: .config with defaults for symbols that have come since it was written.
build/config: .config $(KCONFIG_FILES)
	$(Q)cp .config $@.part
	$(Q)CONFIG_= KCONFIG_CONFIG=$(CURDIR)/$@.part kconfig-conf --olddefconfig Kconfig \
		< /dev/null > build/kconfig/log
	$(Q)rm -f $@.part.old
	$(Q)mv $@.part $@

manifest: out/manifest ## the manifest that .config gives

# Kconfig replaces a value that it does not like by the default and goes on, so .config is looked at
# as it was written first.
build/manifest: build/config .config build/native/hvinit
	$(say) MANIFEST '$@'
	$(Q)rm -f out/manifest $(CARRIED)
	$(Q)if grep -nE '^(# )?CONFIG_(HOST|VM[0-9]+)_' .config; then \
		echo 'hvinit: .config: symbols have no CONFIG_ before them here' >&2; exit 1; fi
	$(Q)build/native/hvinit manifest .config >/dev/null
	$(Q)build/native/hvinit manifest $< > $@

out/manifest: build/manifest
	$(Q)mkdir -p out
	$(Q)cp $< $@

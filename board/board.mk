# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel of the chosen board: build/kernel/{Image,vmlinuz.efi,config,release,modules}.

BOARD := $(shell sed -n 's/^BOARD="\(.*\)"$$/\1/p' .config 2>/dev/null)
ifeq ($(BOARD),)
BOARD := qemu-virt
endif

include board/$(BOARD)/board.mk

KERNEL := build/kernel
KERNEL_FRAGMENTS := board/common/kernel.config board/common/hardening.config \
	board/$(BOARD)/kernel.config

# The kernel's Kconfig without the kernel: it looks at fragments in seconds.
KERNEL_KCONFIG := build/kernel-kconfig

.PHONY: kernel
kernel: $(KERNEL) ## the board's kernel and its modules

# The key is everything the result depends on: the source package's own hash, the symbols of the
# fragments (a better reason for one builds no other kernel), the compiler and the recipe.
$(KERNEL): build/linux-source board/kernel.sh $(KERNEL_FRAGMENTS)
	$(Q)key=$$({ grep -o '^linux-source-[^ ]* [^ ]* [^ ]* [^ ]*' build/linux-source.lock; cat board/kernel.sh; \
		sed -n '/^CONFIG_/p; /^# CONFIG_.* is not set$$/p' $(KERNEL_FRAGMENTS); \
		$(CROSS_COMPILE)gcc --version; } | sha256sum | cut -c1-16); \
	CROSS_COMPILE=$(CROSS_COMPILE) rootfs/cache.sh $@ kernel "$$key" board/kernel.sh \
		build/linux-source/usr/src/linux-source-*.tar.xz build/kernel.log $(KERNEL_FRAGMENTS)

$(KERNEL_KCONFIG): build/linux-source board/kconfig.sh
	$(Q)key=$$({ grep -o '^linux-source-[^ ]* [^ ]* [^ ]* [^ ]*' build/linux-source.lock; \
		cat board/kconfig.sh; $(CROSS_COMPILE)gcc --version; } | sha256sum | cut -c1-16); \
	CROSS_COMPILE=$(CROSS_COMPILE) rootfs/cache.sh $@ kconfig "$$key" board/kconfig.sh \
		build/linux-source/usr/src/linux-source-*.tar.xz

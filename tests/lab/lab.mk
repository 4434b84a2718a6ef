# SPDX-License-Identifier: GPL-2.0-or-later
# What the lab runs that is not in the image: the stand-in for QEMU, and a guest's program that steers
# a device's DMA.

TRESPASS_OBJS := $(patsubst tests/lab/%.c,build/arm64/lab/%.o,$(wildcard tests/lab/trespass/*.c))

build/arm64/lab/%.o: tests/lab/%.c tests/lab/trespass/trespass.h tests/lab/trespass/trespass.def \
		init/util.h | build/target build/tools
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS_COMPILE)gcc $(ARM64_CFLAGS) -c -o $@ $<

build/arm64/trespass: $(TRESPASS_OBJS)
	$(say) LD $@
	$(Q)$(ARM64_LINK) -s

build/arm64/dma: build/arm64/lab/dma.o
	$(say) LD $@
	$(Q)$(ARM64_LINK) -s

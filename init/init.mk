# SPDX-License-Identifier: GPL-2.0-or-later
# Builds init/ twice: PID 1 for the target, and the same program as a tool for the build machine.

# Every room but the import of libvirt's domains, which only the build machine has a use for; the
# target has a stub in its place.
IMPORT_OBJS := xml.o domain.o domain_devices.o fragment.o import.o import_pci.o
INIT_OBJS := $(filter-out $(IMPORT_OBJS),$(patsubst init/%.c,%.o,$(wildcard init/*.c)))
NATIVE_OBJS := $(filter-out import_none.o,$(INIT_OBJS)) $(IMPORT_OBJS)
INIT_HEADERS := $(wildcard init/*.h init/*.def) build/include/symbols.h
INIT_HEADERS += build/include/version.h

INIT_WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
INIT_WARN += -Wformat=2 -Wvla -Wno-format-truncation
INIT_CFLAGS := -std=gnu17 $(INIT_WARN) -D_GNU_SOURCE -Iinit -Ibuild/include

# musl's headers and the kernel's come from the target's package tree, nothing from this machine.
HOSTCC ?= gcc

MUSL := $(TARGET)/usr/lib/aarch64-linux-musl
MUSL_CFLAGS := -nostdinc -isystem $(shell $(CROSS_COMPILE)gcc -print-file-name=include 2>/dev/null)
MUSL_CFLAGS += -isystem $(TARGET)/usr/include/aarch64-linux-musl
MUSL_CFLAGS += -isystem $(TARGET)/usr/include -isystem $(TARGET)/usr/include/aarch64-linux-gnu
MUSL_CFLAGS += -idirafter $(TOOLS)/usr/include
ARM64_CFLAGS := $(INIT_CFLAGS) $(MUSL_CFLAGS) -Os -ffunction-sections -fdata-sections
ARM64_CFLAGS += -fstack-protector-strong -D_FORTIFY_SOURCE=0 -static -fno-pie -mno-outline-atomics
ARM64_LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections -Wl,-z,norelro -Wl,-z,noexecstack
ARM64_LINK = $(CROSS_COMPILE)gcc $(ARM64_LDFLAGS) -o $@ $(MUSL)/crt1.o $(MUSL)/crti.o $^ \
	-L$(MUSL) -Wl,--start-group -lc -lgcc -Wl,--end-group $(MUSL)/crtn.o

NATIVE_CFLAGS := $(INIT_CFLAGS) -isystem $(shell xml2-config --prefix 2>/dev/null)/include/libxml2
NATIVE_CFLAGS += -isystem $(TOOLS)/usr/include
NATIVE_CFLAGS += -isystem $(TOOLS)/usr/include/$(shell $(HOSTCC) -print-multiarch 2>/dev/null) -O1 -g

# Written anew only when it changes: version and board are not worth a whole build each time.
.PHONY: FORCE
build/include/version.h: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)printf '%s\n' '/* SPDX-License-Identifier: GPL-2.0-or-later */' \
		'/* What this build calls itself. Made by init/init.mk: do not edit. */' \
		'#define HVINIT_VERSION "$(HVINIT_VERSION)"' '#define HVINIT_BOARD "$(BOARD)"' >$@.new
	$(Q)if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

build/arm64/init/%.o: init/%.c $(INIT_HEADERS) | build/target build/tools
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS_COMPILE)gcc $(ARM64_CFLAGS) -c -o $@ $<

build/arm64/hvinit: $(addprefix build/arm64/init/,$(INIT_OBJS))
	$(say) LD $@
	$(Q)$(ARM64_LINK)

out/init: build/arm64/hvinit
	@mkdir -p $(@D)
	$(say) STRIP $@
	$(Q)$(CROSS_COMPILE)strip -s -R .comment -o $@ $<

build/native/init/%.o: init/%.c $(INIT_HEADERS) | build/tools
	@mkdir -p $(@D)
	$(say) HOSTCC $@
	$(Q)$(HOSTCC) $(NATIVE_CFLAGS) -c -o $@ $<

build/native/hvinit: $(addprefix build/native/init/,$(NATIVE_OBJS))
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -o $@ $^ -lxml2 -lcrypt

.PHONY: docs
docs: build/native/hvinit ## brings docs/diagnostics.md, manifest.md, console.md, security.md and figures.svg up to date
	$(Q)sed '/^<!-- codes/q' docs/diagnostics.md >build/diagnostics.md
	$(Q){ echo; build/native/hvinit explain; } >>build/diagnostics.md
	$(Q)mv build/diagnostics.md docs/diagnostics.md
	$(Q)sed '/^<!-- fields/q' docs/manifest.md >build/manifest.md
	$(Q){ echo; init/fields.py init/kconfig $(SLOTS); } >>build/manifest.md
	$(Q)mv build/manifest.md docs/manifest.md
	$(Q)sed '/^<!-- commands/q' docs/console.md >build/console.md
	$(Q){ echo; init/commands.py init/command.def init/metrics.def; } >>build/console.md
	$(Q)mv build/console.md docs/console.md
	$(Q)sed '/^<!-- attempts/q' docs/security.md >build/security.md
	$(Q){ echo; tests/lab/attempts.py; echo; sed -n '/^<!-- \/attempts/,$$p' docs/security.md; } \
		>>build/security.md
	$(Q)mv build/security.md docs/security.md
	$(Q)docs/chart.py >build/figures.svg
	$(Q)mv build/figures.svg docs/figures.svg

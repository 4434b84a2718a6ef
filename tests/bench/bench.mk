# SPDX-License-Identifier: GPL-2.0-or-later
# What hvinit costs. Figures, no tests: nobody's machine fails for being slow. Each table is kept as
# JSON in build/bench, too.

.PHONY: bench bench-boot bench-console boottime

BENCH_RESTARTS ?= 1000
BENCH_IDLE_SECONDS ?= 60
BENCH_DEVICES ?= 1 2 8 16
BENCH_BOOTS ?= 3
BENCH_KEYS ?= 50
BENCH_HELPERS := build/bench/stamp build/bench/respawn
BENCH_OBJS := $(INIT_OBJS:%=build/native/init/%) build/pid1/seams.o

$(BENCH_HELPERS): build/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(say) HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu17 $(INIT_WARN) -Os -static -o $@ $<

# As in an image: nothing but PID 1, and no other file.
build/bench/hvinit: $(BENCH_OBJS)
	@mkdir -p $(@D)
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -static -o $@ $^ $(PID1_WRAP:%=-Wl,--wrap=%) -lcrypt

bench: build/native/hvinit build/bench/hvinit $(BENCH_HELPERS) $(PID1_HELPERS) ## figures: checks, restarts, an idle PID 1
	$(Q)rootfs/setup.sh install packages.bench
	$(Q)/usr/bin/python3 tests/bench/check.py build/native/hvinit
	@echo
	$(Q)$(PID1_PYTHON) tests/bench/restart.py $(BENCH_RESTARTS)
	@echo
	$(Q)$(PID1_PYTHON) tests/bench/idle.py $(BENCH_IDLE_SECONDS)

bench-boot: $(LAB_PARTS) ## figures of boots in the lab, by the number of devices
	$(Q)PYTHONPATH=tests:tests/bench PYTHONDONTWRITEBYTECODE=1 BENCH_BOOTS=$(BENCH_BOOTS) /usr/bin/python3 tests/bench/boot.py $(BENCH_DEVICES)

build/bench/latency.o build/bench/ticks.o: build/bench/%.o: tests/bench/%.c | build/target build/tools
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CROSS_COMPILE)gcc $(ARM64_CFLAGS) -c -o $@ $<

build/bench/latency build/bench/ticks: build/bench/%: build/bench/%.o
	$(say) LD $@
	$(Q)$(ARM64_LINK) -s

bench-console: $(LAB_PARTS) build/bench/latency ## figures of the console: a key's echo, 'status', while a guest floods
	$(Q)PYTHONPATH=tests:tests/bench PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/console.py $(BENCH_KEYS)

boottime: $(LAB_PARTS) build/bench/ticks ## where the time goes from power-on to a guest that runs, in the lab
	$(Q)PYTHONPATH=tests:tests/bench PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/bench/boottime.py

# SPDX-License-Identifier: GPL-2.0-or-later
# hvinit as PID 1 in namespaces of the build machine, as it is and with the sanitizers.

.PHONY: test-pid1 soak-pid1

PID1_PYTHON := PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
PID1_HELPERS := build/pid1/cradle build/pid1/standin
PID1_PARTS := build/pid1/hvinit build/pid1/hvinit-asan $(PID1_HELPERS)
PID1_WRAP := clock_gettime timerfd_settime sleep setrlimit sys_room_enter sys_deny_files mount

$(PID1_HELPERS): build/pid1/%: tests/pid1/%.c
	@mkdir -p $(@D)
	$(say) HOSTCC $@
	$(Q)$(HOSTCC) -std=gnu17 $(INIT_WARN) -Os -static -o $@ $<

build/pid1/%.o: tests/pid1/%.c
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu17 $(INIT_WARN) -D_GNU_SOURCE -Iinit -O1 -c -o $@ $<

build/pid1/hvinit: $(addprefix build/native/init/,$(NATIVE_OBJS)) build/pid1/seams.o build/pid1/allocations.o
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) -o $@ $^ $(PID1_WRAP:%=-Wl,--wrap=%) -lxml2 -lcrypt

build/pid1/hvinit-asan: build/unit/init/main.o build/unit/hvinit.a build/pid1/seams.o
	$(say) HOSTLD $@
	$(Q)$(HOSTCC) $(UNIT_CFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PID1_WRAP:%=-Wl,--wrap=%) -lxml2 -lcrypt

test-pid1: $(PID1_PARTS) ## hvinit as PID 1 in namespaces, with a stand-in for QEMU
	$(Q)mkdir -p build/tests
	$(Q)$(PID1_PYTHON) -m pytest -q -ra --capture=sys -p no:cacheprovider \
		-o junit_family=xunit1 --junitxml=build/tests/pid1.xml tests/pid1

SOAK_RESTARTS ?= 10000

soak-pid1: $(PID1_PARTS) ## restarts a VM SOAK_RESTARTS (10,000) times; nothing of PID 1 may grow
	$(Q)$(PID1_PYTHON) -m pid1.soak $(SOAK_RESTARTS)

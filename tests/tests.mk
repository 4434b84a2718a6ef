# SPDX-License-Identifier: GPL-2.0-or-later
# Tests and the lab. Each suite leaves build/tests/SUITE.xml; "make test" adds them up.

.PHONY: run test test-boards test-lab

SUITES := lint boards unit pid1 golden fuzz image lab
LAB_PYTHON := PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3
LAB_PARTS := image build/native/hvinit build/config build/arm64/trespass build/arm64/dma

include tests/unit/unit.mk tests/pid1/pid1.mk tests/golden/golden.mk
include tests/fuzz/fuzz.mk tests/bench/bench.mk
include tests/image/image.mk tests/lab/lab.mk tests/lint.mk

run: ## boots the appliance in the lab and hands over its serial console
	$(Q)rootfs/setup.sh
	$(Q)$(MAKE) -s --no-print-directory $(LAB_PARTS)
	$(Q)$(LAB_PYTHON) -m lab.run

# The suites go on when one fails, and a suite that could not even be built is missed by the sum.
test: ## runs every test; the last line is "N passed, N failed"
	$(Q)rootfs/setup.sh
	$(Q)rm -f $(SUITES:%=build/tests/%.xml)
	$(Q)$(MAKE) -s --no-print-directory --keep-going $(SUITES:%=test-%) || :
	$(Q)/usr/bin/python3 tests/summary.py build/tests $(SUITES)

test-boards: $(KERNEL_KCONFIG) build/native/hvinit ## looks at every board's kernel symbols and defconfig; compiles nothing
	$(Q)CROSS_COMPILE=$(CROSS_COMPILE) /usr/bin/python3 tests/boards.py build/tests/boards.xml \
		$(KERNEL_KCONFIG) build/native/hvinit

soak: soak-pid1 soak-image soak-lab ## the long ones, before a release

SOAK_KILLS ?= 50

soak-lab: $(LAB_PARTS) ## kills a real QEMU SOAK_KILLS (50) times; 1 MiB of noise on the console; cuts power all along an update
	$(Q)$(LAB_PYTHON) -m lab.soak $(SOAK_KILLS)
	$(Q)LAB_NOISE_KIB=1024 $(LAB_PYTHON) -m pytest -q -p no:cacheprovider tests/lab/test_panel.py
	$(Q)LAB_CUTS=all $(LAB_PYTHON) -m pytest -q -p no:cacheprovider tests/lab/test_update.py

test-lab: $(LAB_PARTS) ## drives the appliance over its serial console in the lab
	$(Q)mkdir -p build/tests
	$(Q)$(LAB_PYTHON) -m pytest -q -ra --capture=sys -p no:cacheprovider \
		-o junit_family=xunit1 --junitxml=build/tests/lab.xml tests/lab

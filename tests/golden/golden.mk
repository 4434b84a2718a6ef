# SPDX-License-Identifier: GPL-2.0-or-later
# Golden tests: what the tool prints for recorded machines, compared letter for letter.

.PHONY: test-golden

test-golden: build/native/hvinit $(KCONFIG_FILES) ## compares argv, plan and check of known machines
	$(Q)/usr/bin/python3 tests/golden/run.py build/native/hvinit build/tests/golden.xml

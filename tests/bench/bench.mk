# SPDX-License-Identifier: GPL-2.0-or-later
# What hvinit's commands cost. Figures, no tests: nobody's machine fails for being slow.

.PHONY: bench

bench: build/native/hvinit ## how long a check takes, from 1 device to 128
	$(Q)/usr/bin/python3 tests/bench/check.py build/native/hvinit

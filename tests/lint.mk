# SPDX-License-Identifier: GPL-2.0-or-later
# Static checks: each is a test, and all of them together take well under a minute.

.PHONY: lint test-lint format

lint: test-lint ## looks at all sources: format, static analysis, Kconfig, SPDX

test-lint: $(SYMBOLS_H) $(KCONFIG_FILES) build/native/hvinit | build/tools
	$(Q)/usr/bin/python3 tests/lint.py build/tests/lint.xml '$(SLOTS)' $(NATIVE_CFLAGS)

format: ## puts the C sources into shape
	$(Q)clang-format -i init/*.[ch] rootfs/demo/*.c tests/unit/*.[ch] tests/lab/trespass/*.[ch]

# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzzing with libFuzzer: each target is a program, and each has a corpus that is kept.

.PHONY: fuzz fuzz-keep test-fuzz

# Seconds that each target runs, when somebody asks for it and as one of the tests.
FUZZ_SECONDS ?= 600
FUZZ_TEST_SECONDS ?= 10

FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
# FUZZ="import manifest" chooses.
FUZZ ?= $(FUZZERS)
FUZZ_PROGRAMS := $(FUZZERS:%=build/fuzz/fuzz_%)
FUZZ_CC := clang
FUZZ_CFLAGS := $(NATIVE_CFLAGS) -Wno-unknown-warning-option -Itests/fuzz
FUZZ_CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=all
# Calls that a target answers itself.
FUZZ_WRAP_console := fork kill
# What libFuzzer needs besides: words of the formats, and tables, which are no text.
FUZZ_SEEDS := build/fuzz/seeds/.made

build/fuzz/init/%.o: init/%.c $(INIT_HEADERS) | build/tools
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/%.o: tests/fuzz/%.c tests/fuzz/fuzz.h $(INIT_HEADERS) | build/tools
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

build/fuzz/hvinit.a: $(addprefix build/fuzz/init/,$(filter-out main.o,$(NATIVE_OBJS)))
	$(Q)rm -f $@
	$(Q)ar rcs $@ $^

$(FUZZ_PROGRAMS): build/fuzz/%: build/fuzz/%.o build/fuzz/hvinit.a
	$(say) FUZZ $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ -lxml2 -lcrypt $(FUZZ_WRAP_$(*:fuzz_%=%):%=-Wl,--wrap=%)

$(FUZZ_SEEDS): tests/fuzz/seeds.py $(SYMBOLS_H) init/command.def $(wildcard init/domain* init/vm*.c tests/golden/*/*)
	$(Q)rm -rf $(@D)
	$(Q)/usr/bin/python3 tests/fuzz/seeds.py $(@D)
	$(Q)touch $@

fuzz: $(FUZZ_PROGRAMS) $(FUZZ_SEEDS) ## runs each fuzzer for FUZZ_SECONDS (600)
	$(Q)/usr/bin/python3 tests/fuzz/run.py build/fuzz $(FUZZ_SECONDS) build/fuzz/fuzz.xml $(FUZZ)

# Only what reaches code that nothing else does, and is text, is worth keeping.
fuzz-keep: $(FUZZ_PROGRAMS) $(FUZZ_SEEDS) ## adds what fuzzing found to tests/fuzz/corpus
	$(Q)/usr/bin/python3 tests/fuzz/keep.py build/fuzz

test-fuzz: $(FUZZ_PROGRAMS) $(FUZZ_SEEDS) ## runs each fuzzer for some seconds
	$(Q)/usr/bin/python3 tests/fuzz/run.py build/fuzz $(FUZZ_TEST_SECONDS) build/tests/fuzz.xml \
		$(FUZZERS)

# SPDX-License-Identifier: GPL-2.0-or-later
# Builds hvinit and runs it; each folder says how its part is made. Start with: make help

HVINIT_VERSION := 0.1.0

ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or newer is needed)
endif

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --check-symlink-times
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# Dates in what is built are the last commit's, so that the same tree gives the same bytes.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# V=1 shows every command.
V ?= 0
ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-8s %s\n'
endif

ifneq ($(words $(CURDIR)),1)
$(error "$(CURDIR)": make takes no folder with a blank in its name)
endif

# Some shells export a variable of that name, and it is not meant. One that is given and empty is a
# mistake: what is for one host would be for all.
ifneq ($(origin HOST),command line)
HOST :=
else ifeq ($(strip $(HOST)),)
NO_HOST := y
endif

HOST_ARCH := $(shell dpkg --print-architecture)
CROSS_COMPILE ?= $(if $(filter arm64,$(HOST_ARCH)),,aarch64-linux-gnu-)
TARGET := build/target
TOOLS := build/tools

.PHONY: all help clean distclean
all: image ## the same as image

include init/init.mk
include board/board.mk
include configs/configs.mk
include rootfs/rootfs.mk rootfs/hosts.mk rootfs/disk.mk rootfs/sign.mk
include tests/tests.mk

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '!seen[$$1]++ { printf "%-18s %s\n", $$1, $$2 }'
	@echo '  NAME_defconfig     configs/NAME_defconfig becomes .config'
	@echo '  V=1                every command; HVINIT_CACHE, HVINIT_MIRROR: see README.md'

clean: ## removes what was built, keeps the resolved package lists and .config
	$(Q)if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name '*.lock' -exec rm -rf {} +; fi
	$(Q)rm -rf out

distclean: ## removes everything that git does not keep, but for the cache
	$(Q)rm -rf build out .config .config.old defconfig

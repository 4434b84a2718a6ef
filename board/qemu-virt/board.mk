# SPDX-License-Identifier: GPL-2.0-or-later
# What the image of QEMU's "virt" machine differs in, besides kernel symbols.

KERNEL_CMDLINE := console=ttyAMA0 rdinit=/init quiet panic=10

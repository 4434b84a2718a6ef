# SPDX-License-Identifier: GPL-2.0-or-later
# What the image of QEMU's "virt" machine differs in, besides kernel symbols.

# Without printk.devkmsg=on the kernel drops most of what PID 1 writes to its log at boot.
KERNEL_CMDLINE := console=ttyAMA0 rdinit=/init quiet panic=10 printk.devkmsg=on

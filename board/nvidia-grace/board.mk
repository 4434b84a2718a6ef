# SPDX-License-Identifier: GPL-2.0-or-later
# What the image of a Grace server differs in, besides kernel symbols.

# No console=: the firmware's SPCR table names it. Without printk.devkmsg=on the kernel drops most of
# what PID 1 writes to its log at boot.
KERNEL_CMDLINE := rdinit=/init quiet panic=10 printk.devkmsg=on

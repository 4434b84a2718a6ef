# SPDX-License-Identifier: GPL-2.0-or-later
"""hvinit as a real PID 1, on the build machine and in namespaces, with a stand-in for QEMU."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: boots the appliance in an outer QEMU (L0) whose SMMUs and drives are made for it."""

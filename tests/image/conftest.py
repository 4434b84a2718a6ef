# SPDX-License-Identifier: GPL-2.0-or-later
"""The build's own programs are looked at as modules."""

import sys

from lab.paths import ROOT

sys.path.insert(0, str(ROOT / "rootfs"))

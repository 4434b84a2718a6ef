# SPDX-License-Identifier: GPL-2.0-or-later
"""What firmware writes when memory has failed, for L0 to show to the appliance: an ACPI generic
error status block with one memory section (ACPI 6.5, 18.3.2.7; UEFI 2.10, N.2.5)."""

import base64
import struct
import uuid

MEMORY_SECTION = uuid.UUID("a5bc1114-6f64-4ede-b863-3e83ed7c83b1")
RECOVERABLE = 0
UNCORRECTABLE_VALID, ONE_ENTRY = 1, 1 << 4
REVISION = 0x300
ADDRESS_VALID = 1 << 1


def memory(address: int) -> str:
    """That the memory at physical ADDRESS has failed, nobody having asked for it, in base64."""
    section = struct.pack("<QQQ", ADDRESS_VALID, 0, address).ljust(80, b"\0")
    entry = MEMORY_SECTION.bytes_le + struct.pack("<IHBBI", RECOVERABLE, REVISION, 0, 0, len(section))
    entry = entry.ljust(72, b"\0") + section
    head = struct.pack("<5I", UNCORRECTABLE_VALID | ONE_ENTRY, 0, 0, len(entry), RECOVERABLE)
    return base64.b64encode(head + entry).decode()

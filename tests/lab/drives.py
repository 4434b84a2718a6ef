# SPDX-License-Identifier: GPL-2.0-or-later
"""What the demo's guest does with its drives, which it tells apart by their serial numbers."""

from .appliance import Appliance

SERIALS = "/sys/class/nvme/nvme*/serial"
OVER = "/tmp/over"  # there when the flow has stopped, with the reason


def _find(serial: str) -> str:
    """Shell lines that wait for the drive, with its name in d in the end."""
    return (
        f"until f=$(grep -l {serial} {SERIALS} 2>/dev/null); do usleep 10000; done; "
        "d=$(basename $(dirname $f))n1; until [ -b /dev/$d ]; do usleep 10000; done"
    )


def serials(appliance: Appliance) -> str:
    return appliance.guest(f"cat {SERIALS}")


def sha256(appliance: Appliance, serial: str) -> str:
    """Of the drive's data, all of it read anew."""
    read = "dd if=/dev/$d bs=4096 skip=1 count=256 iflag=direct 2>/dev/null"
    return appliance.guest(_find(serial), f"{read} | sha256sum")


def begin_flow(appliance: Appliance, serial: str) -> None:
    """From now on the guest reads from the drive without an end."""
    read = "dd if=/dev/$d of=/dev/null bs=64k count=16 iflag=direct 2>/tmp/error"
    over = f"mv /tmp/error {OVER}"
    appliance.guest(_find(serial), f"{{ (while {read}; do :; done; {over}) & }}")


def look_at_flow(appliance: Appliance, serial: str) -> str:
    """Waits until something more has been read; the flow's error, if there was one."""
    stat = "$(cat /sys/block/$d/stat)"
    more = f'a={stat}; until [ -e {OVER} ] || [ "$a" != "{stat}" ]; do :; done'
    return appliance.guest(_find(serial), more, "echo it flows", f"cat {OVER} 2>/dev/null")


def end_of_flow(appliance: Appliance) -> str:
    """Waits until the flow has stopped; its error."""
    return appliance.guest(f"until [ -e {OVER} ]; do usleep 10000; done", f"cat {OVER}")

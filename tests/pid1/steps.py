# SPDX-License-Identifier: GPL-2.0-or-later
"""Steps of which cases are made: each is something to do to a machine, or to wait for."""

from collections.abc import Callable

from .machine import Machine, await_that

Step = Callable[[Machine], object]

PAGES = "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
INITIATORS = "sys/devices/system/node/has_generic_initiator"


def say(line: str) -> Step:
    """The operator types LINE."""
    return lambda machine: machine.console.send(line)


def order(text: str) -> Step:
    """The stand-in of the VM is told to do something."""
    return lambda machine: machine.order(text)


def sees(*patterns: str) -> Step:
    """The console shows PATTERNS, one after the other."""
    return lambda machine: [machine.console.expect(pattern) for pattern in patterns]


def said(text: str) -> Step:
    """TEXT is on the console, or comes, whatever has been waited for since."""

    def look(machine: Machine) -> None:
        await_that(f"{text!r} is said", lambda: machine.console.ask("version") and text in machine.console.text())

    return look


def reached(point: str, times: int = 1) -> Step:
    """The stand-in has come to POINT."""
    return lambda machine: machine.reached(point, times)


def has(kind: str, count: int) -> Step:
    """PID 1 has COUNT descriptors of KIND."""

    def wait(machine: Machine) -> None:
        await_that(
            f"PID 1 has {count} of {kind}",
            lambda: sum(kind in name for name in machine.descriptors()) == count,
        )

    return wait


def freeze(machine: Machine) -> None:
    machine.freeze()


def thaw(machine: Machine) -> None:
    machine.thaw()


def sink(machine: Machine) -> None:
    """The stand-in gets where no signal reaches it."""
    machine.order("open=/ctl/stuck/here")
    machine.caught()


def let_go(machine: Machine) -> None:
    machine.release()


def hold_launchers(machine: Machine) -> None:
    machine.hold(INITIATORS)


def meet_launcher(machine: Machine) -> None:
    """There is one, and it waits."""
    machine.swap(INITIATORS, "0\n")


def let_launch(machine: Machine) -> None:
    machine.let_read(INITIATORS, "0\n")


def hold_host(machine: Machine) -> None:
    """The child that prepares the host will wait where it sets huge pages aside."""
    machine.hold(PAGES)


def pass_by(machine: Machine) -> None:
    """Launchers find huge pages, while the host's child still waits for them."""
    machine.swap(PAGES, "1000\n")


def fail_host(machine: Machine) -> None:
    """There are none in the end."""
    (machine.root / PAGES).unlink()
    machine.let_read(PAGES, "0\n")

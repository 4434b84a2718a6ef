# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of the build, and variations of it for tests."""

import re

from .paths import CONFIG


def read() -> str:
    return CONFIG.read_text()


def value(symbol: str) -> str:
    """SYMBOL's value without its quotes, or the empty string."""
    found = re.search(rf'^{symbol}="?(.*?)"?$', read(), re.MULTILINE)
    return found[1] if found else ""


def changed(**symbols: str | int | bool) -> str:
    """The build's configuration with SYMBOLS set."""
    kept = re.compile(rf"(?!(?:# )?(?:{'|'.join(symbols)})(?:=| is not set))")
    lines = [line for line in read().splitlines() if kept.match(line)]
    for symbol, new in symbols.items():
        if isinstance(new, bool):
            lines.append(f"{symbol}=y" if new else f"# {symbol} is not set")
        else:
            lines.append(f'{symbol}="{new}"' if isinstance(new, str) else f"{symbol}={new}")
    return "\n".join(lines) + "\n"

"""ARCHITECTURE.md as data: which layer a module lies in, and where a library may be imported."""

import re
from dataclasses import dataclass

from tests.house.checks.source import PACKAGE, Finding, Module

PAGE = "ARCHITECTURE.md"
IO_LINE = 3
ANYWHERE = "anywhere"
ENTRY_LAYER = 8


@dataclass(frozen=True)
class Architecture:
    """Hold the page's tables. Places are paths inside the package; one that ends in a slash is a whole folder.

    `layers` is the layer of each place that exists, `planned` of each that is to come; `doors` says in which places a
    library may be imported, None meaning anywhere; `lines` is the page's line of each place.
    """

    layers: dict[str, int]
    planned: dict[str, int]
    doors: dict[str, tuple[str, ...] | None]
    lines: dict[str, int]

    def layer(self, place: str) -> int | None:
        """Return the layer of a place, or None where the page does not say. The longest row that fits counts."""
        rows = self.layers | self.planned
        fitting = [row for row in rows if covers(row, place)]
        return rows[max(fitting, key=len)] if fitting else None

    def may_reexport(self, place: str) -> bool:
        """Tell whether an `__init__` lies no higher than any module of its package: importing one runs it."""
        folder = place.removesuffix("__init__")
        rows = self.layers | self.planned
        own = self.layer(place)
        return own == min((layer for row, layer in rows.items() if row.startswith(folder)), default=own)


def covers(row: str, place: str) -> bool:
    """Tell whether a row of the page speaks of a place."""
    return place == row or place.startswith(row if row.endswith("/") else f"{row}/")


def parse(text: str) -> Architecture:
    """Read the page. Raises `ValueError` where it has no table of layers."""
    layers: dict[str, int] = {}
    planned: dict[str, int] = {}
    doors: dict[str, tuple[str, ...] | None] = {}
    lines: dict[str, int] = {}
    header: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|"):
            header = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not header:
            header = cells
        elif header[0] == "layer" and cells[0].isdigit():
            for column, rows in ((2, layers), (3, planned)):
                found = _ticked(cells[column])
                rows.update(dict.fromkeys(found, int(cells[0])))
                lines.update(dict.fromkeys(found, number))
        elif header[0] == "library" and not cells[0].startswith("-"):
            places = None if cells[-1] == ANYWHERE else tuple(_ticked(cells[-1]))
            doors.update(dict.fromkeys(re.split(r",\s*", cells[0]), places))
    if not layers:
        raise ValueError(f"{PAGE} has no table whose first column is 'layer'")
    return Architecture(layers, planned, doors, lines)


def _ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def page_findings(architecture: Architecture, modules: list[Module]) -> list[Finding]:
    """Find modules that the page does not place, and places that it names but that are not (or no longer to come)."""
    places = [module.place for module in modules if module.name.split(".")[0] == PACKAGE]
    found = [
        module.finding(1, f"{PAGE} does not say in which layer {module.place!r} lies")
        for module in modules
        if module.place in places and architecture.layer(module.place) is None
    ]
    for row, line in architecture.lines.items():
        exists = any(covers(row, place) for place in places)
        if row in architecture.layers and not exists:
            found.append(Finding(PAGE, line, f"{row!r} does not exist; it belongs in the column 'to come'"))
        if row in architecture.planned and exists:
            found.append(Finding(PAGE, line, f"{row!r} exists; it belongs in the column 'modules'"))
    return found

"""Country outlines for the map of Europe, made once from Natural Earth.

    curl -O https://registry.npmjs.org/world-atlas/-/world-atlas-2.0.2.tgz && tar xzf world-atlas-2.0.2.tgz
    python -m tests.reference.make_outlines package/countries-50m.json harmony_dash/charts/outlines/europe.json

Borders that two countries share are thinned once, so that they still fit together. Projection: Lambert azimuthal
equal-area on a sphere, centred on 52° N 10° E as the European grid ETRS89-LAEA is (Snyder, Map Projections: A Working
Manual, USGS 1987, eq. 24-2 to 24-4).
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]

EARTH_KM, CENTRE = 6371.0, (10.0, 52.0)
# Left, right, bottom, top in km from the centre: Iceland to the Urals' foot, Cyprus to the North Cape.
WINDOW = (-2700.0, 2500.0, -2150.0, 2450.0)
FINEST_KM, SMALLEST_KM2 = 4.0, 400.0
# ISO 3166: numeric code of the atlas to the two letters of our variable. Kosovo has no numeric code.
COUNTRIES = {
    "008": "AL", "020": "AD", "040": "AT", "056": "BE", "070": "BA", "100": "BG", "112": "BY", "191": "HR",
    "196": "CY", "203": "CZ", "208": "DK", "233": "EE", "246": "FI", "250": "FR", "276": "DE", "300": "GR",
    "348": "HU", "352": "IS", "372": "IE", "380": "IT", "428": "LV", "438": "LI", "440": "LT", "442": "LU",
    "470": "MT", "492": "MC", "498": "MD", "499": "ME", "528": "NL", "578": "NO", "616": "PL", "620": "PT",
    "642": "RO", "643": "RU", "674": "SM", "688": "RS", "703": "SK", "705": "SI", "724": "ES", "752": "SE",
    "756": "CH", "792": "TR", "804": "UA", "807": "MK", "826": "GB"}
BY_NAME = {"Kosovo": "XK"}


def main(atlas: Path, target: Path) -> None:
    """Read the atlas, project, thin, clip and write."""
    topology = json.loads(atlas.read_text(encoding="utf-8"))
    scale, shift = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    arcs = [thin(project(np.cumsum(np.array(arc), axis=0) * scale + shift)) for arc in topology["arcs"]]
    countries: dict[str, list[list[int]]] = {}
    for shape in topology["objects"]["countries"]["geometries"]:
        code = COUNTRIES.get(str(shape.get("id", "")).zfill(3)) or BY_NAME.get(shape["properties"]["name"])
        if code:
            countries[code] = [flatten(ring) for ring in keep_large([clip(join(ring, arcs)) for ring in rings(shape)])]
    document = {"source": "Natural Earth 1:50m, public domain, naturalearthdata.com (world-atlas 2.0.2)",
                "projection": "Lambert azimuthal equal-area, 52° N 10° E, km", "window": WINDOW,
                "countries": {code: rings_ for code, rings_ in sorted(countries.items()) if rings_}}
    target.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")


def rings(shape: dict[str, Any]) -> list[list[int]]:
    """Outer rings as lists of arc numbers; holes are other countries, which are drawn on top."""
    polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
    return [polygon[0] for polygon in polygons]


def join(ring: list[int], arcs: list[Line]) -> Line:
    """The points of a ring; a negative number is an arc backwards."""
    return np.concatenate([arcs[number] if number >= 0 else arcs[~number][::-1] for number in ring])


def project(points: Line) -> Line:
    """Longitude and latitude in degrees to km east and north of the centre."""
    longitude, latitude = np.radians(points[:, 0] - CENTRE[0]), np.radians(points[:, 1])
    middle = np.radians(CENTRE[1])
    cosine = np.sin(middle) * np.sin(latitude) + np.cos(middle) * np.cos(latitude) * np.cos(longitude)
    k = np.sqrt(2 / np.maximum(1 + cosine, 1e-3))
    east = k * np.cos(latitude) * np.sin(longitude)
    north = k * (np.cos(middle) * np.sin(latitude) - np.sin(middle) * np.cos(latitude) * np.cos(longitude))
    return EARTH_KM * np.column_stack([east, north])


def thin(line: Line) -> Line:
    """The line without points nearer than FINEST_KM to the rest of it (Douglas and Peucker 1973)."""
    if len(line) < 3:
        return line
    along = line[-1] - line[0]
    length = float(np.hypot(*along))
    offsets = line - line[0]
    away = np.hypot(*offsets.T) if length == 0 else np.abs(along[0] * offsets[:, 1] - along[1] * offsets[:, 0]) / length
    far = int(np.argmax(away))
    if away[far] < FINEST_KM:
        return line[[0, -1]]
    return np.concatenate([thin(line[: far + 1])[:-1], thin(line[far:])])


def clip(ring: Line) -> Line:
    """The part of a ring inside the window (Sutherland and Hodgman 1974)."""
    left, right, bottom, top = WINDOW
    for axis, edge, sign in ((0, left, 1), (0, right, -1), (1, bottom, 1), (1, top, -1)):
        kept: list[Line] = []
        for one, other in pairwise([*ring, ring[0]] if len(ring) else []):
            inside, next_inside = sign * (one[axis] - edge) >= 0, sign * (other[axis] - edge) >= 0
            if inside:
                kept.append(one)
            if inside != next_inside:
                kept.append(one + (other - one) * (edge - one[axis]) / (other[axis] - one[axis]))
        ring = np.array(kept).reshape(-1, 2)
    return ring


def keep_large(found: list[Line]) -> list[Line]:
    """Islands large enough to be seen, and the largest part of every country however small it is."""
    known = sorted((ring for ring in found if len(ring) >= 3), key=area, reverse=True)
    return [ring for place, ring in enumerate(known) if place == 0 or area(ring) >= SMALLEST_KM2]


def area(ring: Line) -> float:
    """Area of a ring in km²."""
    x, y = ring.T
    return float(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)


def flatten(ring: Line) -> list[int]:
    """Whole km: x, y, x, y, …"""
    return [int(value) for value in np.round(ring).ravel()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

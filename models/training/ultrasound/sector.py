"""Where the ultrasound is in a frame: everything else is blackened and cut away.

Burned-in names, scales, logos and grey bars lie outside the sector and must not be seen by the
network. The daemon does the same in Rust (`src/preprocess/sector.rs`), so the steps are a contract,
and ``golden/sector.json`` of the bundle holds both to it:

1. Of each frame that will be read, the gray image is averaged by area to GRID x GRID cells
   (`preprocess.resize`); of each cell the brightest over the frames counts.
2. A cell is lit where it is more than LIT of the way from the darkest cell to the brightest.
3. A cell stays lit only where it lies in some 3 x 3 block of lit cells (an opening): letters and
   rules are thinner.
4. The largest group of cells that touch by an edge is the sector; of equal ones the one that comes
   first, row by row. Fewer than LEAST_CELLS: there is none.
   Steps 2 to 4 are done twice: the second time the brightest cell is that of the group found first,
   so that no bright letter changes what is lit.
5. Every cell whose centre lies in the convex hull of the centres of that group is inside.
6. Pixel (x, y) of a width x height frame lies in cell (x * GRID // width, y * GRID // height). The
   frame is cut to the smallest rectangle that holds all pixels of inside cells, and pixels of
   outside cells take the value of the darkest cell.
"""

from dataclasses import dataclass

import numpy as np

import preprocess

GRID = 96
LIT = 0.06
LEAST_CELLS = GRID * GRID // 20


@dataclass
class Sector:
    inside: np.ndarray  # [GRID, GRID] bool
    darkest: float


def find(frames):
    """The sector of the frames of one clip, [h, w] each; None where there is none."""
    brightest = np.max([preprocess.resize(frame, GRID, GRID) for frame in frames], axis=0).astype(np.float32)
    low, high = brightest.min(), brightest.max()
    for _ in range(2):
        group = largest_group(opened(brightest > low + np.float32(LIT) * (high - low)))
        if group is None:
            return None
        high = brightest[tuple(group.T)].max()
    return Sector(hull(group), float(low))


def opened(lit):
    eroded = np.zeros_like(lit)
    eroded[1:-1, 1:-1] = np.all([lit[1 + dy:GRID - 1 + dy, 1 + dx:GRID - 1 + dx]
                                 for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)
    padded = np.pad(eroded, 1)
    return np.any([padded[1 + dy:GRID + 1 + dy, 1 + dx:GRID + 1 + dx]
                   for dy in (-1, 0, 1) for dx in (-1, 0, 1)], axis=0)


def largest_group(lit):
    """[n, 2] of (row, column), or None."""
    seen, best = np.zeros_like(lit), []
    for start in zip(*np.nonzero(lit)):
        if seen[start]:
            continue
        seen[start], group, at = True, [start], 0
        while at < len(group):
            y, x = group[at]
            at += 1
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= min(near) and max(near) < GRID and lit[near] and not seen[near]:
                    seen[near] = True
                    group.append(near)
        if len(group) > len(best):
            best = group
    return np.array(best) if len(best) >= LEAST_CELLS else None


def hull(group):
    """[GRID, GRID] bool: in the convex hull, its border included; integers throughout."""
    points = sorted({(int(x), int(y)) for y, x in group})
    corners = chain(points)[:-1] + chain(points[::-1])[:-1]
    y, x = np.mgrid[0:GRID, 0:GRID]
    inside = np.ones((GRID, GRID), bool)
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1]):
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return inside


def chain(points):
    """One half of Andrew's monotone chain."""
    kept = []
    for x, y in points:
        while len(kept) > 1 and turn(kept[-2], kept[-1], (x, y)) <= 0:
            kept.pop()
        kept.append((x, y))
    return kept


def turn(a, b, c):
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def cut(frame, sector):
    """Step 6: [h, w] to the rectangle of the sector, floats."""
    height, width = frame.shape
    rows = np.arange(height) * GRID // height
    columns = np.arange(width) * GRID // width
    inside = sector.inside[np.ix_(rows, columns)]
    y, x = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    masked = np.where(inside, frame.astype(np.float32), np.float32(sector.darkest))
    return masked[y[0]:y[-1] + 1, x[0]:x[-1] + 1]

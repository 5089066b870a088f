//! Where the ultrasound is in a frame: the rest is blackened and cut away before a model sees it.
//!
//! Burned-in names, scales, logos and grey bars lie outside the sector. Training does the same
//! (`models/training/ultrasound/sector.py`), so the steps are a contract, and the bundle's
//! `golden/sector.json` holds both sides to it:
//!
//! 1. Of each frame that will be read, the gray image is averaged by area to [`GRID`] × [`GRID`]
//!    cells; of each cell the brightest over the frames counts.
//! 2. A cell is lit where it is more than [`LIT`] of the way from the darkest cell to the brightest.
//! 3. A cell stays lit only where it lies in some 3 × 3 block of lit cells: letters are thinner.
//! 4. The largest group of cells that touch by an edge is the sector; of equal ones the one that
//!    comes first, row by row. With fewer than [`LEAST_CELLS`] there is none. Steps 2 to 4 are
//!    done twice: the second time the brightest cell is that of the group found first, so that
//!    no bright letter changes what is lit.
//! 5. Every cell whose centre lies in the convex hull of the centres of that group is inside.
//! 6. Pixel (x, y) of a width × height frame lies in cell (x · GRID / width, y · GRID / height),
//!    rounded down. The frame is cut to the smallest rectangle that holds all pixels of inside
//!    cells, and pixels of outside cells take the value of the darkest cell.

use super::Gray;
use super::input::resize;

/// Cells a side: letters of a 600-pixel screen are two cells high, the sector dozens.
const GRID: usize = 96;
/// What is brighter than black: JPEG leaves less around letters, and gain more in a dark sector.
const LIT: f32 = 0.06;
/// A twentieth of the screen: less is a logo, or a screen of text.
const LEAST_CELLS: usize = GRID * GRID / 20;

/// Brightest values so far, cell by cell.
pub struct Light(Vec<f32>);

/// Which cells of a frame are ultrasound.
pub struct Sector {
    inside: Vec<bool>,
    darkest: f32,
}

impl Light {
    /// Before the first frame.
    #[must_use]
    pub fn none() -> Self {
        Self(vec![f32::NEG_INFINITY; GRID * GRID])
    }

    /// Adds a frame, in any order (step 1).
    pub fn add(&mut self, gray: &Gray) {
        for (brightest, value) in self.0.iter_mut().zip(resize(gray, GRID, GRID)) {
            *brightest = brightest.max(value);
        }
    }

    /// The sector of the frames so far (steps 2 to 5); `None` where there is none.
    #[must_use]
    pub fn sector(&self) -> Option<Sector> {
        let (low, high) = self.0.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let group = self.group(low, high)?;
        let group = self.group(low, group.iter().fold(f32::MIN, |high, cell| high.max(self.0[*cell])))?;
        Some(Sector { inside: hull(&group), darkest: low })
    }

    /// The largest group of lit cells.
    fn group(&self, low: f32, high: f32) -> Option<Vec<usize>> {
        let threshold = low + LIT * (high - low);
        let lit: Vec<bool> = self.0.iter().map(|value| *value > threshold).collect();
        largest_group(&opened(&lit))
    }
}

impl Sector {
    /// `gray` through the sector (step 6).
    #[must_use]
    pub fn cut(&self, gray: &Gray) -> Gray {
        let (width, height) = (gray.width as usize, gray.height as usize);
        let inside = |x: usize, y: usize| self.inside[y * GRID / height * GRID + x * GRID / width];
        let Some(columns) = extent(width, |x| (0..height).any(|y| inside(x, y))) else { return gray.clone() };
        let Some(rows) = extent(height, |y| (0..width).any(|x| inside(x, y))) else { return gray.clone() };
        let value = |x, y| if inside(x, y) { gray.values[y * width + x] } else { self.darkest };
        let values =
            rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y))).map(|(x, y)| value(x, y)).collect();
        let side = |range: &std::ops::Range<usize>| u32::try_from(range.len()).unwrap_or(u32::MAX);
        Gray { width: side(&columns), height: side(&rows), values }
    }
}

/// From the first to the last of `0..count` that `holds`.
fn extent(count: usize, holds: impl Fn(usize) -> bool) -> Option<std::ops::Range<usize>> {
    let first = (0..count).find(|at| holds(*at))?;
    let last = (0..count).rev().find(|at| holds(*at))?;
    Some(first..last + 1)
}

/// Step 3. Cells of the rim are the middle of no block.
fn opened(lit: &[bool]) -> Vec<bool> {
    let mut out = vec![false; lit.len()];
    let block = |at: usize| [at - GRID - 1, at - 1, at + GRID - 1].into_iter().flat_map(|first| first..first + 3);
    for y in 1..GRID - 1 {
        for middle in y * GRID + 1..(y + 1) * GRID - 1 {
            if block(middle).all(|at| lit[at]) {
                block(middle).for_each(|at| out[at] = true);
            }
        }
    }
    out
}

/// Step 4: the cells of the largest group.
fn largest_group(lit: &[bool]) -> Option<Vec<usize>> {
    let mut open = lit.to_vec();
    let mut best = Vec::new();
    for start in 0..open.len() {
        if !std::mem::take(&mut open[start]) {
            continue;
        }
        let (mut group, mut at) = (vec![start], 0);
        while let Some(&cell) = group.get(at) {
            at += 1;
            let near = [
                (cell >= GRID).then(|| cell - GRID),
                (cell + GRID < GRID * GRID).then_some(cell + GRID),
                (cell % GRID > 0).then(|| cell - 1),
                (cell % GRID < GRID - 1).then_some(cell + 1),
            ];
            for cell in near.into_iter().flatten() {
                if std::mem::take(&mut open[cell]) {
                    group.push(cell);
                }
            }
        }
        if group.len() > best.len() {
            best = group;
        }
    }
    (best.len() >= LEAST_CELLS).then_some(best)
}

/// A cell's column and row.
type Point = (i32, i32);

/// Twice the area of the triangle: positive where `c` lies to the inner side of `a` to `b`.
fn turn(a: Point, b: Point, c: Point) -> i32 {
    (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0)
}

/// Step 5, in integers throughout, by Andrew's monotone chain.
fn hull(group: &[usize]) -> Vec<bool> {
    let point = |cell: usize| {
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        (number(cell % GRID), number(cell / GRID))
    };
    let mut points: Vec<Point> = group.iter().map(|cell| point(*cell)).collect();
    points.sort_unstable();
    let mut corners = chain(points.iter().copied());
    corners.extend(chain(points.iter().rev().copied()));
    let edges: Vec<(Point, Point)> = corners.iter().copied().zip(corners.iter().copied().cycle().skip(1)).collect();
    (0..GRID * GRID).map(|cell| edges.iter().all(|(a, b)| turn(*a, *b, point(cell)) >= 0)).collect()
}

/// One half of the hull, without its last corner.
fn chain(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        while let [.., a, b] = kept[..]
            && turn(a, b, point) <= 0
        {
            kept.pop();
        }
        kept.push(point);
    }
    kept.pop();
    kept
}

#[cfg(test)]
#[path = "sector_tests.rs"]
mod tests;

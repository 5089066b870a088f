//! What the phantom is made of. Millimetres; x to the image's right (the patient's
//! left), z downwards, the origin at the centre of the field; depth along the ray.

use super::noise::Random;

/// An ellipsoid whose third axis lies along the ray.
#[derive(Clone, Copy)]
pub(super) struct Ellipsoid {
    x: f32,
    z: f32,
    /// Half axes: across, along, and in depth.
    across: f32,
    along: f32,
    depth: f32,
    /// Direction of `across`, a unit vector.
    cosine: f32,
    sine: f32,
}

/// A straight piece of a tube, thicker or thinner towards its end.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    from: (f32, f32),
    to: (f32, f32),
    radius: f32,
    /// How much longer the ray runs in the tube because it meets it aslant, 1 or more.
    slant: f32,
}

/// A body.
pub(super) struct Anatomy {
    /// Their union is soft tissue.
    pub body: Vec<Ellipsoid>,
    /// Right and left: air-filled tissue in place of soft tissue.
    pub lungs: [Ellipsoid; 2],
    /// Tops of the diaphragm: x, z and half width of right and left.
    pub domes: [(f32, f32, f32); 2],
    /// What takes room from the lungs: heart, great vessels, mediastinum.
    pub middle: Vec<Ellipsoid>,
    /// Vessels within the lungs.
    pub vessels: Vec<Piece>,
    /// Bubbles and the airway.
    pub air: Vec<Ellipsoid>,
    /// Solid bone.
    pub bones: Vec<Ellipsoid>,
    /// Tubular bone: ribs and clavicles.
    pub tubes: Vec<Piece>,
}

/// Straight pieces that a curve is cut into.
const CURVE_PIECES: usize = 28;

impl Ellipsoid {
    pub const fn new(x: f32, z: f32, across: f32, along: f32, depth: f32) -> Self {
        Self { x, z, across, along, depth, cosine: 1.0, sine: 0.0 }
    }

    /// Turned so that `across` rises or falls by `slope` (its tangent).
    pub fn tilted(self, slope: f32) -> Self {
        let length = (1.0 + slope * slope).sqrt();
        Self { cosine: 1.0 / length, sine: slope / length, ..self }
    }

    /// Length of the ray at (x, z) inside.
    pub fn chord(&self, x: f32, z: f32) -> f32 {
        let (dx, dz) = (x - self.x, z - self.z);
        let u = (dx * self.cosine + dz * self.sine) / self.across;
        let v = (dz * self.cosine - dx * self.sine) / self.along;
        2.0 * self.depth * (1.0 - u * u - v * v).max(0.0).sqrt()
    }

    /// Whether a row at z may meet it.
    pub fn reaches(&self, z: f32) -> bool {
        (z - self.z).abs() <= self.across.max(self.along)
    }
}

impl Piece {
    /// Squared distance of (x, z) from the axis.
    fn distance2(&self, x: f32, z: f32) -> f32 {
        let (ax, az) = (x - self.from.0, z - self.from.1);
        let (bx, bz) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        let along = ((ax * bx + az * bz) / (bx * bx + bz * bz).max(1e-6)).clamp(0.0, 1.0);
        let (dx, dz) = (ax - along * bx, az - along * bz);
        dx * dx + dz * dz
    }

    /// Length of the ray inside.
    pub fn chord(&self, x: f32, z: f32) -> f32 {
        2.0 * (self.radius * self.radius - self.distance2(x, z)).max(0.0).sqrt() * self.slant
    }

    /// Length of the ray in its wall: marrow weakens less than bone.
    pub fn wall(&self, x: f32, z: f32) -> f32 {
        let d2 = self.distance2(x, z);
        let inner = self.radius * 0.72;
        let chord = |r: f32| (r * r - d2).max(0.0).sqrt();
        2.0 * (chord(self.radius) - 0.65 * chord(inner)) * self.slant
    }

    pub fn reaches(&self, z: f32) -> bool {
        let (low, high) = (self.from.1.min(self.to.1), self.from.1.max(self.to.1));
        z >= low - self.radius && z <= high + self.radius
    }

    /// Least and greatest x.
    pub fn span(&self) -> (f32, f32) {
        (self.from.0.min(self.to.0) - self.radius, self.from.0.max(self.to.0) + self.radius)
    }
}

impl Anatomy {
    /// The body of a seed: one build within what is usual.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let wide = random.between(0.95, 1.04);
        let heart = random.between(0.92, 1.06);
        let low = random.between(-8.0, 8.0);
        let domes = [(-76.0 * wide, 72.0 + low, 66.0 * wide), (82.0 * wide, 86.0 + low, 62.0 * wide)];
        Self {
            body: body(wide),
            lungs: [
                Ellipsoid::new(-74.0 * wide, -12.0, 62.0 * wide, 142.0, 80.0).tilted(0.06),
                Ellipsoid::new(74.0 * wide, -12.0, 60.0 * wide, 142.0, 78.0).tilted(-0.06),
            ],
            domes,
            middle: middle(heart, low),
            vessels: vessels(&mut random, wide),
            air: vec![
                Ellipsoid::new(66.0, 116.0 + low, 26.0, 14.0, 22.0).tilted(-0.2),
                Ellipsoid::new(1.0, -160.0, 8.5, 95.0, 9.0),
                Ellipsoid::new(-17.0, -58.0, 5.5, 17.0, 6.0).tilted(0.9),
                Ellipsoid::new(20.0, -56.0, 5.0, 20.0, 6.0).tilted(-1.1),
            ],
            bones: bones(wide),
            tubes: tubes(&mut random, wide),
        }
    }
}

fn body(wide: f32) -> Vec<Ellipsoid> {
    let mut body = vec![
        Ellipsoid::new(0.0, 70.0, 172.0 * wide, 330.0, 104.0),
        Ellipsoid::new(0.0, -250.0, 58.0, 130.0, 58.0),
        Ellipsoid::new(0.0, 230.0, 165.0 * wide, 190.0, 70.0),
    ];
    for side in [-1.0, 1.0] {
        body.push(Ellipsoid::new(side * 128.0, -170.0, 105.0, 58.0, 62.0).tilted(side * 0.32));
        body.push(Ellipsoid::new(side * 188.0, -60.0, 36.0, 165.0, 42.0).tilted(side * -0.1));
    }
    body
}

fn middle(heart: f32, low: f32) -> Vec<Ellipsoid> {
    vec![
        // Left ventricle to the image's right, right atrium over the spine's other edge.
        Ellipsoid::new(30.0, 46.0 + low * 0.6, 66.0 * heart, 47.0 * heart, 52.0).tilted(0.55),
        Ellipsoid::new(-8.0, 36.0 + low * 0.6, 36.0 * heart, 46.0 * heart, 48.0),
        // Pulmonary trunk, aortic arch, superior vena cava, the rest of the mediastinum.
        Ellipsoid::new(24.0, -26.0, 21.0, 30.0, 32.0).tilted(0.5),
        Ellipsoid::new(21.0, -68.0, 18.0, 19.0, 34.0),
        Ellipsoid::new(-17.0, -60.0, 14.0, 62.0, 26.0),
        Ellipsoid::new(0.0, -40.0, 24.0, 190.0, 62.0),
        Ellipsoid::new(16.0, 40.0, 12.0, 150.0, 16.0),
    ]
}

/// Solid bones: vertebrae with discs between them, shoulder blades, heads of the humeri.
fn bones(wide: f32) -> Vec<Ellipsoid> {
    let mut bones = Vec::new();
    for level in 0..17 {
        let at = level as f32;
        let size = 0.78 + 0.024 * at;
        let z = -235.0 + at * (22.5 + 0.27 * at);
        bones.push(Ellipsoid::new(0.0, z, 18.5 * size, 12.0 * size, 15.0 * size));
        bones.push(Ellipsoid::new(0.0, z + 5.0, 3.6, 9.0, 9.0));
        for side in [-1.0, 1.0] {
            bones.push(Ellipsoid::new(side * 11.0 * size, z - 2.0, 3.6, 5.4, 6.0));
            bones.push(Ellipsoid::new(side * 26.0 * size, z - 1.0, 11.0, 3.6, 3.6).tilted(side * -0.15));
        }
    }
    for side in [-1.0f32, 1.0] {
        bones.push(Ellipsoid::new(side * 138.0 * wide, -96.0, 30.0, 74.0, 2.6).tilted(side * 0.22));
        bones.push(Ellipsoid::new(side * 152.0 * wide, -95.0, 4.0, 72.0, 6.0).tilted(side * 0.26));
        bones.push(Ellipsoid::new(side * 176.0 * wide, -166.0, 23.0, 25.0, 21.0));
        bones.push(Ellipsoid::new(side * 192.0 * wide, -60.0, 12.0, 120.0, 12.0).tilted(side * -0.08));
    }
    bones
}

/// Nine pairs of ribs and the clavicles.
fn tubes(random: &mut Random, wide: f32) -> Vec<Piece> {
    let mut tubes = Vec::new();
    for side in [-1.0f32, 1.0] {
        for rib in 1..10 {
            let at = rib as f32;
            let start = -186.0 + at * 24.5 + random.between(-1.5, 1.5);
            // The cage widens quickly below the apex, then slowly.
            let reach = wide * (58.0 + 86.0 * (1.0 - 1.0 / (1.0 + at * 0.75)));
            let fall = 26.0 + at * 7.0;
            let radius = 4.6 + 0.12 * at;
            // Behind: from the spine up, out and down to the flank.
            let bend = (side * reach * 0.86, start - 16.0);
            let flank = (side * reach, start + fall);
            curve(&mut tubes, [(side * 22.0, start), bend, flank], radius, (1.0, 2.1));
            if rib < 8 {
                // In front: from the flank on, down and in to the cartilage.
                let turn = (side * reach * 1.01, start + fall + 30.0);
                let front = (side * (56.0 + at * 2.5), start + fall + 40.0 + at * 3.0);
                curve(&mut tubes, [flank, turn, front], radius * 1.12, (2.1, 0.8));
            }
        }
        let rise = random.between(-4.0, 4.0);
        let clavicle = [(side * 16.0, -138.0), (side * 60.0, -136.0 + rise), (side * 92.0, -158.0)];
        curve(&mut tubes, clavicle, 6.4, (1.0, 1.0));
        curve(&mut tubes, [clavicle[2], (side * 120.0, -178.0), (side * 156.0, -178.0)], 6.0, (1.0, 1.0));
    }
    tubes
}

/// Branches from each hilum outwards, thinner as they go, each forking twice.
fn vessels(random: &mut Random, wide: f32) -> Vec<Piece> {
    let mut vessels = Vec::new();
    for side in [-1.0f32, 1.0] {
        let hilum = (side * 34.0, -28.0 + side * -5.0);
        for branch in 0..15 {
            // Directions fan out from up to down, away from the middle.
            let fan = (branch as f32 + random.between(0.0, 0.8)) / 15.0 * 2.0 - 1.0;
            let out = (1.0 - fan * fan * 0.85).sqrt();
            let length = random.between(34.0, 56.0);
            let end = (hilum.0 + side * out * length * wide, hilum.1 + fan * length * 1.55);
            let radius = random.between(2.2, 3.6);
            let bend = (
                (hilum.0 + end.0) * 0.5 + random.between(-5.0, 5.0),
                (hilum.1 + end.1) * 0.5 + random.between(-5.0, 5.0),
            );
            taper(&mut vessels, [hilum, bend, end], radius, radius * 0.55);
            for _ in 0..3 {
                let further = length * random.between(0.5, 0.95);
                let turned = fan + random.between(-0.5, 0.5);
                let tip = (end.0 + side * out * further * 0.7 * wide, end.1 + turned * further);
                let bend = (
                    (end.0 + tip.0) * 0.5 + random.between(-3.0, 3.0),
                    (end.1 + tip.1) * 0.5 + random.between(-3.0, 3.0),
                );
                taper(&mut vessels, [end, bend, tip], radius * 0.5, 0.5);
            }
        }
    }
    vessels
}

/// A quadratic Bézier curve of even radius; `slant` from its start to its end.
fn curve(into: &mut Vec<Piece>, points: [(f32, f32); 3], radius: f32, slant: (f32, f32)) {
    pieces(points, |from, to, part| {
        into.push(Piece { from, to, radius, slant: (slant.0 + (slant.1 - slant.0) * part * part).max(0.5) });
    });
}

/// A quadratic Bézier curve that thins out.
fn taper(into: &mut Vec<Piece>, points: [(f32, f32); 3], first: f32, last: f32) {
    pieces(points, |from, to, part| {
        into.push(Piece { from, to, radius: first + (last - first) * part, slant: 1.0 });
    });
}

fn pieces([start, bend, end]: [(f32, f32); 3], mut each: impl FnMut((f32, f32), (f32, f32), f32)) {
    let point = |step: usize| {
        let t = step as f32 / CURVE_PIECES as f32;
        let (p, q, r) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
        (p * start.0 + q * bend.0 + r * end.0, p * start.1 + q * bend.1 + r * end.1)
    };
    for step in 0..CURVE_PIECES {
        each(point(step), point(step + 1), step as f32 / CURVE_PIECES as f32);
    }
}

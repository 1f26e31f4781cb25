//! What tells two micro-credentials apart at a glance: a colour and a line pattern that follow from what is assessed.

use std::f32::consts::TAU;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The colours of one badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    /// The ground, dark enough that white on it has a contrast of 7 : 1 and gold one of 4.5 : 1.
    pub(super) ground: &'static str,
    /// A shade for the folds.
    pub(super) shade: &'static str,
    /// A lighter tone of the ground.
    pub(super) tint: &'static str,
}

pub(super) const GOLD: &str = "#e3c27a";
pub(super) const PAPER: &str = "#faf8f3";
pub(super) const INK: &str = "#1a282d";

pub(super) const PALETTES: [Palette; 8] = [
    Palette { ground: "#17424a", shade: "#0c2a30", tint: "#22575f" },
    Palette { ground: "#1d3763", shade: "#111f3b", tint: "#2a4879" },
    Palette { ground: "#4b2350", shade: "#2d1331", tint: "#603266" },
    Palette { ground: "#68233a", shade: "#401321", tint: "#7f3049" },
    Palette { ground: "#1f4c31", shade: "#112f1d", tint: "#275a3b" },
    Palette { ground: "#593716", shade: "#38210a", tint: "#69421d" },
    Palette { ground: "#35404f", shade: "#1f2731", tint: "#424e5f" },
    Palette { ground: "#372f70", shade: "#211b47", tint: "#484087" },
];

/// A source of numbers that depends on a text alone.
pub(super) struct Motif {
    bytes: [u8; 32],
}

impl Motif {
    /// The motif of what has this fingerprint.
    pub(super) fn new(fingerprint: &str) -> Motif {
        Motif { bytes: Sha256::digest(fingerprint.as_bytes()).into() }
    }

    /// A number below `below`, a different one for each place.
    fn pick(&self, place: usize, below: u8) -> u8 {
        self.bytes.get(place).map_or(0, |byte| byte % below.max(1))
    }

    pub(super) fn palette(&self) -> Palette {
        let at = usize::from(self.pick(0, 8));
        PALETTES.get(at).copied().unwrap_or(PALETTES[0])
    }

    /// Lines around the middle at (0, 0), between a hole and the radius.
    pub(super) fn pattern(&self, radius: f32) -> String {
        match self.pick(1, 4) {
            0 => self.rosette(radius),
            1 => self.star(radius),
            2 => self.waves(radius),
            _ => self.petals(radius),
        }
    }

    /// The engraver's line: a circle that rolls within a circle.
    fn rosette(&self, radius: f32) -> String {
        let loops = [7_u8, 8, 9, 11, 12, 13][usize::from(self.pick(2, 6))];
        let turns = [2_u8, 3, 4, 5][usize::from(self.pick(3, 4))];
        // Without a common divisor the line closes after `turns` rounds and not before.
        let turns = if loops.is_multiple_of(turns) { 5 } else { turns };
        let depth = 0.2 + f32::from(self.pick(4, 4)) * 0.03;
        let ratio = f32::from(loops) / f32::from(turns);
        closed(f32::from(turns), 96 * usize::from(turns), |angle| {
            let reach = radius * (1.0 - depth + depth * (ratio * angle).cos());
            (reach, angle)
        })
    }

    /// Stars of two kinds, one within the other.
    fn star(&self, radius: f32) -> String {
        let points = 9 + 2 * usize::from(self.pick(2, 5));
        let skip = 3 + usize::from(self.pick(3, 2));
        let mut path = String::new();
        for (scale, skip) in [(1.0, skip), (0.8, skip - 1)] {
            let mut at = 0;
            for n in 0..points {
                let (x, y) = polar(radius * scale, TAU * at as f32 / points as f32);
                put(&mut path, if n == 0 { 'M' } else { 'L' }, x, y);
                at = (at + skip) % points;
                if at == 0 && n + 1 < points {
                    // A star of several figures: the next one begins beside the first.
                    at = n % points;
                }
            }
            path.push('z');
        }
        path
    }

    /// Wavy rings.
    fn waves(&self, radius: f32) -> String {
        let crests = 8.0 + f32::from(self.pick(2, 7));
        let mut path = String::new();
        for ring in 0..5_u8 {
            let reach = radius * (1.0 - 0.11 * f32::from(ring));
            let lean = if ring % 2 == 0 { 0.0 } else { TAU / 2.0 };
            path += &closed(1.0, 180, |angle| {
                (reach * (0.955 + 0.045 * (crests * angle + lean).cos()), angle)
            });
        }
        path
    }

    /// Circles that share a point of the middle ring.
    fn petals(&self, radius: f32) -> String {
        let n_petals = 8 + 2 * usize::from(self.pick(2, 5));
        let size = radius * (0.34 + 0.03 * f32::from(self.pick(3, 4)));
        let mut path = String::new();
        for n in 0..n_petals {
            let (x, y) = polar(radius - size, TAU * n as f32 / n_petals as f32);
            put(&mut path, 'M', x + size, y);
            for end in [-size, size] {
                // Writing to a string cannot fail.
                let _ = write!(path, "A{size:.1} {size:.1} 0 0 1 {:.1} {y:.1}", x + end);
            }
            path.push('z');
        }
        path
    }
}

/// A closed line through points given by their angle.
fn closed(turns: f32, n_points: usize, point: impl Fn(f32) -> (f32, f32)) -> String {
    let mut path = String::new();
    for n in 0..n_points {
        let angle = TAU * turns * n as f32 / n_points as f32;
        let (reach, angle) = point(angle);
        let (x, y) = polar(reach, angle);
        put(&mut path, if n == 0 { 'M' } else { 'L' }, x, y);
    }
    path.push('z');
    path
}

/// The point at this distance from the middle; the angle is taken from the top, clockwise.
fn polar(reach: f32, angle: f32) -> (f32, f32) {
    (reach * angle.sin(), -reach * angle.cos())
}

fn put(path: &mut String, command: char, x: f32, y: f32) {
    // Writing to a string cannot fail.
    let _ = write!(path, "{command}{x:.1} {y:.1}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as in the Web Content Accessibility Guidelines 2.2.
    fn luminance(colour: &str) -> f32 {
        let part = |at: usize| {
            let value = f32::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(one: &str, other: &str) -> f32 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn words_can_be_read_on_every_ground() {
        for palette in PALETTES {
            for ground in [palette.ground, palette.tint] {
                assert!(contrast(ground, "#ffffff") >= 7.0, "{ground}");
                assert!(contrast(ground, GOLD) >= 4.5, "{ground} {}", contrast(ground, GOLD));
            }
        }
        assert!(contrast(PAPER, INK) >= 7.0);
    }

    #[test]
    fn patterns_stay_inside_of_their_radius() {
        for n in 0..200 {
            let motif = Motif::new(&n.to_string());
            let path = motif.pattern(80.0);
            let numbers = path.split(|c: char| !c.is_ascii_digit() && c != '.' && c != '-');
            for number in numbers.filter_map(|number| number.parse::<f32>().ok()) {
                assert!(number.abs() <= 80.1, "{n}: {number}");
            }
            assert!(path.len() < 12_000, "{n}: {}", path.len());
        }
    }

    #[test]
    fn fingerprints_differ_in_their_motifs() {
        let mut seen: Vec<String> = (0..100)
            .map(|n| Motif::new(&n.to_string()))
            .map(|motif| motif.palette().ground.to_owned() + &motif.pattern(80.0))
            .collect();
        seen.sort();
        seen.dedup();
        assert!(seen.len() > 80, "{}", seen.len());
    }
}

//! Gauss-Legendre quadrature on [0, 1]: sums that are integrals of polynomials, exactly.

use std::f64::consts::PI;

/// A point, what is left of it to 1, and its weight; all weights sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: f64,
    pub rest: f64,
    pub weight: f64,
}

/// Newton's method doubles the digits with each step; far fewer are ever needed.
const MOST_STEPS: usize = 100;

/// So many points, which integrate polynomials of a degree below twice their number exactly.
///
/// Points are the roots of the Legendre polynomial, found from their asymptotic places (Abramowitz and Stegun, 22.16.6
/// and 25.4.29).
pub fn points(count: usize) -> Vec<Point> {
    let point = |at: usize| {
        let mut x = (PI * (at as f64 + 0.75) / (count as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..MOST_STEPS {
            let (value, derivative) = legendre(count, x);
            slope = derivative;
            let step = value / derivative;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        let weight = 1.0 / ((1.0 - x * x) * slope * slope);
        Point { at: (1.0 + x) / 2.0, rest: (1.0 - x) / 2.0, weight }
    };
    (0..count).map(point).collect()
}

/// The Legendre polynomial of a degree and its derivative, by their recurrences.
fn legendre(degree: usize, x: f64) -> (f64, f64) {
    let (mut before, mut value) = (0.0, 1.0);
    for at in 1..=degree {
        let at = at as f64;
        (before, value) = (value, ((2.0 * at - 1.0) * x * value - (at - 1.0) * before) / at);
    }
    (value, degree as f64 * (x * value - before) / (x * x - 1.0))
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_polynomials_below_twice_the_points_are_integrated_exactly() {
        for count in [1, 2, 3, 4, 8, 16, 33, 200] {
            let points = points(count);
            for degree in 0..2 * count {
                let sum: f64 = points.iter().map(|p| p.weight * p.at.powi(degree as i32)).sum();
                let wanted = 1.0 / (degree as f64 + 1.0);
                assert!((sum - wanted).abs() < 1e-14, "{count} points, degree {degree}: {sum}");
            }
        }
    }

    #[test]
    fn test_points_lie_within_and_mirror_each_other() {
        let points = points(7);
        for (point, other) in points.iter().zip(points.iter().rev()) {
            assert!(point.at > 0.0 && point.at < 1.0);
            assert!((point.at - other.rest).abs() < 1e-15);
            assert!((point.weight - other.weight).abs() < 1e-15);
        }
    }
}

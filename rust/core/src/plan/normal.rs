//! The error function, and the inverse of the normal distribution function, as scikit-learn has them from SciPy.
//!
//! After `erf` and `ndtri` of Cephes (Stephen L. Moshier; in SciPy under BSD-3-Clause): rational functions around the center, and
//! others on both sides.
#![allow(clippy::excessive_precision)]

/// The square root of two pi.
const ROOT: f64 = 2.50662827463100050242;
/// exp(-2): where the sides begin.
const SIDE: f64 = 0.13533528323661269189;

const CENTER: ([f64; 5], [f64; 8]) = (
    [
        -5.99633501014107895267e1,
        9.80010754185999661536e1,
        -5.66762857469070293439e1,
        1.39312609387279679503e1,
        -1.23916583867381258016e0,
    ],
    [
        1.95448858338141759834e0,
        4.67627912898881538453e0,
        8.63602421390890590575e1,
        -2.25462687854119370527e2,
        2.00260212380060660359e2,
        -8.20372256168333339912e1,
        1.59056225126211695515e1,
        -1.18331621121330003142e0,
    ],
);
const NEAR: ([f64; 9], [f64; 8]) = (
    [
        4.05544892305962419923e0,
        3.15251094599893866154e1,
        5.71628192246421288162e1,
        4.40805073893200834700e1,
        1.46849561928858024014e1,
        2.18663306850790267539e0,
        -1.40256079171354495875e-1,
        -3.50424626827848203418e-2,
        -8.57456785154685413611e-4,
    ],
    [
        1.57799883256466749731e1,
        4.53907635128879210584e1,
        4.13172038254672030440e1,
        1.50425385692907503408e1,
        2.50464946208309415979e0,
        -1.42182922854787788574e-1,
        -3.80806407691578277194e-2,
        -9.33259480895457427372e-4,
    ],
);
const FAR: ([f64; 9], [f64; 8]) = (
    [
        3.23774891776946035970e0,
        6.91522889068984211695e0,
        3.93881025292474443415e0,
        1.33303460815807542389e0,
        2.01485389549179081538e-1,
        1.23716634817820021358e-2,
        3.01581553508235416007e-4,
        2.65806974686737550832e-6,
        6.23974539184983293730e-9,
    ],
    [
        6.02427039364742014255e0,
        3.67983563856160859403e0,
        1.37702099489081330271e0,
        2.16236993594496635890e-1,
        1.34204006088543189037e-2,
        3.28014464682127739104e-4,
        2.89247864745380683936e-6,
        6.79019408009981274425e-9,
    ],
);

/// The number below which a normal variable is with this probability; NaN outside of 0 to 1.
pub fn normal_quantile(probability: f64) -> f64 {
    if !(0.0..=1.0).contains(&probability) {
        return f64::NAN;
    }
    if probability == 0.0 || probability == 1.0 {
        return if probability == 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let is_low = probability <= 1.0 - SIDE;
    let share = if is_low { probability } else { 1.0 - probability };
    if share > SIDE {
        let y = share - 0.5;
        let square = y * y;
        let (above, below) = (polynomial(square, &CENTER.0), monic(square, &CENTER.1));
        return (y + y * (square * above / below)) * ROOT;
    }
    let x = (-2.0 * share.ln()).sqrt();
    let first = x - x.ln() / x;
    let z = 1.0 / x;
    let (above, below) = if x < 8.0 { &NEAR } else { &FAR };
    let result = first - z * polynomial(z, above) / monic(z, below);
    if is_low {
        -result
    } else {
        result
    }
}

const ERROR: ([f64; 5], [f64; 5]) = (
    [
        9.60497373987051638749e0,
        9.00260197203842689217e1,
        2.23200534594684319226e3,
        7.00332514112805075473e3,
        5.55923013010394962768e4,
    ],
    [
        3.35617141647503099647e1,
        5.21357949780152679795e2,
        4.59432382970980127987e3,
        2.26290000613890934246e4,
        4.92673942608635921086e4,
    ],
);
const REST: ([f64; 9], [f64; 8]) = (
    [
        2.46196981473530512524e-10,
        5.64189564831068821977e-1,
        7.46321056442269912687e0,
        4.86371970985681366614e1,
        1.96520832956077098242e2,
        5.26445194995477358631e2,
        9.34528527171957607540e2,
        1.02755188689515710272e3,
        5.57535335369399327526e2,
    ],
    [
        1.32281951154744992508e1,
        8.67072140885989742329e1,
        3.54937778887819891062e2,
        9.75708501743205489753e2,
        1.82390916687909736289e3,
        2.24633760818710981792e3,
        1.65666309194161350182e3,
        5.57535340817727675546e2,
    ],
);

/// Twice the probability that a normal variable with variance ½ is between 0 and x.
pub fn erf(x: f64) -> f64 {
    let size = x.abs();
    if size <= 1.0 {
        let square = x * x;
        return x * polynomial(square, &ERROR.0) / monic(square, &ERROR.1);
    }
    // From here on one less the rest is one.
    let rest = if size >= 8.0 {
        0.0
    } else {
        (-x * x).exp() * polynomial(size, &REST.0) / monic(size, &REST.1)
    };
    if x.is_nan() {
        x
    } else {
        (1.0 - rest).copysign(x)
    }
}

/// The highest power first.
fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// As [`polynomial`] with a power above all, of which there is one.
fn monic(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(1.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::{erf, normal_quantile};

    #[test]
    fn quantiles_are_those_of_tables() {
        let known = [(0.5, 0.0), (0.975, 1.959963984540054), (0.1, -1.2815515655446004)];
        for (probability, quantile) in known {
            assert!((normal_quantile(probability) - quantile).abs() < 1e-14);
        }
        assert!((normal_quantile(1e-7) + 5.199337582192817).abs() < 1e-13);
        assert!((normal_quantile(1e-300) + 37.0471).abs() < 1e-3);
    }

    #[test]
    fn errors_are_those_of_tables() {
        for (x, known) in [(0.5, 0.5204998778130465), (1.5, 0.9661051464753108), (9.0, 1.0)] {
            assert!((erf(x) - known).abs() < 1e-15 && erf(-x) == -erf(x));
        }
        assert!(erf(f64::NAN).is_nan() && erf(f64::NEG_INFINITY) == -1.0);
    }

    #[test]
    fn certainty_is_infinitely_far() {
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }
}

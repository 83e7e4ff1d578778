//! Named functions of one number, as numpy's ufuncs of the same names; used by the `map` and `link` operators.

use super::normal::{erf, normal_quantile};
use super::wide::wide;

macro_rules! functions {
    ($($variant:ident, $name:literal, $body:expr;)*) => {
        /// A named function of one number.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Function { $($variant),* }

        impl Function {
            /// Every name, in the order of the documentation.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Function::$variant),)* _ => None }
            }

            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name),* }
            }

            pub fn apply(self, x: f64) -> f64 {
                match self { $(Function::$variant => ($body as fn(f64) -> f64)(x)),* }
            }
        }

        wide! {
            /// Applies the function to all numbers; the match is outside of the loop, so that each becomes a plain one.
            pub fn apply_function(function: Function, source: &[f64], target: &mut [f64]) {
                let pairs = target.iter_mut().zip(source);
                match function {
                    $(Function::$variant => {
                        pairs.for_each(|(to, x)| *to = ($body as fn(f64) -> f64)(*x));
                    })*
                }
            }
        }
    };
}

// Beyond these the C library takes 1 for nothing beside x² or 1/x², or x for its own function.
const LARGE: f64 = (1u64 << 28) as f64;
const SMALL: f64 = 1.0 / LARGE;

functions! {
    Abs, "abs", f64::abs;
    Arccos, "arccos", f64::acos;
    Arccosh, "arccosh", arccosh;
    Arcsin, "arcsin", f64::asin;
    Arcsinh, "arcsinh", arcsinh;
    Arctan, "arctan", f64::atan;
    Arctanh, "arctanh", arctanh;
    Cbrt, "cbrt", f64::cbrt;
    Ceil, "ceil", f64::ceil;
    Cos, "cos", f64::cos;
    Cosh, "cosh", f64::cosh;
    Degrees, "degrees", |x| x * (180.0 / std::f64::consts::PI);
    Erf, "erf", erf;
    Exp, "exp", f64::exp;
    Exp2, "exp2", f64::exp2;
    Expm1, "expm1", f64::exp_m1;
    Floor, "floor", f64::floor;
    Identity, "identity", |x| x;
    IsFinite, "isfinite", |x| f64::from(u8::from(x.is_finite()));
    IsInfinite, "isinf", |x| f64::from(u8::from(x.is_infinite()));
    IsNan, "isnan", |x| f64::from(u8::from(x.is_nan()));
    Log, "log", f64::ln;
    Log10, "log10", f64::log10;
    Log1p, "log1p", f64::ln_1p;
    Log2, "log2", f64::log2;
    Negative, "negative", |x| -x;
    NormalQuantile, "normal_quantile", normal_quantile;
    OnePlusLog, "one_plus_log", one_plus_log;
    Radians, "radians", |x| x * (std::f64::consts::PI / 180.0);
    Reciprocal, "reciprocal", |x| 1.0 / x;
    Rint, "rint", f64::round_ties_even;
    Sigmoid, "sigmoid", |x| 1.0 / (1.0 + (-x).exp());
    Sign, "sign", sign;
    Sin, "sin", f64::sin;
    Sinh, "sinh", f64::sinh;
    Sqrt, "sqrt", f64::sqrt;
    Square, "square", |x| x * x;
    Tan, "tan", f64::tan;
    Tanh, "tanh", f64::tanh;
    Trunc, "trunc", f64::trunc;
}

impl Function {
    /// As [`super::scalar::Scalar::is_rising`].
    pub fn is_rising(self) -> bool {
        use Function::{Ceil, Degrees, Floor, Identity, IsNan, Radians, Rint, Sign, Sqrt, Trunc};
        matches!(
            self,
            Ceil | Degrees | Floor | Identity | IsNan | Radians | Rint | Sign | Sqrt | Trunc
        )
    }
}

/// As C libraries compute it (fdlibm, `e_acosh.c`), to the last bit; Rust's own takes another formula.
fn arccosh(x: f64) -> f64 {
    if x < 1.0 {
        f64::NAN
    } else if x >= LARGE {
        x.ln() + std::f64::consts::LN_2
    } else if x > 2.0 {
        (2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt())).ln()
    } else {
        let above = x - 1.0;
        (above + (2.0 * above + above * above).sqrt()).ln_1p()
    }
}

/// As [`arccosh`] (`s_asinh.c`).
fn arcsinh(x: f64) -> f64 {
    let size = x.abs();
    let result = if size < SMALL || !size.is_finite() {
        size
    } else if size > LARGE {
        size.ln() + std::f64::consts::LN_2
    } else if size > 2.0 {
        (2.0 * size + 1.0 / ((size * size + 1.0).sqrt() + size)).ln()
    } else {
        let square = size * size;
        (size + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    result.copysign(x)
}

/// As [`arccosh`] (`e_atanh.c`).
fn arctanh(x: f64) -> f64 {
    let size = x.abs();
    let twice = size + size;
    let result = if size < SMALL {
        size
    } else if size < 0.5 {
        0.5 * (twice + twice * size / (1.0 - size)).ln_1p()
    } else {
        0.5 * (twice / (1.0 - size)).ln_1p()
    };
    result.copysign(x)
}

/// What `sublinear_tf` makes of a count; 0 stays 0.
fn one_plus_log(x: f64) -> f64 {
    if x == 0.0 {
        0.0
    } else {
        x.ln() + 1.0
    }
}

/// numpy.sign: zero (of either sign) gives zero, NaN gives NaN.
fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else if x == 0.0 {
        0.0
    } else {
        f64::NAN
    }
}

//! Functions of two numbers, as Python computes them of two floats; used by the `combine` operator.
//!
//! Where Python raises there is no value, so the result is missing.

macro_rules! pairs {
    ($($variant:ident, $name:literal, $body:expr;)*) => {
        /// A named function of two numbers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Pair { $($variant),* }

        impl Pair {
            /// Every name, in the order of the documentation.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Pair::$variant),)* _ => None }
            }

            pub fn name(self) -> &'static str {
                match self { $(Pair::$variant => $name),* }
            }

            /// Applies the function to all pairs; the match is outside of the loop, so that each becomes a plain one.
            pub fn apply_all(self, left: &[f64], right: &[f64], target: &mut [f64]) {
                let pairs = target.iter_mut().zip(left.iter().zip(right));
                match self {
                    $(Pair::$variant => {
                        let function = $body;
                        pairs.for_each(|(to, (x, y))| *to = function(*x, *y));
                    })*
                }
            }
        }
    };
}

pairs! {
    Add, "add", |x: f64, y: f64| x + y;
    And, "and", |x: f64, y: f64| flag(is_true(x) & is_true(y));
    Arctan2, "arctan2", f64::atan2;
    Divide, "divide", |x: f64, y: f64| if y == 0.0 { f64::NAN } else { x / y };
    Equal, "equal", |x: f64, y: f64| flag(x == y);
    FloorDivide, "floor_divide", |x: f64, y: f64| quotient(x, y).0;
    Greater, "greater", |x: f64, y: f64| flag(x > y);
    GreaterEqual, "greater_equal", |x: f64, y: f64| flag(x >= y);
    Less, "less", |x: f64, y: f64| flag(x < y);
    LessEqual, "less_equal", |x: f64, y: f64| flag(x <= y);
    Maximum, "maximum", |x: f64, y: f64| choose(y > x, x, y);
    Minimum, "minimum", |x: f64, y: f64| choose(y < x, x, y);
    Modulo, "modulo", |x: f64, y: f64| quotient(x, y).1;
    Multiply, "multiply", |x: f64, y: f64| x * y;
    NotEqual, "not_equal", |x: f64, y: f64| flag(x != y);
    Or, "or", |x: f64, y: f64| flag(is_true(x) | is_true(y));
    Power, "power", power;
    Subtract, "subtract", |x: f64, y: f64| x - y;
}

/// Whether a number counts as true in a condition; a missing one does not.
#[inline(always)]
pub fn is_true(x: f64) -> bool {
    (x != 0.0) & !x.is_nan()
}

#[inline(always)]
fn flag(is_true: bool) -> f64 {
    f64::from(u8::from(is_true))
}

/// The second number where it wins, else the first; missing if one of them is.
#[inline(always)]
fn choose(second_wins: bool, x: f64, y: f64) -> f64 {
    if x.is_nan() | y.is_nan() {
        f64::NAN
    } else if second_wins {
        y
    } else {
        x
    }
}

/// `x // y` and `x % y`: CPython's Objects/floatobject.c, `_float_div_mod`.
fn quotient(x: f64, y: f64) -> (f64, f64) {
    if y == 0.0 {
        return (f64::NAN, f64::NAN);
    }
    let mut modulo = x % y;
    let mut quotient = (x - modulo) / y;
    if modulo == 0.0 {
        modulo = 0f64.copysign(y);
    } else if (y < 0.0) != (modulo < 0.0) {
        modulo += y;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0f64.copysign(x / y), modulo);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, modulo)
}

/// `x ** y`: that of C, where it overflows or divides by zero missing (CPython raises).
fn power(x: f64, y: f64) -> f64 {
    let power = x.powf(y);
    if power.is_infinite() && x.is_finite() && y.is_finite() {
        f64::NAN
    } else {
        power
    }
}

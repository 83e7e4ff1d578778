//! Which values of an Arrow array are missing, found 64 rows at a time.

use arrow_buffer::NullBuffer;

/// Calls `found` with each of `count` rows from `from` on that has no value, counted from `from`.
pub(super) fn each_missing(
    nulls: Option<&NullBuffer>,
    from: usize,
    count: usize,
    mut found: impl FnMut(usize),
) {
    let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else { return };
    for start in (0..count).step_by(64) {
        let rows = (count - start).min(64);
        let mut missing = !word(nulls, from + start) & (u64::MAX >> (64 - rows));
        while missing != 0 {
            found(start + missing.trailing_zeros() as usize);
            missing &= missing - 1;
        }
    }
}

/// Bit `r` tells whether row `from + r` has a value, where there is such a row.
fn word(nulls: &NullBuffer, from: usize) -> u64 {
    let bit = nulls.offset() + from;
    let bytes = nulls.validity().get(bit / 8..).unwrap_or_default();
    let bits = bytes.first_chunk().map_or_else(
        || {
            let mut last = [0; 16];
            last.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
            u128::from_le_bytes(last)
        },
        |bytes| u128::from_le_bytes(*bytes),
    );
    (bits >> (bit % 8)) as u64
}

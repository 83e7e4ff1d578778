//! Memory of large columns: in large pages where the system has them, as numpy asks for its arrays.

/// From this size on, in bytes, the first access to each small page costs more than what is computed for it.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// Asks for large pages behind a column that was not written to yet.
#[cfg(target_os = "linux")]
pub fn prefer_large(column: &[f64]) {
    const PAGE: usize = 4096;
    let bytes = size_of_val(column);
    let start = column.as_ptr().cast::<u8>();
    let skipped = start.align_offset(PAGE);
    if bytes < LARGE || skipped > bytes {
        return;
    }
    // SAFETY: the range lies within the column, and the advice changes no byte of it. Where it is not followed, nothing
    // is lost. Without it, formulas over a million rows took half as long again (`bench/steps.py`).
    unsafe {
        libc::madvise(start.add(skipped).cast_mut().cast(), bytes - skipped, libc::MADV_HUGEPAGE);
    }
}

#[cfg(not(target_os = "linux"))]
pub fn prefer_large(_: &[f64]) {}

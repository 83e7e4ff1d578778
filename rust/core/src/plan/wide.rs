//! Plain loops over numbers, compiled for every processor and once more for those with AVX2 and FMA.

/// Makes a function whose loops take the widest vectors of the processor; a closure in its body does too.
///
/// The bits are the same: the compiler neither fuses nor reorders arithmetic. The kernel that is forced holds for these,
/// too.
macro_rules! wide {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn any($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($argument: $type),*) $(-> $result)? {
                    any($($argument),*)
                }
                if crate::trees::Kernel::has_avx2() && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: this processor has AVX2 and FMA.
                    return unsafe { avx2($($argument),*) };
                }
            }
            any($($argument),*)
        }
    };
}

pub(crate) use wide;

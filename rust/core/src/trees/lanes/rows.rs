//! Which lookups a process uses for a row alone.

use super::lookup::RowJob;
#[cfg(target_arch = "x86_64")]
use super::lookup_avx2;
#[cfg(target_arch = "x86_64")]
use super::lookup_avx512;
#[cfg(target_arch = "aarch64")]
use super::lookup_neon;
use super::Kernel;

/// The instructions that compare all nodes of a tree with one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKernel {
    #[cfg(target_arch = "x86_64")]
    Vbmi,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl RowKernel {
    /// What goes with a kernel; `None` where rows are walked.
    pub fn of(kernel: Kernel) -> Option<Self> {
        match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 | Kernel::Avx2 => {
                let has_bits = is_x86_feature_detected!("bmi1")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("lzcnt");
                let has_bytes = kernel == Kernel::Avx512 && is_x86_feature_detected!("avx512vbmi");
                let other = is_x86_feature_detected!("avx2").then_some(Self::Avx2);
                if has_bytes { Some(Self::Vbmi) } else { other }.filter(|_| has_bits)
            }
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => Some(Self::Neon),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vbmi => "avx512vbmi",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "neon",
        }
    }

    /// The number of a lane as the instructions read it.
    pub fn code(self, lane: u8) -> u8 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => lookup_avx2::code(lane),
            #[allow(unreachable_patterns, reason = "each architecture has some of the kernels")]
            _ => lane,
        }
    }

    /// Runs a job with these instructions.
    #[inline(always)]
    pub fn run<J: RowJob>(self, job: J) {
        match self {
            // SAFETY: one is only made where `of` has seen that the processor has the instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Vbmi => unsafe { lookup_avx512::run(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { lookup_avx2::run(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { lookup_neon::run(job) },
        }
    }
}

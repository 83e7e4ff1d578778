//! Vectors of bytes, one for each instruction set, and which of them a process uses.
//!
//! All operations are exact on integers, so that every kernel gives the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bytes;
mod lookup;
#[cfg(target_arch = "x86_64")]
mod lookup_avx2;
#[cfg(target_arch = "x86_64")]
mod lookup_avx512;
#[cfg(target_arch = "aarch64")]
mod lookup_neon;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod rows;

pub use bytes::{Bytes, Job, Member, BIAS};
pub use lookup::{Lookup, NodeBytes, NodeTests, RowBytes, RowJob, MOST_LANES};
pub use rows::RowKernel;

use crate::error::ArtifactError;
use std::sync::atomic::{AtomicU8, Ordering};

/// The instruction sets that there are kernels for, the widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    Avx512,
    Avx2,
    Neon,
    Scalar,
}

const KERNELS: [(Kernel, &str); 4] = [
    (Kernel::Avx512, "avx512"),
    (Kernel::Avx2, "avx2"),
    (Kernel::Neon, "neon"),
    (Kernel::Scalar, "scalar"),
];

/// The environment variable by which hosts let people force a kernel, for tests and to compare.
pub const VARIABLE: &str = "PENSTOCK_KERNEL";

/// Position of the kernel that was forced, counted from 1; 0 if none was.
static FORCED: AtomicU8 = AtomicU8::new(0);

impl Kernel {
    /// The kernel that was forced, else the widest that this processor runs.
    pub fn choose() -> Self {
        let forced = usize::from(FORCED.load(Ordering::Relaxed)).checked_sub(1);
        forced.and_then(|at| KERNELS.get(at)).map_or_else(Self::widest, |(kernel, _)| *kernel)
    }

    /// Lets all models that are planned from now on use the kernel of this name; an empty name lets go of it.
    ///
    /// # Errors
    /// For a name that is none, or whose instructions this processor does not have.
    pub fn force(name: &str) -> Result<(), ArtifactError> {
        let kernel = if name.is_empty() { None } else { Some(Self::named(name)?) };
        let position = KERNELS.iter().position(|(known, _)| Some(*known) == kernel);
        FORCED.store(position.map_or(0, |at| at as u8 + 1), Ordering::Relaxed);
        Ok(())
    }

    fn named(name: &str) -> Result<Self, ArtifactError> {
        let known = KERNELS.iter().find(|(_, known)| *known == name);
        let (kernel, _) = known.ok_or_else(|| {
            let names: Vec<_> = KERNELS.iter().map(|(_, known)| *known).collect();
            let names = names.join(", ");
            ArtifactError::new(format!("{VARIABLE} is `{name}`; it must be one of {names}"))
        })?;
        if kernel.runs_here() {
            return Ok(*kernel);
        }
        Err(ArtifactError::new(format!(
            "{VARIABLE} is `{name}`, which this processor does not have; unset it, or use scalar"
        )))
    }

    fn widest() -> Self {
        let kernels = KERNELS.iter().map(|(kernel, _)| *kernel);
        kernels.into_iter().find(|kernel| kernel.runs_here()).unwrap_or(Self::Scalar)
    }

    /// Whether plain loops may take AVX2: if the processor has it, and no kernel without it is forced.
    #[cfg(target_arch = "x86_64")]
    pub fn has_avx2() -> bool {
        matches!(Self::choose(), Self::Avx512 | Self::Avx2) && Self::Avx2.runs_here()
    }

    /// All kernels that this processor runs.
    pub fn all() -> Vec<Self> {
        KERNELS.iter().map(|(kernel, _)| *kernel).filter(|kernel| kernel.runs_here()).collect()
    }

    pub fn name(self) -> &'static str {
        KERNELS.iter().find(|(kernel, _)| *kernel == self).map_or("", |(_, name)| name)
    }

    fn runs_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            Self::Scalar => true,
            #[allow(unreachable_patterns, reason = "each architecture has some of the kernels")]
            _ => false,
        }
    }

    /// Runs a job with the vectors of this kernel.
    pub fn run<J: Job>(self, job: J) {
        debug_assert!(self.runs_here());
        match self {
            // SAFETY: a kernel is only made where `runs_here` has seen that the processor has its instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512::run(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2::run(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { neon::run(job) },
            // SAFETY: every processor has these.
            _ => unsafe { job.run::<portable::Portable>() },
        }
    }
}

#[cfg(test)]
mod checks {
    use super::*;

    #[test]
    fn test_an_unknown_kernel_is_refused_with_the_known_ones() {
        let error = Kernel::named("sse9").expect_err("there is none");
        let names = "one of avx512, avx2, neon, scalar";
        assert_eq!(error.0, format!("PENSTOCK_KERNEL is `sse9`; it must be {names}"));
    }

    #[test]
    fn test_a_kernel_of_another_processor_is_refused() {
        let other = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
        let error = Kernel::named(other).expect_err("it is of another architecture");
        assert!(error.0.contains("which this processor does not have"), "{error}");
    }
}

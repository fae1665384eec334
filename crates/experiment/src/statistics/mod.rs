//! The statistics of an experiment: one family of formulas per file, each with its source.
//!
//! Everything here is a pure function of counts. Counts are `u64`; the work grows at most with the square root of a
//! count, and nothing panics, overflows or returns NaN for any of them. Up to 2⁵³ a count is exact.
//!
//! Differences are *first − second*, as in the sources.
//!
//! - [`wilson`]: the interval of one accuracy
//! - [`newcombe`]: the interval of a difference, for independent and for paired observations
//! - [`mcnemar`]: the exact test of paired outcomes
//! - [`sample_ratio`]: did assignment honour the weights?
//! - [`bayes`]: chance to win and expected loss, which describe
//! - [`always_valid`]: the interval that holds however often one looks
//! - [`decision`]: which of two variants is better, from [`Evidence`], or how much is still needed
//! - [`sign_test`]: which prompt is better, from annotated sentences on which they differ
//! - [`sample_size`]: textbook sample sizes, for planning
//! - [`classification`]: confusion matrix, accuracy, macro-F1

pub mod always_valid;
pub mod bayes;
pub mod classification;
pub mod decision;
pub mod mcnemar;
pub mod newcombe;
pub mod sample_ratio;
pub mod sample_size;
pub mod sign_test;
pub mod wilson;

mod evidence;
mod score;
mod tails;

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc_inv;

pub use evidence::Evidence;
pub use score::{Interval, Pairs, Score};

/// Standard normal quantile of 0.975, for two-sided 95% intervals and α = 0.05.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// Standard normal quantile of 0.80, for a power of 80%.
pub const Z_POWER_80: f64 = 0.841_621_233_572_914_3;

/// The standard normal quantile of 1 − `alpha`/2: [`Z_95`] for 0.05.
pub(crate) fn two_sided_quantile(alpha: f64) -> f64 {
    SQRT_2 * erfc_inv(alpha)
}

/// A count as a real number; exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 do not occur and would only be rounded")]
pub(crate) const fn real(count: u64) -> f64 {
    count as f64
}

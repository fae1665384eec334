//! Whether the assignments followed the weights.

use serde::Serialize;

use crate::statistics::sample_ratio::{self, Assigned};

use super::{observation::CurrentVariant, tally::VariantTally};

/// A time during which the weights stayed the same: how often each variant was assigned, in the variants' order. From a
/// request log, as stores hold observations, which are fewer.
#[derive(Clone, Debug)]
pub struct Phase {
    /// The weights in force.
    pub weights: Vec<u32>,
    /// Assignments, cache hits included.
    pub assigned: Vec<u64>,
}

/// The check of one phase's assignments against its weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleRatioReport {
    /// The phase, counted from 1.
    pub phase: usize,
    /// Assignments of variants with a weight.
    pub n: u64,
    /// Each variant's assignments.
    pub variants: Vec<AssignedReport>,
    /// Of the χ² test.
    pub p_value: f64,
    /// Whether it is flagged: p < 0.001 with enough assignments.
    pub mismatch: bool,
}

/// One variant's assignments in one phase.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssignedReport {
    /// The variant's label.
    pub label: String,
    /// Its weight then.
    pub weight: u32,
    /// Its assignments.
    pub assigned: u64,
}

/// Checks a phase, of the given number, of these variants; `None` where nothing was assigned.
pub(super) fn of(
    phase: &Phase,
    number: usize,
    variants: &[(CurrentVariant, VariantTally)],
) -> Option<SampleRatioReport> {
    let counted = || phase.weights.iter().zip(&phase.assigned);
    let assigned: Vec<_> =
        counted().map(|(&weight, &count)| Assigned { count, weight: f64::from(weight) }).collect();
    let ratio = sample_ratio::test(&assigned)?;
    let variants = variants.iter().zip(counted());
    Some(SampleRatioReport {
        phase: number,
        n: ratio.n,
        variants: variants
            .map(|((variant, _), (&weight, &assigned))| AssignedReport {
                label: variant.label.clone(),
                weight,
                assigned,
            })
            .collect(),
        p_value: ratio.p_value,
        mismatch: ratio.mismatch,
    })
}

/// Whether two lists of weights give every variant the same share.
pub(super) fn same_shares(one: &[u32], other: &[u32]) -> bool {
    let sum = |weights: &[u32]| weights.iter().map(|weight| u128::from(*weight)).sum::<u128>();
    let (one_sum, other_sum) = (sum(one), sum(other));
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| u128::from(*a) * other_sum == u128::from(*b) * one_sum)
}

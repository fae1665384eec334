//! Which prompt is better, from tallies and annotations.

use super::{current, journal::Journal, store::StoreError};
use crate::{
    Experiment,
    analysis::{Analysis, Outcomes, Plan, Report},
};

/// Makes a report of an experiment. Its cost does not depend on the number of observations: it reads each variant's prompt, the
/// counters of its outcomes and latencies, some dozens of each, and the annotations.
///
/// Observations of other prompts than the variants' current ones, or of another `model`, count as stale.
pub fn report(
    experiment: &Experiment,
    model: &str,
    default_prompt: &str,
    outcomes: Outcomes,
) -> Result<Report, StoreError> {
    let variants = current::variants(experiment, model, default_prompt)?;
    let journal = Journal::open()?;
    let sources = journal.sources()?;
    let keys = journal.keys()?;
    let mut analysis = Analysis::new(outcomes, variants.clone(), Plan::default());
    for (index, variant) in variants.iter().enumerate() {
        let others = sources
            .iter()
            .filter(|source| source.label == variant.label && !source.is(variant.prompt, model));
        let stale = journal.observations(others)?;
        analysis.observe_tally(index, &journal.tally_of(&keys, variant.prompt, model)?, stale);
    }
    analysis.judge(journal.evidence_in(&keys, analysis.round())?);
    Ok(analysis.report())
}

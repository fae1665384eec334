//! Which prompt is better, from tallies and annotations.

use super::{current, journal::Journal, store::StoreError};
use crate::{
    Experiment,
    analysis::{Analysis, Outcomes, Plan, Report},
    tally,
};

/// Makes a report of an experiment. Its cost does not depend on the number of observations: it reads each variant's prompt and
/// [tally](tally::read), and the [annotations](crate::journal::Journal::evidence).
///
/// Observations of other prompts than the variants' current ones, or of another `model`, count as stale.
pub fn report(
    experiment: &Experiment,
    model: &str,
    default_prompt: &str,
    outcomes: Outcomes,
) -> Result<Report, StoreError> {
    let mut variants = Vec::new();
    let mut tallies = Vec::new();
    for variant in experiment.variants() {
        let (store, current) = current::open(variant, model, default_prompt)?;
        tallies.push(tally::read(&store, current.prompt, model, &outcomes)?);
        variants.push(current);
    }
    let mut analysis = Analysis::new(outcomes, variants, Plan::default());
    for (variant, tally) in tallies.iter().enumerate() {
        analysis.observe_tally(variant, tally);
    }
    analysis.judge(Journal::open()?.evidence(analysis.round())?);
    Ok(analysis.report())
}

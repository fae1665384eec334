//! From the observations of variants to the numbers that a page, a report and an evaluation show.
//!
//! An [`Analysis`] takes [`Observation`]s one by one, in any order, in memory that does not grow with their number, and
//! makes a [`Report`] of them at any time. The report is plain data for serde; it follows three rules:
//!
//! - No winner is named before the interval that decides excludes zero; until then the report says how many more labelled
//!   sentences are needed.
//! - A share always comes with the number of observations, and an accuracy with its interval.
//! - What endangers a conclusion is a [`Warning`] with advice.
//!
//! ```
//! use experiment::{
//!     Fingerprint,
//!     analysis::{Analysis, Observation, Outcomes, Plan, Status, CurrentVariant},
//! };
//!
//! let prompts = [Fingerprint::of("Terse: {SENTENCE}"), Fingerprint::of("Kind: {SENTENCE}")];
//! let variants = prompts.iter().zip(["terse", "kind"]);
//! let mut analysis = Analysis::new(
//!     Outcomes::new(["positive", "neutral", "negative"], "unsure"),
//!     variants.map(|(prompt, label)| CurrentVariant::new(label, 1, *prompt, "llama2-chat")).collect(),
//!     Plan::default(),
//! );
//! let observed = [(0, "unsure"), (1, "positive")].map(|(variant, outcome)| {
//!     let observation = Observation {
//!         prompt: prompts[variant],
//!         model: "llama2-chat",
//!         outcome,
//!         expected: vec!["positive"],
//!         elapsed_ms: Some(210),
//!         prompt_tokens: 96,
//!         generated_tokens: 3,
//!     };
//!     (variant, observation)
//! });
//! analysis.observe_together(&observed);
//! let report = analysis.report();
//! assert_eq!(report.comparisons[0].pairs.only_second, 1);
//! assert_eq!(report.decision.unwrap().status, Status::NotDecided);
//! ```
//!
//! In reading order:
//!
//! - [`observation`](Observation): what is counted, and of which variants
//! - [`tally`](Analysis): counting, per variant and per pair of variants
//! - [`pairing`](join_sorted): finding the sentences that several variants saw
//! - [`latency`](Latencies): percentiles in bounded memory
//! - [`variant`](VariantReport), [`comparison`](Comparison), [`sample_ratio`](SampleRatioReport), [`warning`](Warning): what
//!   comes out, part by part
//! - [`report`](Report): all of it
//! - [`accumulator`](Analysis): from the first observation to the report

mod accumulator;
mod comparison;
mod latency;
mod observation;
mod pairing;
mod report;
mod sample_ratio;
mod tally;
mod variant;
mod warning;

pub use accumulator::{Analysis, Taken};
pub use comparison::{Annotated, Comparison, Design, Difference, Each, SeenByBoth, Status, Verdict};
pub use latency::{Latencies, Latency};
pub use observation::{CurrentVariant, Observation, Outcomes};
pub use pairing::join_sorted;
pub use report::{Method, Report};
pub use sample_ratio::{AssignedReport, Phase, SampleRatioReport};
pub use variant::{ConfusionRow, Estimate, OutcomeCount, Proportion, Tokens, VariantReport};
pub use warning::{Notice, Warning};

pub use crate::statistics::decision::{Looks, Plan};

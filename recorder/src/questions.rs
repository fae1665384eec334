//! Who waits where the model answers few questions at a time: shadow questions, for those whose answers are served.
//!
//! The questions that are being asked are counted in the journal, since instances and nodes share nothing else. Nothing is counted where the
//! model answers any number, or nothing is asked in the shadow.

use std::time::{Duration, Instant, SystemTime};

use api::{Recording, log::warn};
use experiment::{
    journal::questions::Period,
    spin::{Journal, StoreError},
};
use spin_sdk::{time::sleep, wasip3::spawn};

use crate::answering::once_answered;

/// How long a shadow question waits before it looks again, at first; each time twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A question that the model is asked, counted where that matters.
pub(crate) struct Question(Option<Period>);

impl Question {
    /// One whose answer is served: it waits for nobody. Costs nothing, or opening the journal and two host calls.
    pub(crate) fn served(settings: &Recording) -> Self {
        if settings.model_concurrency.is_none() || !settings.asks_in_the_shadow() {
            return Self(None);
        }
        let period = period(settings);
        let counted = Journal::open().and_then(|journal| journal.begin_question(period));
        Self(match counted {
            Ok(()) => Some(period),
            Err(error) => {
                warn(format_args!(
                    "shadow questions do not wait for a question that was not counted: {error}"
                ));
                None
            }
        })
    }

    /// One in the shadow: waits until the model is asked fewer questions than it answers at the same time. `None` if that takes longer
    /// than an answer may.
    pub(crate) async fn in_the_shadow(settings: &Recording) -> Result<Option<Self>, StoreError> {
        let Some(most) = settings.model_concurrency else { return Ok(Some(Self(None))) };
        let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let period = period(settings);
            if Journal::open()?.begin_question_if_fewer(period, most)? {
                return Ok(Some(Self(Some(period))));
            }
            if started.elapsed() > settings.model_timeout {
                return Ok(None);
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(2 * pause);
        }
    }

    /// The model has answered, or failed. Counted once the answer has left.
    pub(crate) fn answered(self) {
        let Some(period) = self.0 else { return };
        spawn(async move {
            once_answered().await;
            if let Err(error) = Journal::open().and_then(|journal| journal.end_question(period)) {
                warn(format_args!("a question still counts as being asked: {error}"));
            }
        });
    }
}

fn period(settings: &Recording) -> Period {
    Period::at(SystemTime::now(), settings.model_timeout)
}

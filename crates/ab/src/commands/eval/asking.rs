//! Putting sentences to the model: several at once, again where that may help, and none twice.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use chat::FailureKind;
use experiment::numbers::{count, counted};
use futures::future::join_all;
use host::models::ModelError;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use sentiment::read_completion;
use serde::{Deserialize, Serialize};
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio::time::sleep;

use super::cache::{Cache, Classification, Key, kept};
use super::dataset::Case;
use super::retry;
use crate::model::{Model, NoAnswer};
use crate::terminal::{Failure, failure};
use crate::variants::Variant;

/// After so many questions in a row without an answer, retries included, the model is taken to be gone.
const GIVE_UP_AFTER: usize = 12;

/// How much is asked at once, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Questions that are under way at the same time, at least 1.
    pub(crate) concurrency: usize,
    /// How often a question is asked again that failed.
    pub(crate) retries: u32,
    /// How often each question is asked, at least 1.
    pub(crate) repeat: u32,
}

/// A sentence with what came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) row: u64,
    pub(super) sentence: String,
    pub(super) expected: sentiment::Outcome,
    /// For each variant, for each repetition, an answer or why there is none.
    pub(super) replies: Vec<Vec<Result<Classification, String>>>,
}

impl Answered {
    /// What each variant's first answer was: the one that counts. The others tell how stable it is.
    pub(super) fn first(&self) -> impl Iterator<Item = Option<&Classification>> {
        self.replies.iter().map(|replies| replies.first()?.as_ref().ok())
    }

    /// Whether two variants answered differently.
    pub(super) fn is_disagreement(&self) -> bool {
        let mut outcomes = self.first().flatten().map(|answer| answer.outcome);
        let first = outcomes.next();
        outcomes.any(|outcome| Some(outcome) != first)
    }
}

/// What was counted while asking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Answers that the model gave now.
    pub(super) asked: u64,
    /// Answers that were there already.
    pub(super) cached: u64,
    /// How often a question was asked again.
    pub(super) retried: u64,
    /// Questions without an answer.
    pub(super) failed: u64,
}

impl Counts {
    /// What was done in this time, in some words.
    pub(super) fn told(self, elapsed: Duration) -> String {
        let Self { asked, cached, retried, failed } = self;
        if asked + failed == 0 {
            return match cached {
                1 => "The answer was cached; the model was not asked".to_owned(),
                _ => format!("All {} answers were cached; the model was not asked", count(cached)),
            };
        }
        let mut told = vec![format!("{} in {:.1} s", counted(asked, "answer"), elapsed.as_secs_f64())];
        if cached > 0 {
            told.push(format!("{} more {} cached", count(cached), if cached == 1 { "was" } else { "were" }));
        }
        if retried > 0 {
            told.push(format!("{} {}", count(retried), if retried == 1 { "retry" } else { "retries" }));
        }
        told.join("; ")
    }
}

/// Why there is no answer.
#[derive(Debug, Clone)]
enum Unanswered {
    Failed(String),
    Stopped,
}

type Reply = Result<Classification, Unanswered>;

/// Puts sentences to the model. For one thread: no lock is held, and no task waits for another.
pub(super) struct Asking<'a> {
    model: &'a Model,
    variants: &'a [Variant],
    effort: Effort,
    cache: Option<RefCell<Cache>>,
    permits: Semaphore,
    /// Questions whose answers are on their way, so that a sentence that stands in the data twice is asked once.
    under_way: RefCell<HashMap<Key, Rc<OnceCell<Reply>>>>,
    stopped: watch::Sender<bool>,
    broken: RefCell<Option<anyhow::Error>>,
    counts: Cell<Counts>,
    /// Failures since the last answer, and the first of them: the others may only follow from it.
    failed_in_a_row: Cell<usize>,
    first_failure: RefCell<Option<Failure>>,
    rng: RefCell<SmallRng>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(
        model: &'a Model,
        variants: &'a [Variant],
        effort: Effort,
        cache: Option<Cache>,
    ) -> Self {
        Self {
            model,
            variants,
            effort,
            cache: cache.map(RefCell::new),
            permits: Semaphore::new(effort.concurrency),
            under_way: RefCell::default(),
            stopped: watch::Sender::new(false),
            broken: RefCell::default(),
            counts: Cell::default(),
            failed_in_a_row: Cell::default(),
            first_failure: RefCell::default(),
            rng: RefCell::new(SmallRng::from_rng(&mut rand::rng())),
        }
    }

    /// Puts a sentence to every variant. `None` if asking was stopped before all had answered.
    pub(super) async fn put(&self, case: Case) -> Option<Answered> {
        let Case { row, sentence, expected } = case;
        let repetitions = |variant| (0..self.effort.repeat).map(move |repetition| (variant, repetition));
        let questions = self.variants.iter().flat_map(repetitions);
        let replies =
            join_all(questions.map(|(variant, repetition)| self.answer(variant, &sentence, repetition)))
                .await;
        let mut replies = replies.into_iter().map(|reply| match reply {
            Ok(answer) => Some(Ok(answer)),
            Err(Unanswered::Failed(reason)) => Some(Err(reason)),
            Err(Unanswered::Stopped) => None,
        });
        let of_each = || (0..self.effort.repeat).map(|_| replies.next()?).collect::<Option<Vec<_>>>();
        let replies = std::iter::repeat_with(of_each).take(self.variants.len()).collect::<Option<_>>()?;
        Some(Answered { row, sentence, expected, replies })
    }

    /// Starts no question any more. Those under way are waited for.
    pub(super) fn stop(&self) {
        self.permits.close();
        self.stopped.send_replace(true);
    }

    /// Whether questions are still started.
    pub(super) fn goes_on(&self) -> bool {
        !*self.stopped.borrow()
    }

    /// Makes the answers so far safe.
    ///
    /// # Errors
    ///
    /// The cache cannot be written.
    pub(super) fn commit(&self) -> anyhow::Result<()> {
        self.cache.as_ref().map_or(Ok(()), |cache| cache.borrow_mut().commit())
    }

    /// Why asking stopped by itself, if it did, or why there is not one answer.
    pub(super) fn broken(&self) -> Option<anyhow::Error> {
        let Counts { asked, cached, .. } = self.counts();
        let no_answers = || (asked + cached == 0).then(|| self.first_failure.take()).flatten();
        self.broken.take().or_else(|| no_answers().map(Into::into))
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.get()
    }

    async fn answer(&self, variant: &Variant, sentence: &str, repetition: u32) -> Reply {
        let Some(cache) = &self.cache else { return self.ask(variant, sentence, None).await };
        let key = Key::new(self.model, variant.prompt.fingerprint(), sentence, repetition);
        let known = cache.borrow().get(key);
        if let Some(answer) = known.map_err(|error| self.break_off(error))? {
            self.count(|counts| counts.cached += 1);
            return Ok(answer);
        }
        let cell = Rc::clone(self.under_way.borrow_mut().entry(key).or_default());
        let mut is_ours = false;
        let ask = || {
            is_ours = true;
            self.ask(variant, sentence, Some(key))
        };
        let reply = cell.get_or_init(ask).await.clone();
        self.under_way.borrow_mut().remove(&key);
        if is_ours {
            return reply;
        }
        self.count(|counts| counts.cached += u64::from(reply.is_ok()));
        reply.map(|answer| Classification { cached: true, ..answer })
    }

    async fn ask(&self, variant: &Variant, sentence: &str, key: Option<Key>) -> Reply {
        // While it waits to ask again, a question keeps its place: a server that is busy is asked less.
        let Ok(_place) = self.permits.acquire().await else { return Err(Unanswered::Stopped) };
        let prompt = variant.prompt.render(sentence);
        let mut failures = 0;
        loop {
            let started = Instant::now();
            let error = match self.model.complete(&prompt).await {
                Ok(completion) => {
                    let answer = Classification {
                        outcome: read_completion(&prompt, &completion.text),
                        completion: kept(&completion.text),
                        elapsed_ms: started.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
                        prompt_tokens: completion.prompt_tokens,
                        generated_tokens: completion.generated_tokens,
                        cached: false,
                    };
                    return self.keep(key, answer);
                }
                Err(error) => error,
            };
            failures += 1;
            if failures > self.effort.retries || !error.is_temporary() {
                return Err(self.fail(&error));
            }
            self.count(|counts| counts.retried += 1);
            let pause = retry::pause(failures, error.retry_after(), &mut *self.rng.borrow_mut());
            let mut stopped = self.stopped.subscribe();
            tokio::select! {
                () = sleep(pause) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return Err(Unanswered::Stopped),
            }
        }
    }

    fn keep(&self, key: Option<Key>, answer: Classification) -> Reply {
        self.failed_in_a_row.set(0);
        self.first_failure.take();
        self.count(|counts| counts.asked += 1);
        if let (Some(cache), Some(key)) = (&self.cache, key) {
            let kept = cache.borrow_mut().put(key, &answer);
            kept.map_err(|error| self.break_off(error))?;
        }
        Ok(answer)
    }

    fn fail(&self, error: &NoAnswer) -> Unanswered {
        self.count(|counts| counts.failed += 1);
        let in_a_row = self.failed_in_a_row.get() + 1;
        self.failed_in_a_row.set(in_a_row);
        let first = || failure(format!("the model does not answer: {error}")).hint(hint(error));
        self.first_failure.borrow_mut().get_or_insert_with(first);
        if in_a_row >= GIVE_UP_AFTER
            && let Some(first) = self.first_failure.take()
        {
            self.break_off(first.into());
        }
        Unanswered::Failed(error.to_string())
    }

    /// Stops for a reason; the first one counts.
    fn break_off(&self, error: anyhow::Error) -> Unanswered {
        self.broken.borrow_mut().get_or_insert(error);
        self.stop();
        Unanswered::Stopped
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
    }
}

/// What to do about a model that gives no answers, with this command's own options.
fn hint(error: &NoAnswer) -> &'static str {
    match error {
        NoAnswer::Interface(ModelError::Refused { status, .. }) if matches!(status.as_u16(), 401 | 403) => {
            "give the server's token with --token, or as auth_token in [llm_compute]"
        }
        NoAnswer::Server(failure) if failure.kind() == FailureKind::TimedOut => {
            "allow it more time with --timeout, or use a faster model"
        }
        error => error.hint(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_in_words() {
        for (asked, cached, retried, failed, told) in [
            (0, 660, 0, 0, "All 660 answers were cached; the model was not asked"),
            (0, 1, 0, 0, "The answer was cached; the model was not asked"),
            (1, 0, 0, 0, "1 answer in 1.5 s"),
            (1_200, 1, 1, 0, "1,200 answers in 1.5 s; 1 more was cached; 1 retry"),
            (0, 60, 12, 2, "0 answers in 1.5 s; 60 more were cached; 12 retries"),
        ] {
            let counts = Counts { asked, cached, retried, failed };
            assert_eq!(counts.told(Duration::from_millis(1_500)), told);
        }
    }
}

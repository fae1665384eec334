//! How many questions the model is being asked right now, on all nodes: where it answers few at a time, shadow questions wait for those
//! whose answers are served.
//!
//! A question is counted in the period in which it begins, and each period is at least as long as a question may take. So those of this
//! period and the one before are all there are. What a crash leaves in a counter is forgotten with its period.

use std::time::{Duration, SystemTime};

use super::Journal;
use crate::{counter, key_values::KeyValues};

const PREFIX: &str = "asking:";

/// This period, the one before, and the next, whose counter is made ready.
const PERIODS: u64 = 3;

/// A span of time as long as a question may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(u64);

impl Period {
    /// The period of a time, where a question takes no longer than `longest`.
    pub fn at(now: SystemTime, longest: Duration) -> Self {
        let length = longest.as_secs() + 1;
        Self(now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / length)
    }

    const fn before(self) -> Self {
        Self(self.0 + PERIODS - 1)
    }

    const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    fn key(self) -> String {
        format!("{PREFIX}{}", self.0 % PERIODS)
    }
}

/// Whether a key is that of a counter.
pub(super) fn is_counter(key: &str) -> bool {
    key.starts_with(PREFIX)
}

impl<S: KeyValues> Journal<S> {
    /// Counts a question, however many there are. Two host calls.
    pub fn begin_question(&self, period: Period) -> Result<(), S::Error> {
        self.store.count(&period.key()).map(drop)
    }

    /// Counts a question that was counted in this period as answered. Two host calls.
    pub fn end_question(&self, period: Period) -> Result<(), S::Error> {
        let key = period.key();
        let known = self.store.get(&key)?;
        self.store.add(&key, -1, known.as_deref()).map(drop)
    }

    /// Counts a question if there are fewer than `most`, and says whether it did. One host call if there are not.
    pub fn begin_question_if_fewer(&self, period: Period, most: u32) -> Result<bool, S::Error> {
        let [now, before, next] = [period, period.before(), period.next()].map(Period::key);
        let known = self.store.get_many(&[now.clone(), before.clone(), next.clone()])?;
        let value = |key: &str| known.iter().find(|(known, _)| known == key).map(|(_, value)| &**value);
        if value(&next).is_some() {
            self.store.delete(&[next])?;
        }
        let still_asked = counter::count(value(&before));
        let is_more = |asked| still_asked.saturating_add(asked) > u64::from(most);
        if is_more(counter::count(value(&now)).saturating_add(1)) {
            return Ok(false);
        }
        // Others may have begun since, so the sum decides.
        let asked = self.store.add(&now, 1, value(&now))?;
        if is_more(asked.try_into().unwrap_or(0)) {
            self.end_question(period)?;
            return Ok(false);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_values::Memory;

    const LONGEST: Duration = Duration::from_secs(29);

    fn period(number: u64) -> Period {
        Period::at(SystemTime::UNIX_EPOCH + Duration::from_secs(30 * number), LONGEST)
    }

    #[test]
    fn a_period_is_longer_than_any_question() {
        let at = |seconds| Period::at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), LONGEST);
        assert_eq!((at(0), at(29), at(30)), (period(0), period(0), period(1)));
        assert_eq!(Period::at(SystemTime::UNIX_EPOCH - LONGEST, Duration::ZERO), Period(0));
    }

    #[test]
    fn as_many_as_the_model_answers_and_no_more() {
        let journal = Journal::new(Memory::default());
        let begin = |number, most| journal.begin_question_if_fewer(period(number), most).unwrap();
        journal.begin_question(period(7)).unwrap();
        assert!(!begin(7, 1) && begin(7, 2) && !begin(7, 2));
        // They may be answered in the next period.
        assert!(!begin(8, 2));
        journal.end_question(period(7)).unwrap();
        assert!(begin(8, 2) && !begin(8, 2));
        // Those that are served do not wait.
        journal.begin_question(period(8)).unwrap();
        journal.end_question(period(8)).unwrap();
        journal.end_question(period(8)).unwrap();
        journal.end_question(period(7)).unwrap();
        assert!(begin(8, 1));
    }

    #[test]
    fn what_a_crash_leaves_is_forgotten() {
        let journal = Journal::new(Memory::default());
        for _ in 0..3 {
            journal.begin_question(period(7)).unwrap();
        }
        let begin = |number| journal.begin_question_if_fewer(period(number), 1).unwrap();
        assert!(!begin(7) && !begin(8));
        assert!(begin(9), "no question takes that long");
        journal.end_question(period(9)).unwrap();
        // Nobody asked for a while, and the counter's turn has come again.
        assert!(begin(10));
    }

    #[test]
    fn the_keys_stay_few_and_are_counters() {
        let store = Memory::default();
        let journal = Journal::new(&store);
        for number in 0..100 {
            journal.begin_question(period(number)).unwrap();
            journal.begin_question_if_fewer(period(number), 9).unwrap();
        }
        let keys: Vec<_> = store.clone().into_entries().into_keys().collect();
        assert!(keys.len() <= 3 && keys.iter().all(|key| is_counter(key)), "{keys:?}");
    }
}

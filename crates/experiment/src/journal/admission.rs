//! Counting new sentences in the journal, within the limits.

use super::{
    Journal,
    limits::{Admission, HOURS_KEY, Limits, Window},
};
use crate::counter;
use crate::key_values::{BATCH, KeyValues};

impl<S: KeyValues> Journal<S> {
    /// Counts a new sentence from an address, if the limits allow one more. Reads two counters, and raises both where they do: whoever is
    /// refused changes nothing.
    pub fn admit(&self, limits: Limits, window: Window, address: &str) -> Result<Admission, S::Error> {
        let keys = [window.key_of(address), window.key_of_all()];
        let known = self.store.get_many(&keys)?;
        let known = keys.each_ref().map(|key| known.iter().find(|(known, _)| known == key));
        let known = known.map(|entry| entry.map(|(_, value)| &**value));
        let [by_address, in_all] = known.map(counter::count);
        if let Some(reached) = limits.reached(by_address, in_all) {
            return Ok(Admission::Refused(reached));
        }
        // Others may have been counted since, so the sums decide.
        let [address, all] = &keys;
        let count = |key, known| -> Result<u64, S::Error> {
            Ok(u64::try_from(self.store.add(key, 1, known)?).unwrap_or(0).saturating_sub(1))
        };
        let by_address = count(address, known[0])?;
        if let Some(reached) = limits.reached(by_address, 0) {
            return Ok(Admission::Refused(reached));
        }
        let in_all = count(all, known[1])?;
        match limits.reached(0, in_all) {
            Some(reached) => Ok(Admission::Refused(reached)),
            None => Ok(Admission::Admitted { is_first: in_all == 0 }),
        }
    }

    /// Deletes the counters of windows in which nobody counts any more, and lists this one. They leave the list last, so that none are
    /// forgotten.
    pub fn forget_counts_before(&self, window: Window) -> Result<(), S::Error> {
        let listed = self.store.get(HOURS_KEY)?;
        let outlived = listed.as_deref().map(Window::list).unwrap_or_default();
        for other in outlived.into_iter().filter(|other| window.has_outlived(*other)) {
            for keys in other.keys().chunks(BATCH) {
                self.store.delete(keys)?;
            }
        }
        self.store.change(HOURS_KEY, &mut |current| {
            let mut windows = current.map(Window::list).unwrap_or_default();
            windows.retain(|other| !window.has_outlived(*other));
            windows.insert(window);
            Ok(Some(serde_json::to_vec(&windows)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{Duration, SystemTime};

    use super::super::limits::{Reached, is_counter};
    use super::*;
    use crate::key_values::Memory;

    fn hour(number: u64) -> Window {
        Window::at(SystemTime::UNIX_EPOCH + Duration::from_hours(number)).0
    }

    #[test]
    fn counters_are_deleted_once_nobody_counts_in_them() {
        let store = Memory::default();
        let journal = Journal::new(&store);
        let limits = Limits { per_address: Some(10), in_all: None };
        let count_in = |hour| {
            for number in 0..300 {
                let admitted = journal.admit(limits, self::hour(hour), &format!("address {number}")).unwrap();
                assert_eq!(admitted, Admission::Admitted { is_first: number == 0 });
            }
            journal.forget_counts_before(self::hour(hour)).unwrap();
            let keys = store.clone().into_entries().into_keys().filter(|key| is_counter(key));
            let hours: BTreeSet<_> = keys.map(|key| key.split(':').nth(1).unwrap().to_owned()).collect();
            hours.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(count_in(8), ["8"]);
        assert_eq!(count_in(9), ["8", "9"]);
        assert_eq!(count_in(10), ["10", "9"]);
        // Nobody came for days, and before that a clock was wrong for a time.
        assert_eq!(count_in(500_000), ["500000"]);
        assert_eq!(count_in(100), ["100"]);
        assert!(store.get(HOURS_KEY).unwrap().is_some() && !is_counter(HOURS_KEY));
    }

    #[test]
    fn whoever_is_refused_changes_nothing() {
        let store = Memory::default();
        let journal = Journal::new(&store);
        let limits = Limits { per_address: Some(1), in_all: Some(2) };
        let admit = |address| journal.admit(limits, hour(1), address).unwrap();
        assert_eq!(admit("a"), Admission::Admitted { is_first: true });
        assert_eq!(admit("b"), Admission::Admitted { is_first: false });
        assert_eq!(admit("a"), Admission::Refused(Reached::PerAddress));
        assert_eq!(admit("c"), Admission::Refused(Reached::InAll));
        assert_eq!(store.clone().into_entries().len(), 3);
    }
}

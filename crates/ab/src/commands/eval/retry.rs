//! How soon a question is asked again.

use std::time::Duration;

use rand::{Rng, RngExt as _};

/// The pause before the first retry, doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause that nobody asked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The longest pause that a server is granted.
const LONGEST_WISH: Duration = Duration::from_hours(1);

/// How long to wait before the retry after `failures` failures, at least one: twice as long each time, less a random
/// part of up to a half, so that questions that failed together do not come back together. What the server wishes comes on top.
pub(super) fn pause(failures: u32, wish: Option<Duration>, rng: &mut impl Rng) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    let own = doubled.min(LONGEST_PAUSE).mul_f64(rng.random_range(0.5..=1.0));
    wish.unwrap_or_default().min(LONGEST_WISH) + own
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        let mut rng = SmallRng::seed_from_u64(1);
        for (failures, most) in [(1, 200), (2, 400), (5, 3_200), (9, 30_000), (u32::MAX, 30_000)] {
            let pauses: Vec<u128> = (0..50).map(|_| pause(failures, None, &mut rng).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (most / 2..=most).contains(pause)), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
        for (wish, least) in [(7, 7), (u64::MAX, 3_600)] {
            let pause = pause(1, Some(Duration::from_secs(wish)), &mut rng).as_secs();
            assert_eq!(pause, least, "{wish}");
        }
    }
}

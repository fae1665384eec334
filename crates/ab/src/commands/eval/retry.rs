//! Asking again: after which failures, and how soon.

use std::time::Duration;

use host::models::ModelError;
use http::StatusCode;
use rand::{Rng, RngExt as _};

/// The pause before the first retry, doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Whether asking again may help: the server was not reached, broke off, was too slow, or said that it was busy or
/// broken. Not where it said that the question is wrong, or answered in another protocol.
pub(super) fn may_help(error: &ModelError) -> bool {
    match error {
        ModelError::Request { .. } | ModelError::TimedOut { .. } => true,
        ModelError::Answer { status, .. } | ModelError::Refused { status, .. } => {
            status.is_server_error()
                || matches!(
                    *status,
                    StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
                )
        }
        _ => false,
    }
}

/// How long to wait before the retry after `failures` failures, at least one: twice as long each time, less a random
/// part of up to a half, so that questions that failed together do not come back together.
pub(super) fn pause(failures: u32, rng: &mut impl Rng) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    doubled.min(LONGEST_PAUSE).mul_f64(rng.random_range(0.5..=1.0))
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
            let pauses: Vec<u128> = (0..50).map(|_| pause(failures, &mut rng).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (most / 2..=most).contains(pause)), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }

    #[test]
    fn what_is_asked_again() {
        let path = "/infer";
        let reason = String::new;
        let answer = |status: u16| ModelError::Answer {
            path,
            status: StatusCode::from_u16(status).unwrap(),
            reason: reason(),
        };
        let refused = |status: u16| ModelError::Refused {
            status: StatusCode::from_u16(status).unwrap(),
            message: reason(),
        };
        let again = [
            ModelError::Request { path, reason: reason() },
            ModelError::TimedOut { path, limit: Duration::ZERO },
            answer(408),
            answer(429),
            answer(503),
            refused(429),
            refused(500),
        ];
        assert!(again.iter().all(may_help));
        let never = [
            ModelError::Token,
            ModelError::TooLarge { path, limit: 0 },
            answer(200),
            answer(404),
            refused(401),
        ];
        assert!(!never.iter().any(may_help));
    }
}

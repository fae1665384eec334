//! What is said to whoever has had too many new sentences analysed.

use std::time::Duration;

use experiment::{
    journal::limits::{Limits, Reached},
    numbers::counted,
};
use http::StatusCode;
use problem::Problem;

/// The type of the problem.
const TOO_MANY: &str = "too-many-new-sentences";

/// 429: no more new sentences until the hour is over.
pub(crate) fn too_many(reached: Reached, limits: Limits, left: Duration) -> Problem {
    let (whose, limit) = match reached {
        Reached::PerAddress => ("from your network", limits.per_address),
        Reached::InAll => ("from all visitors together", limits.in_all),
    };
    let limit = counted(limit.unwrap_or(0).into(), "new sentence");
    let minutes = counted(left.as_secs().div_ceil(60), "minute");
    let detail = format!(
        "The limit of {limit} an hour {whose} is reached. New ones are analysed again in {minutes}; sentences that were analysed \
         before are still answered."
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
        .with_kind(TOO_MANY)
        .with_header("retry-after", &left.as_secs().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_when_to_try_again() {
        let limits = Limits { per_address: Some(100), in_all: Some(1) };
        let cases = [
            (
                Reached::PerAddress,
                3_600,
                "100 new sentences an hour from your network is reached",
                "in 60 minutes;",
            ),
            (Reached::InAll, 60, "1 new sentence an hour from all visitors together", "in 1 minute;"),
            (Reached::InAll, 61, "1 new sentence", "in 2 minutes;"),
        ];
        for (reached, seconds, whose, when) in cases {
            let problem = too_many(reached, limits, Duration::from_secs(seconds));
            assert!(problem.detail().contains(whose) && problem.detail().contains(when), "{problem:?}");
            let response = problem.into_response();
            assert_eq!(
                (response.status().as_u16(), &response.headers()["retry-after"]),
                (429, seconds.to_string().parse().as_ref().unwrap())
            );
            assert!(response.body().contains("urn:problem-type:too-many-new-sentences"));
        }
    }
}

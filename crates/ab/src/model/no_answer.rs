//! Why a model gives no answer.

use std::time::Duration;

use chat::Failure;
use host::models::ModelError;
use http::StatusCode;

/// Why there is no answer, in the words of what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The model server that is asked directly.
    #[error(transparent)]
    Server(#[from] Failure),
    /// What Spin's model interface would ask.
    #[error(transparent)]
    Interface(#[from] ModelError),
}

impl NoAnswer {
    /// Whether asking again may help: the server was not reached, broke off, was too slow, or said that it was busy or
    /// broken. Not where it said that the question is wrong, or answered in another protocol.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Server(failure) => failure.kind().is_temporary(),
            Self::Interface(ModelError::Request { .. } | ModelError::TimedOut { .. }) => true,
            Self::Interface(ModelError::Answer { status, .. } | ModelError::Refused { status, .. }) => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
                    )
            }
            Self::Interface(_) => false,
        }
    }

    /// After how long the server wants to be asked again, if it said so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Server(failure) => failure.retry_after(),
            Self::Interface(_) => None,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Server(failure) => failure.kind().hint(),
            Self::Interface(ModelError::Refused { status, .. }) if matches!(status.as_u16(), 401 | 403) => {
                "give the server's token as auth_token in [llm_compute]"
            }
            Self::Interface(error) => error.hint().unwrap_or("the log of the model's server may say why"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(again.map(NoAnswer::from).iter().all(NoAnswer::is_temporary));
        let never = [
            ModelError::Token,
            ModelError::TooLarge { path, limit: 0 },
            answer(200),
            answer(404),
            refused(401),
        ];
        assert!(!never.map(NoAnswer::from).iter().any(NoAnswer::is_temporary));
    }
}

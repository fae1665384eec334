//! The component's variables and environment.

/// The explorer's configuration. It is read for each request, so that a change by a provider takes effect at once.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// `user:password`; `None` if nothing usable is configured.
    pub(crate) credentials: Option<String>,
    /// Whether anyone may call the API without signing in.
    pub(crate) skip_sign_in: bool,
    /// The labels that the page offers.
    pub(crate) labels: Vec<String>,
    /// Whether all changes are refused.
    pub(crate) read_only: bool,
}

#[cfg(target_family = "wasm")]
impl Settings {
    /// Asks the host.
    pub(crate) async fn read() -> Self {
        Self {
            credentials: api::sign_in::usable(variable("kv_credentials").await),
            skip_sign_in: std::env::var("SPIN_APP_KV_SKIP_AUTH").is_ok_and(|value| value == "1"),
            labels: labels(&variable("kv_stores").await),
            read_only: is_true(&variable("kv_read_only").await),
        }
    }
}

/// A variable's value; one that the manifest does not declare is empty.
#[cfg(target_family = "wasm")]
async fn variable(name: &str) -> String {
    spin_sdk::variables::get(name).await.unwrap_or_default()
}

fn labels(list: &str) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for label in list.split(',').map(str::trim).filter(|label| !label.is_empty()) {
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    }
    if labels.is_empty() {
        labels.push("default".to_owned());
    }
    labels
}

fn is_true(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_switches() {
        assert_eq!(labels(" a, b ,,a"), ["a", "b"]);
        assert_eq!(labels(""), ["default"]);
        assert!(is_true(" True ") && is_true("1") && !is_true("false") && !is_true(""));
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["promptstore1, promptstore2,,a"], |text| {
            assert!(!labels(text).is_empty() || is_true(text));
        });
    }
}

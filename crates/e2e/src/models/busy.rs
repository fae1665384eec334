//! Whether a real server is at work, as it shows to others.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use super::real::LLAMA_SERVER;

/// How long llama-cpp-python may take for the list of its models, which it gives only between answers.
const PROMPT: Duration = Duration::from_millis(500);

pub(super) async fn is_busy(kind: &str, url: &str) -> bool {
    let client = Client::builder().no_proxy().build().unwrap();
    if kind == LLAMA_SERVER {
        let slots = client.get(format!("{url}/slots")).send().await.unwrap();
        let slots: Value = serde_json::from_slice(&slots.bytes().await.unwrap()).unwrap();
        return slots.as_array().unwrap().iter().any(|slot| slot["is_processing"] == true);
    }
    let list = client.get(format!("{url}/v1/models")).timeout(PROMPT).send().await;
    list.is_err_and(|error| error.is_timeout())
}

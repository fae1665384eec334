//! What the app answers.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What the app answers to a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
    /// What the sentence was found to be.
    pub sentiment: String,
    /// The label of the variant that answered.
    pub variant: String,
    /// Whether its store knew.
    pub cached: bool,
}

impl Response {
    /// Sends a request and reads its answer to the end, or tells why there is none.
    pub async fn of(request: reqwest::RequestBuilder) -> Result<Self, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, body: response.bytes().await? })
    }

    /// A header's value; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    /// The answer to a sentence, which this has to be: nothing less and nothing more.
    pub fn answer(&self) -> Classification {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/json");
        let json = self.json();
        assert_eq!(json.as_object().map(serde_json::Map::len), Some(3), "{json}");
        let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{json}")).to_owned();
        Classification {
            sentiment: text("sentiment"),
            variant: text("variant"),
            cached: json["cached"].as_bool().unwrap_or_else(|| panic!("{json}")),
        }
    }

    /// The detail of a problem (RFC 9457) of this status, which this has to be.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header(CONTENT_TYPE.as_str()), "application/problem+json", "{}", self.text());
        let json = self.json();
        assert_eq!((&json["type"], &json["status"]), (&Value::from("about:blank"), &status.into()), "{json}");
        assert!(json["title"].is_string(), "{json}");
        json["detail"]
            .as_str()
            .filter(|detail| !detail.is_empty())
            .unwrap_or_else(|| panic!("{json}"))
            .to_owned()
    }
}

//! The explorer's REST interface, as a client of the component that it replaces would use it.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::response::Response;

/// Where `spin.toml` puts the explorer.
pub const ROUTE: &str = "/internal/kv-explorer";

/// A client of the explorer.
#[derive(Clone, Debug)]
pub struct Explorer {
    client: Client,
    base: String,
    authorization: Option<String>,
}

impl Explorer {
    /// A client without credentials; `app` is the app's address, as in `http://127.0.0.1:3000`.
    pub fn new(client: Client, app: &str) -> Self {
        Self { client, base: format!("{app}{ROUTE}/api"), authorization: None }
    }

    /// The same with credentials: `user:password`.
    #[must_use]
    pub fn with_credentials(&self, credentials: &str) -> Self {
        self.with_authorization(&format!("Basic {}", BASE64_STANDARD.encode(credentials)))
    }

    /// The same with any header `authorization`.
    #[must_use]
    pub fn with_authorization(&self, value: &str) -> Self {
        Self { authorization: Some(value.to_owned()), ..self.clone() }
    }

    /// Any call; the path begins after `/api`.
    pub async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        Response::of(request).await.unwrap()
    }

    /// `GET /api/stores/:store`
    pub async fn list(&self, label: &str) -> Response {
        self.call(Method::GET, &format!("/stores/{label}"), None).await
    }

    /// The keys of a store, sorted.
    pub async fn keys(&self, label: &str) -> Vec<String> {
        let response = self.list(label).await;
        assert_eq!(response.status, 200, "{}", response.text());
        let json = response.json();
        assert_eq!(json["store"], label);
        let keys = json["keys"].as_array().unwrap();
        let mut keys: Vec<String> = keys.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        keys.sort();
        keys
    }

    /// `POST /api/stores/:store`
    pub async fn set(&self, label: &str, key: &str, value: &str) -> Response {
        let body = json!({ "key": key, "value": value }).to_string();
        self.call(Method::POST, &format!("/stores/{label}"), Some(body.into())).await
    }

    /// `GET /api/stores/:store/keys/:safe`
    pub async fn get(&self, label: &str, key: &str) -> Response {
        self.call(Method::GET, &format!("/stores/{label}/keys/{}", safe(key)), None).await
    }

    /// `DELETE /api/stores/:store/keys/:safe`
    pub async fn delete(&self, label: &str, key: &str) -> Response {
        self.call(Method::DELETE, &format!("/stores/{label}/keys/{}", safe(key)), None).await
    }

    /// The value in the answer to [`get`](Self::get).
    pub fn value(response: &Response) -> Vec<u8> {
        assert_eq!(response.status, 200, "{}", response.text());
        let json: Value = response.json();
        BASE64_STANDARD.decode(json["value"].as_str().unwrap()).unwrap()
    }
}

/// A key as it stands in an address.
pub fn safe(key: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(key).replace('/', "-")
}

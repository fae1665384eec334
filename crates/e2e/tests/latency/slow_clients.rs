//! Clients that are slow to send or to take hold up nobody.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use e2e::app::{App, CREDENTIALS, FIRST, SENTIMENT};
use e2e::explorer::ROUTE;
use e2e::model_server::ModelServer;
use e2e::raw::Raw;

use super::{ALONE, ATTEMPTS, latencies, percentile};

const KEYS: usize = 100_000;

/// Requests to measure: enough for a 95th percentile.
const COUNT: usize = 200;

/// A key, so long that all of them are more than the system keeps for a client that does not take them.
fn key(number: usize) -> String {
    format!("Sentence {number}, {}", "which goes on and on ".repeat(9))
}

/// The app with many keys in its first store, one of them a sentence that is answered from there.
async fn app_with_many_keys(model: &ModelServer) -> App {
    let keys: Vec<String> = (0..KEYS).map(key).collect();
    let entries = keys.iter().map(|key| (key.as_str(), b"{}".as_slice()));
    let app = App::builder().model(model).variable("variants", FIRST).store(FIRST, "large", entries).start();
    app.ask("This is in the store.").await;
    latencies(&app, "This is in the store.", COUNT).await;
    app
}

/// Measures with and without the slow clients until it is clear that they slow no one down, or that they do.
async fn assert_nobody_waits(app: &App, without: &[Duration]) {
    let mut measured = Vec::new();
    for _ in 0..ATTEMPTS {
        let with = latencies(app, "This is in the store.", COUNT).await;
        let (before, after) = (percentile(without, 95), percentile(&with, 95));
        eprintln!("95th percentile {before:?} without slow clients, {after:?} with them");
        if after < 3 * before + Duration::from_millis(10) {
            return;
        }
        measured.push((before, after));
    }
    panic!("95th percentiles without and with slow clients: {measured:?}");
}

#[tokio::test]
async fn a_client_that_opens_a_listing_and_stops_reading() {
    let _alone = ALONE.lock().await;
    let model = ModelServer::start().unwrap();
    let app = app_with_many_keys(&model).await;
    let without = latencies(&app, "This is in the store.", COUNT).await;

    let credentials = BASE64_STANDARD.encode(CREDENTIALS);
    let request = format!(
        "GET {ROUTE}/api/stores/{FIRST} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\n\r\n"
    );
    let mut listings: Vec<(Raw, usize)> = (0..4)
        .map(|_| {
            let mut connection = app.connect();
            connection.send(&request);
            let (status, headers) = connection.head();
            assert_eq!(status, 200);
            let length = headers.iter().find_map(|header| header.strip_prefix("content-length: "));
            let length: usize = length.expect("the length of a listing is known").parse().unwrap();
            assert!(length > 16 << 20, "{length} bytes fit into what the system keeps");
            (connection, length)
        })
        .collect();
    assert_nobody_waits(&app, &without).await;
    // The same store can still be written, and listed by others.
    assert!(!app.ask("This is new.").await.cached);
    assert_eq!(app.explorer().set(FIRST, "a key", "a value").await.status, 200);
    let others = |keys: &[String]| keys.iter().filter(|key| !key.starts_with("tally:")).count();
    assert_eq!(others(&app.explorer().keys(FIRST).await), KEYS + 3);
    // And all was under way meanwhile: what was left can be taken now.
    for (connection, length) in &mut listings {
        let mut listing: serde_json::Value = serde_json::from_slice(&connection.body(*length)).unwrap();
        let keys: Vec<String> = serde_json::from_value(listing["keys"].take()).unwrap();
        assert_eq!(others(&keys), KEYS + 1);
    }
}

#[tokio::test]
async fn clients_that_send_half_a_request_and_stop() {
    let _alone = ALONE.lock().await;
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    app.ask("This is in the store.").await;
    latencies(&app, "This is in the store.", COUNT).await;
    let without = latencies(&app, "This is in the store.", COUNT).await;

    let body = "{\"sentence\": \"This is in the store.\"}";
    let request = format!(
        "POST {SENTIMENT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // Half of them stop within the head, half of them within the body.
    let stops = [request.find("Host").unwrap() + 2, request.len() - 10];
    let mut connections: Vec<(Raw, usize)> = (0..50)
        .map(|number| {
            let (mut connection, stop) = (app.connect(), stops[number % 2]);
            connection.send(&request[..stop]);
            (connection, stop)
        })
        .collect();
    assert_nobody_waits(&app, &without).await;
    // They were not sent away meanwhile: each can go on where it stopped.
    for (connection, stop) in &mut connections {
        let (status, body) = connection.send(&request[*stop..]).answer();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    }
}

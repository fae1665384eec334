//! What cannot be answered: each mistake is told apart, and does no harm.

use std::collections::BTreeMap;

use e2e::app::{App, FIRST, SENTIMENT};
use e2e::model_server::ModelServer;
use e2e::response::Response;
use e2e::runtime::embedded_only;
use reqwest::Method;

/// A sentence as a body.
fn body(sentence: &str) -> Vec<u8> {
    format!("{{\"sentence\": \"{sentence}\"}}").into_bytes()
}

#[tokio::test]
async fn each_mistake_in_a_body_has_a_detail_of_its_own() {
    let model = ModelServer::start().unwrap();
    model.answer_with("neutral");
    let app = App::with_one_variant(&model);
    let much_white_space = [b"{\"sentence\": \"a\"".as_slice(), &b" ".repeat(64 * 1024), b"}"].concat();
    let mistakes: [(&str, u16, Vec<Vec<u8>>); 14] = [
        ("no body", 400, vec![b"".to_vec(), b" \n".to_vec()]),
        ("not JSON", 400, vec![b"hello".to_vec(), b"{\"sentence\": \"a".to_vec(), b"sentence=a".to_vec()]),
        ("raw NUL", 400, vec![b"{\"sentence\": \"a\0b\"}".to_vec()]),
        (
            "bad UTF-8",
            400,
            vec![b"{\"sentence\": \"\xff\"}".to_vec(), b"{\"sentence\": \"\xed\xa0\x80\"}".to_vec()],
        ),
        ("half of a surrogate pair", 400, vec![body("\\ud83c"), body("\\udf27"), body("\\ud83c\\n")]),
        ("no object", 400, vec![b"[\"a\"]".to_vec()]),
        ("another type", 400, vec![b"\"a\"".to_vec()]),
        ("no sentence", 400, vec![b"{}".to_vec(), b"{\"sentences\": \"a\"}".to_vec()]),
        ("wrong type", 400, vec![b"{\"sentence\": 1}".to_vec()]),
        ("two sentences", 400, vec![b"{\"sentence\": \"a\", \"sentence\": \"b\"}".to_vec()]),
        ("empty or blank", 400, vec![body(""), body(" \\n\\u3000\\t")]),
        ("NUL", 400, vec![body("a\\u0000b")]),
        ("over 4 KiB of sentence", 400, vec![body(&"a".repeat(4097)), body(&"🌧".repeat(1025))]),
        ("over 64 KiB of body", 413, vec![much_white_space, vec![b'a'; 1 << 20]]),
    ];
    let mut details: BTreeMap<String, &str> = BTreeMap::new();
    for (mistake, status, bodies) in &mistakes {
        for body in bodies {
            let detail = app.post(body.clone()).await.problem(*status);
            let other = details.insert(detail.clone(), mistake);
            assert!(other.is_none_or(|other| other == *mistake), "{mistake} and {other:?}: {detail}");
            assert_eq!(app.ask("The next request works.").await.sentiment, "neutral");
        }
    }
    assert_eq!(model.requests().len(), 1);
    assert_eq!(app.records(FIRST).len(), 1);
}

#[tokio::test]
async fn what_is_just_allowed_is_answered() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    let longest = "🌧".repeat(1024);
    let escaped = "\\ud83c\\udf27".repeat(1024);
    let bodies = [
        body(&longest),
        [b"{\"more\": [null], \"sentence\": \"a\"".as_slice(), &b" ".repeat(60 * 1024), b"}"].concat(),
        body(&escaped),
    ];
    for bytes in bodies {
        app.post(bytes).await.answer();
    }
    assert_eq!(model.requests()[0].sentence(), longest);
    assert_eq!(model.requests().len(), 2, "an escaped sentence is the same sentence");
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    let cases = [
        (Method::GET, SENTIMENT, 405, "POST, OPTIONS"),
        (Method::PUT, SENTIMENT, 405, "POST, OPTIONS"),
        (Method::DELETE, SENTIMENT, 405, "POST, OPTIONS"),
        (Method::PATCH, SENTIMENT, 405, "POST, OPTIONS"),
        (Method::POST, "/api/variants", 405, "GET, HEAD, OPTIONS"),
        (Method::POST, "/", 405, "GET, HEAD"),
        (Method::POST, "/api/sentiment-analysis/", 404, ""),
        (Method::POST, "/api/Sentiment-Analysis", 404, ""),
        (Method::GET, "/api", 404, ""),
        (Method::GET, "/api/", 404, ""),
        (Method::GET, "/api/nothing%00", 404, ""),
        (Method::GET, "/nothing", 404, ""),
        (Method::GET, "/..%2fspin.toml", 404, ""),
        (Method::GET, "/infer", 404, ""),
        (Method::GET, "/internal/kv-explorer/nothing", 404, ""),
    ];
    let mut details = BTreeMap::new();
    for (method, path, status, allow) in cases {
        let response = Response::of(app.request(method.clone(), path).body("{}")).await.unwrap();
        let detail = response.problem(status);
        assert_eq!(response.header("allow"), allow, "{method} {path}");
        let other = details.insert(detail.clone(), (method.clone(), path));
        assert_eq!(other, None, "{method} {path}: {detail}");
        app.ask("The next request works.").await;
    }
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    for (name, value) in
        [("origin", "https://example.com"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let request = app.request(Method::POST, SENTIMENT).header(name, value).body(body("a"));
        Response::of(request).await.unwrap().problem(403);
    }
    let own = app.url("");
    let request = app.request(Method::POST, SENTIMENT).header("origin", own).body(body("a"));
    Response::of(request).await.unwrap().answer();
}

#[tokio::test]
async fn bodies_that_come_slowly_hold_up_nobody_else() {
    if !embedded_only("Spin starts an instance for each of them") {
        return;
    }
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    app.ask("This is in the store.").await;
    let begin = |framing: &str, first: &[u8]| {
        let mut connection = app.connect();
        connection
            .send(format!("POST {SENTIMENT} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n"))
            .send(first);
        connection
    };
    let mut slow: Vec<_> = (0..200)
        .map(|_| begin("Transfer-Encoding: chunked", b"1\r\n{\r\n"))
        .chain((0..100).map(|_| begin("Content-Length: 1000000", b"{")))
        .collect();
    for _ in 0..50 {
        assert!(app.ask("This is in the store.").await.cached);
        for connection in &mut slow[..200] {
            connection.send("1\r\n \r\n");
        }
    }
    // One that goes on to its end is answered.
    let mut patient = slow.swap_remove(0);
    let rest = "\"sentence\": \"This is in the store.\"}";
    patient.send(format!("{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len()));
    assert_eq!(patient.answer().0, 200);
}

#[tokio::test]
async fn bytes_that_no_client_would_send() {
    let model = ModelServer::start().unwrap();
    let app = App::with_one_variant(&model);
    let head = format!("POST {SENTIMENT} HTTP/1.1\r\nHost: localhost\r\n");
    let endless = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"4000\r\n".as_slice(), &[b'a'; 0x4000], b"\r\n"].concat();
    let requests: [(&str, Vec<u8>, u16); 5] = [
        ("no HTTP", b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03\r\n\r\n".to_vec(), 400),
        ("a malformed length", format!("{head}Content-Length: x\r\n\r\n").into(), 400),
        ("a malformed chunk", format!("{endless}zz\r\n").into(), 400),
        ("a header beyond all bounds", format!("{head}X: {}\r\n\r\n", "a".repeat(1 << 20)).into(), 431),
        ("more chunks than allowed", [endless.as_bytes(), &chunk.repeat(5), b"0\r\n\r\n"].concat(), 413),
    ];
    for (what, bytes, expected) in requests {
        let (status, _) = app.connect().send(bytes).head();
        assert_eq!(status, expected, "{what}");
        app.ask("The next request works.").await;
    }
    // A body that breaks off.
    app.connect().send(format!("{head}Content-Length: 100\r\n\r\n{{\"sentence\""));
    app.ask("The next request works.").await;
    // Two requests in one go.
    let good = format!("{head}Content-Length: 17\r\n\r\n{{\"sentence\": \"a\"}}");
    let mut connection = app.connect();
    connection.send(good.repeat(2));
    let (first, second) = (connection.answer(), connection.answer());
    assert_eq!((first.0, second.0), (200, 200));
}

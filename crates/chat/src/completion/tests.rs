use http::HeaderValue;

use super::*;
use crate::FailureKind::*;

const QUESTION: Question =
    Question { model: "llama2", prompt: "the prompt", max_tokens: 6, temperature: 0.0, seed: None };

fn server() -> Server {
    Server::new("http://h", "", "secret-token").unwrap()
}

fn response(status: u16, body: &str) -> Response<&[u8]> {
    let mut response = Response::new(body.as_bytes());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

fn read(status: u16, body: &str) -> Result<Completion, Failure> {
    server().read_completion(&QUESTION, &response(status, body))
}

#[test]
fn completions() {
    let of = |text: &str, prompt_tokens, generated_tokens, finish_reason: Option<&str>| Completion {
        text: text.to_owned(),
        prompt_tokens,
        generated_tokens,
        finish_reason: finish_reason.map(str::to_owned),
    };
    let cases = [
        (
            r#"{"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "m", "choices": [{"index": 0,
            "message": {"role": "assistant", "content": "positive"}, "logprobs": null, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 90, "completion_tokens": 2, "total_tokens": 92}}"#,
            of("positive", 90, 2, Some("stop")),
        ),
        (r#"{"choices": [{"message": {"content": "a"}}]}"#, of("a", 0, 0, None)),
        (
            r#"{"choices": [{"message": {"content": "a"}}], "usage": null, "error": null}"#,
            of("a", 0, 0, None),
        ),
        (
            r#"{"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": 1e99, "completion_tokens": -1}}"#,
            of("a", 0, 0, None),
        ),
        (
            r#"{"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": 9999999999}}"#,
            of("a", u32::MAX, 0, None),
        ),
        (
            r#"{"choices": [{"message": {"content": "a", "reasoning_content": "negative?", "reasoning": "no"}}]}"#,
            of("a", 0, 0, None),
        ),
        (
            r#"{"choices": [{"message": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "b"}]},
            {"type": "text", "text": "neu"}, {"type": "text", "text": "tral"}]}}]}"#,
            of("neutral", 0, 0, None),
        ),
        (
            r#"{"choices": [{"message": {"content": "posi"}, "finish_reason": "length"}]}"#,
            of("posi", 0, 0, Some("length")),
        ),
        (
            r#"{"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}"#,
            of("", 0, 0, Some("stop")),
        ),
        (
            r#"{"choices": [{"message": {"content": null, "refusal": "I can't help"}, "finish_reason": "stop"}]}"#,
            of("I can't help", 0, 0, Some("stop")),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(read(200, body), Ok(expected), "{body}");
    }
}

/// Status and body of an answer, and what is made of it.
const FAILURES: &[(u16, &str, FailureKind, &str)] = &[
    // Tokens.
    (
        401,
        r#"{"error": {"message": "Incorrect API key provided: secret-token.", "code": "invalid_api_key"}}"#,
        Token,
        "refused the token (401 Unauthorized): Incorrect API key provided: [token].",
    ),
    (401, "", Token, "refused the token (401 Unauthorized)"),
    (403, "<html>Forbidden</html>", Token, "refused the token (403 Forbidden)"),
    // Models.
    (
        404,
        r#"{"error": {"message": "model 'llama2' not found", "type": "api_error"}}"#,
        UnknownModel,
        "does not know the model `llama2` (404 Not Found): model 'llama2' not found",
    ),
    (
        404,
        r#"{"object": "error", "message": "The model `llama2` does not exist.", "code": 404}"#,
        UnknownModel,
        "does not know the model `llama2` (404 Not Found): The model `llama2` does not exist.",
    ),
    (
        400,
        r#"{"error": {"message": "llama2 is not a valid model ID", "code": 400}}"#,
        UnknownModel,
        "does not know the model `llama2` (400 Bad Request): llama2 is not a valid model ID",
    ),
    (
        403,
        r#"{"error": {"message": "Project `p` does not have access to model `llama2`", "code": "model_not_found"}}"#,
        UnknownModel,
        "does not know the model `llama2` (403 Forbidden): Project `p` does not have access to model `llama2`",
    ),
    // Paths.
    (404, r#"{"detail": "Not Found"}"#, WrongPath, "has nothing at this path (404 Not Found): Not Found"),
    (404, "404 page not found", WrongPath, "has nothing at this path (404 Not Found)"),
    (404, "<html>the model</html>", WrongPath, "has nothing at this path (404 Not Found)"),
    (405, "", WrongPath, "has nothing at this path (405 Method Not Allowed)"),
    (301, "", WrongPath, "has nothing at this path (301 Moved Permanently)"),
    (
        200,
        r#"{"error": "Unexpected endpoint or method. (POST /chat/completions)"}"#,
        WrongPath,
        "has nothing at this path: Unexpected endpoint or method. (POST /chat/completions)",
    ),
    // Too often, too much.
    (
        429,
        r#"{"error": {"message": "Rate limit reached for model `llama2`"}}"#,
        RateLimited,
        "received too many requests (429 Too Many Requests): Rate limit reached for model `llama2`",
    ),
    (408, "", TimedOut, "did not answer in time (408 Request Timeout)"),
    (500, "Internal Server Error", Overloaded, "is overloaded or failing (500 Internal Server Error)"),
    (
        503,
        r#"{"error": {"message": "Loading model", "code": 503}}"#,
        Overloaded,
        "is overloaded or failing (503 Service Unavailable): Loading model",
    ),
    (529, "", Overloaded, "is overloaded or failing (529 <unknown status code>)"),
    (
        200,
        r#"{"error": {"message": "Provider returned error", "code": 502}}"#,
        Overloaded,
        "is overloaded or failing (502 Bad Gateway): Provider returned error",
    ),
    // Another protocol.
    (
        200,
        "<!doctype html><p>It works!",
        NotTheProtocol,
        "does not answer in OpenAI's chat protocol: it is a page of HTML",
    ),
    (200, "", NotTheProtocol, "does not answer in OpenAI's chat protocol: the answer is not JSON"),
    (
        200,
        "data: {}\n\n",
        NotTheProtocol,
        "does not answer in OpenAI's chat protocol: the answer is not JSON",
    ),
    (
        200,
        r#"{"text": "positive"}"#,
        NotTheProtocol,
        "does not answer in OpenAI's chat protocol: the answer has no `choices[0].message`",
    ),
    (
        200,
        r#"{"choices": []}"#,
        NotTheProtocol,
        "does not answer in OpenAI's chat protocol: the answer has no `choices[0].message`",
    ),
    (200, r#"{"choices": [{"message": {"content": "posi"#, CutOff, "broke off its answer"),
    // No answer.
    (
        200,
        r#"{"choices": [{"message": {"content": null, "reasoning": "Well"}, "finish_reason": "length"}]}"#,
        NoAnswer,
        "gave no answer within the limit of 6 tokens",
    ),
    (
        200,
        r#"{"choices": [{"message": {"role": "assistant"}, "finish_reason": "stop"}]}"#,
        NoAnswer,
        "gave no answer within the limit of 6 tokens",
    ),
    (
        200,
        r#"{"choices": [{"message": {"content": " \n"}, "finish_reason": "length"}]}"#,
        NoAnswer,
        "gave no answer within the limit of 6 tokens",
    ),
    (
        200,
        r#"{"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}"#,
        Refused,
        "refused the question: its content filter withheld the answer",
    ),
    // Refused.
    (
        400,
        r#"{"error": {"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens"}}"#,
        RefusedParameters,
        "refused the question's parameters (400 Bad Request): Unsupported parameter: 'max_tokens'",
    ),
    (
        400,
        r#"{"error": {"message": "the request exceeds the context size: the prompt"}}"#,
        Refused,
        "refused the question (400 Bad Request): the request exceeds the context size: [prompt]",
    ),
    (
        402,
        r#"{"error": {"message": "Insufficient credits", "code": 402}}"#,
        Refused,
        "refused the question (402 Payment Required): Insufficient credits",
    ),
    (200, r#"{"error": {"message": "no"}}"#, Refused, "refused the question: no"),
];

#[test]
fn failures() {
    for (status, body, kind, text) in FAILURES {
        let failure = read(*status, body).unwrap_err();
        let expected = (*kind, format!("the model server at http://h/v1 {text}"));
        assert_eq!((failure.kind(), failure.to_string()), expected, "{status} {body}");
    }
}

#[test]
fn a_server_without_a_token_wants_one() {
    let server = Server::new("http://h", "", "").unwrap();
    let failure = server.read_completion(&QUESTION, &response(401, "")).unwrap_err();
    assert_eq!(failure.to_string(), "the model server at http://h/v1 wants a token (401 Unauthorized)");
}

#[test]
fn headers_that_count() {
    let mut moved = response(307, "");
    moved.headers_mut().insert(LOCATION, HeaderValue::from_static("https://h/v1/chat/completions"));
    let failure = server().read_completion(&QUESTION, &moved).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the model server at http://h/v1 has nothing at this path (307 Temporary Redirect): redirects are not followed, \
         and this one leads to https://h/v1/chat/completions"
    );

    let mut page = response(200, "Welcome");
    page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/HTML; charset=utf-8"));
    let failure = server().read_completion(&QUESTION, &page).unwrap_err();
    assert!(failure.to_string().ends_with("it is a page of HTML"), "{failure}");

    for (value, seconds) in [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("7.0", Some(7)),
        ("7.25", Some(8)),
        ("-1", None),
        ("Mon, 23 Nov 2026 10:00:00 GMT", None),
        ("", None),
    ] {
        let mut limited = response(429, "");
        limited.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(value));
        let failure = server().read_completion(&QUESTION, &limited).unwrap_err();
        assert_eq!(failure.retry_after(), seconds.map(Duration::from_secs), "{value:?}");
    }
}

#[test]
fn fuzz() {
    let seeds = [
        r#"{"choices": [{"message": {"content": "a", "reasoning_content": "b"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9}}"#,
        r#"{"error": {"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens", "code": "unsupported_parameter"}}"#,
        r#"{"data": [{"id": "a"}]}"#,
    ];
    fuzz::text(&seeds, |body| {
        for status in [200, 400, 404, 503] {
            if let Err(failure) = read(status, body) {
                assert!(!failure.to_string().contains("secret-token"), "{failure}");
            }
            let _ = server().read_models(&response(status, body));
        }
    });
}

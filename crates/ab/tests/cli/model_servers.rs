//! `eval` and `model check` with model servers that refuse or want what real ones do, and that fail as those fail.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::model_server::cases::{FailingServer, StrictServer, failing_servers, strict_servers};
use e2e::model_server::{ModelServer, Reply};
use serde_json::Value;

use crate::sandbox::{Run, Sandbox};

const VARIABLES: [&str; 7] =
    ["model", "model_server", "model_path", "model_token", "temperature", "max_tokens", "model_timeout"];

/// The values that the app's variables have where a row says nothing else.
const DEFAULTS: [&str; 7] = ["llama2-chat", "", "", "my-secret", "0", "6", "1"];

const EVAL: &str = "eval --data data.csv --prompt-file a.txt --concurrency 1 --retries 0 --timeout 1 --no-cache --format json";

const CHECK: &str = "model check";

/// An app with a prompt, a sentence, and a model server in its variables.
fn app(model: &ModelServer, variables: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new(&[]);
    let mut manifest =
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n[component.api]\nsource = \"api.wasm\"\n\
         key_value_stores = [\"one\"]\n[variables]\n"
            .to_owned();
    let url = model.url();
    for (name, default) in VARIABLES.into_iter().zip(DEFAULTS) {
        let given = variables.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        let value = given.unwrap_or(if name == "model_server" { &url } else { default });
        writeln!(manifest, "{name} = {{ default = {value:?} }}").unwrap();
    }
    sandbox.write("spin.toml", manifest);
    sandbox.write("data.csv", "sentence,expected\nWhat a day!,positive\n");
    sandbox.write("a.txt", "Say: {SENTENCE}");
    sandbox.ab("kv create case-a").ok();
    sandbox.ab("kv set --store case-a prompt=@a.txt").ok();
    sandbox.ab("link key-value one --store case-a").ok();
    sandbox
}

/// The parameters that a server was sent last, by their names.
fn parameters(mut sent: Value) -> Value {
    sent.as_object_mut().unwrap().remove("stream");
    sent
}

/// The same numbers, whether or not they are written as fractions.
fn same(one: &Value, other: &Value) -> bool {
    let numbers = |value: &Value| -> Vec<(String, Option<f64>)> {
        value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_f64())).collect()
    };
    numbers(one) == numbers(other)
}

#[test]
fn strict_servers_are_asked_as_the_app_asks_them() {
    for StrictServer { name, prepare, variables, times, parameters: expected } in strict_servers() {
        let model = ModelServer::start().unwrap();
        prepare(model.answer_with("positive"));
        let sandbox = app(&model, variables);
        let expected = parameters(expected);

        let run = sandbox.ab(EVAL).ok();
        let evaluation: Value = serde_json::from_slice(run.bytes()).unwrap();
        assert_eq!(model.requests().len(), times, "{name}");
        let asked = parameters(model.requests()[times - 1].options.clone());
        assert!(same(&asked, &expected), "{name}: {asked}");
        let sent = &evaluation["model"]["sent"];
        assert!(same(sent, &expected), "{name}: {sent}");
        assert_eq!(
            (&evaluation["model"]["api"], &evaluation["asked"]),
            (&"chat".into(), &1.into()),
            "{name}"
        );
        assert_eq!(evaluation["variants"][0]["accuracy"]["value"], 1.0, "{name}: {}", evaluation["variants"]);
        let address = evaluation["model"]["url"].as_str().unwrap();
        assert!(address.starts_with(&model.url()) && !address.contains('?'), "{name}: {address}");

        let run = sandbox.ab(CHECK).ok();
        let text = run.output_text();
        assert_eq!(model.requests().len(), 2 * times + 4, "{name}");
        for part in [
            "Protocol: OpenAI's chat protocol\n",
            "Listed:   yes\n",
            "\none (store case-a)\n",
            "  Answers: the same 5 times\n",
            "  Read as: positive from ",
            &format!("Sent: {}", expected.as_object().unwrap().keys().next().unwrap()),
        ] {
            assert!(text.contains(part), "{name}: {part:?} is not in\n{text}");
        }
        let is_noisy = expected.get("temperature").is_none();
        let ends = if is_noisy {
            "To change:\n- the server refuses `temperature`"
        } else {
            "Nothing needs to change.\n"
        };
        assert!(text.contains(ends), "{name}:\n{text}");
        assert!(!run.seen().contains("my-secret") && !run.seen().contains("api-version"), "{name}");
    }
}

#[test]
fn each_failure_says_what_to_do() {
    for FailingServer { name, prepare, kind, says } in failing_servers() {
        let model = ModelServer::start().unwrap();
        prepare(&model);
        let sandbox = app(&model, &[]);
        for line in [EVAL, CHECK] {
            let run = sandbox.ab(line);
            let messages = run.messages();
            assert!(!run.succeeded(), "{name}: {line}");
            for part in ["error: the model does not answer: the model server at http://", says, "\nhint: "] {
                assert!(messages.contains(part), "{name}, {kind}: {part:?} is not in\n{messages}");
            }
            assert!(!run.seen().contains("my-secret"), "{name}: {}", run.seen());
        }
    }
}

#[test]
fn a_private_authority_is_trusted_where_the_environment_names_it() {
    let model = ModelServer::start_with_tls().unwrap();
    let sandbox = app(&model, &[]);
    sandbox.write("authority.pem", model.authority().unwrap());
    for line in [EVAL, CHECK] {
        let words = line.split_whitespace().collect::<Vec<_>>();
        let messages = sandbox.run(&words).messages();
        assert!(
            messages.contains("untrusted certificate")
                && messages.contains("hint: for a private certificate authority"),
            "{messages}"
        );
        let mut command = sandbox.command(&words);
        let output = command.env("SSL_CERT_FILE", sandbox.path("authority.pem")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn eval_waits_as_long_as_a_server_wants_it_to() {
    let model = ModelServer::start().unwrap();
    model.answer_with(Reply::RateLimited(2));
    let sandbox = app(&model, &[]);
    let line = EVAL.replace("--retries 0", "--retries 1");
    let mut command = sandbox.command(&line.split_whitespace().collect::<Vec<_>>());
    let started = Instant::now();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while model.requests().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
    let refused = Instant::now();
    // The first answer is on its way when the request is known, and the next one comes only later.
    std::thread::sleep(Duration::from_millis(500));
    model.answer_with("positive");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(refused.elapsed() >= Duration::from_secs(2), "{:?}", refused.elapsed());
    assert_eq!(model.requests().len(), 2);
}

#[test]
fn check_says_what_to_change() {
    let model = ModelServer::start().unwrap();
    let long = "I would say that it is rather";
    model.require_model("other");
    let rows: [(Reply, &[_], &[&str]); 3] = [
        (
            long.into(),
            &[],
            &["7 tokens despite a limit of 6", "raise the variable `max_tokens`, or make the prompt ask"],
        ),
        (
            "maybe".into(),
            &[],
            &["no outcome can be read from some answers: make the prompt ask for one word"],
        ),
        ("positive".into(), &[("temperature", "0.7")], &["Nothing needs to change."]),
    ];
    for (reply, variables, expected) in rows {
        model.answer_with(reply);
        let variables: Vec<_> = variables.iter().copied().chain([("model", "other")]).collect();
        let text = app(&model, &variables).ab(CHECK).ok().output_text();
        for part in expected {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
    let unlisted = ModelServer::start().unwrap();
    let text = app(&unlisted, &[("model", "mistral")]).ab(CHECK).ok().output_text();
    for part in
        ["Listed:   no, but llama2-chat\n", "- the server answers but does not list the model `mistral`"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn check_over_spins_model_interface() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    for (api, expected) in
        [("default", "Nothing needs to change."), ("open_ai", "- no temperature is sent, but a penalty")]
    {
        let sandbox = app(&model, &[("model_server", "")]);
        let links = sandbox.read("runtime-config.toml");
        let llm = format!(
            "[llm_compute]\ntype = \"remote_http\"\nurl = \"{}\"\nauth_token = \"x\"\napi_type = \"{api}\"\n{links}",
            model.url()
        );
        sandbox.write("runtime-config.toml", llm);
        let run: Run = sandbox.ab(CHECK).ok();
        let text = run.output_text();
        assert!(text.contains(expected) && text.contains("  Answers: the same 5 times\n"), "{text}");
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    let model = ModelServer::start().unwrap();
    for (name, value) in [
        ("model_server", "127.0.0.1:8080"),
        ("model_path", "v1"),
        ("max_tokens", "six"),
        ("temperature", "hot"),
    ] {
        let sandbox = app(&model, &[(name, value)]);
        for line in [EVAL, CHECK] {
            let run = sandbox.ab(line);
            assert!(
                !run.succeeded() && run.messages().contains(&format!("ariable `{name}`")),
                "{}",
                run.seen()
            );
        }
    }
    assert_eq!(model.requests(), []);
}

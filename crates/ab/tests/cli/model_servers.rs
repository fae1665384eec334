//! `eval` and `model check` with model servers that refuse or want what real ones do, and that fail as those fail; and with real ones
//! where there are any, see [`e2e::models`].

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::model_server::cases::{failing_servers, strict_servers};
use e2e::model_server::{ModelServer, Reply};
use e2e::models::models;
use serde_json::Value;

use crate::sandbox::{Run, Sandbox};

const VARIABLES: [&str; 7] =
    ["model", "model_server", "model_path", "model_token", "temperature", "max_tokens", "model_timeout"];

/// The values that the app's variables have where a row says nothing else.
const DEFAULTS: [&str; 7] = ["llama2-chat", "", "", "my-secret", "0", "6", "1"];

const EVAL: &str = "eval --data data.csv --prompt-file a.txt --concurrency 1 --retries 0 --timeout 1 --no-cache --format json";

const CHECK: &str = "model check";

/// An app with the article's first prompt, a sentence, and a model server in its variables.
fn app(url: &str, variables: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new(&[]);
    let mut manifest =
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n[component.api]\nsource = \"api.wasm\"\n\
         key_value_stores = [\"one\"]\n[variables]\n"
            .to_owned();
    for (name, default) in VARIABLES.into_iter().zip(DEFAULTS) {
        let given = variables.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
        let value = given.unwrap_or(if name == "model_server" { url } else { default });
        writeln!(manifest, "{name} = {{ default = {value:?} }}").unwrap();
    }
    sandbox.write("spin.toml", manifest);
    sandbox.write("data.csv", "sentence,expected\nWhat a day!,positive\n");
    sandbox.write("a.txt", include_str!("../../../../prompts/case-a.txt"));
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
    for row in strict_servers() {
        for model in row.servers() {
            let name = format!("{}, {}", row.name, model.kind());
            // A real one may be slower than any script.
            let sandbox = app(model.url(), &[row.variables, &[("model_timeout", "30")]].concat());
            let expected = parameters(row.parameters.clone());

            let run = sandbox.ab(&EVAL.replace("--timeout 1", "--timeout 30")).ok();
            let evaluation: Value = serde_json::from_slice(run.bytes()).unwrap();
            let sent = &evaluation["model"]["sent"];
            assert!(same(sent, &expected), "{name}: {sent}");
            assert_eq!(
                (&evaluation["model"]["api"], &evaluation["asked"]),
                (&"chat".into(), &1.into()),
                "{name}"
            );
            let address = evaluation["model"]["url"].as_str().unwrap();
            assert!(address.starts_with(model.url()) && !address.contains('?'), "{name}: {address}");
            if let Some(model) = model.scripted() {
                assert_eq!(model.requests().len(), row.times, "{name}");
                let asked = parameters(model.requests()[row.times - 1].options.clone());
                assert!(same(&asked, &expected), "{name}: {asked}");
                let accuracy = &evaluation["variants"][0]["accuracy"]["value"];
                assert_eq!(*accuracy, 1.0, "{name}: {}", evaluation["variants"]);
            }

            let run = sandbox.ab(CHECK).ok();
            let text = run.output_text();
            println!("{name}:\n{text}");
            for part in [
                "Protocol: OpenAI's chat protocol\n",
                "Listed:   yes\n",
                "\none (store case-a)\n",
                "  Answers: the same 5 times\n",
                "  Read as: ",
                &format!("Sent: {}", expected.as_object().unwrap().keys().next().unwrap()),
            ] {
                assert!(text.contains(part), "{name}: {part:?} is not in\n{text}");
            }
            assert!(!text.contains("tokens where at most"), "{name}: the limit is obeyed:\n{text}");
            assert!(!run.seen().contains("my-secret") && !run.seen().contains("api-version"), "{name}");
            if let Some(model) = model.scripted() {
                assert_eq!(model.requests().len(), 2 * row.times + 4, "{name}");
                let is_noisy = expected.get("temperature").is_none();
                let ends = if is_noisy {
                    "To change:\n- the server refuses `temperature`"
                } else {
                    "Nothing needs to change.\n"
                };
                assert!(text.contains("  Read as: positive from ") && text.contains(ends), "{name}:\n{text}");
            }
        }
    }
}

#[test]
fn a_server_gives_every_sentence_the_same_answer_at_temperature_0() {
    for model in models() {
        let sandbox = app(model.url(), &[("model", model.model()), ("model_timeout", "30")]);
        let mut data = String::from("sentence,expected\n");
        for number in 0..40 {
            let expected = ["positive", "neutral", "negative"][number % 3];
            writeln!(data, "\"Is it {number} o'clock, or later?\",{expected}").unwrap();
        }
        sandbox.write("data.csv", data);
        sandbox.write("b.txt", include_str!("../../../../prompts/case-b.txt"));
        for (concurrency, is_exact) in [(1, true), (8, model.scripted().is_some())] {
            let line = format!(
                "eval --data data.csv --prompt-file a.txt --prompt-file b.txt --repeat 3 --concurrency {concurrency} \
                 --no-cache --format json"
            );
            let evaluation: Value = serde_json::from_slice(sandbox.ab(&line).ok().bytes()).unwrap();
            let name = format!("{}, {concurrency} at once", model.kind());
            let counts = ["asked", "failed", "retried"].map(|name| evaluation[name].as_u64().unwrap());
            assert_eq!(counts, [240, 0, 0], "{name}");
            println!("{name}: the same {}", evaluation["stability"]);
            // Real servers batch what they are asked at the same time, and then may add in another order.
            if is_exact {
                for share in evaluation["stability"].as_array().unwrap() {
                    assert_eq!(share["value"], 1.0, "{name}: {share}");
                }
            }
        }
    }
}

#[test]
fn each_failure_says_what_to_do() {
    for row in failing_servers() {
        for model in row.servers() {
            let (kind, name) = (row.kind, format!("{}, {}", row.name, model.kind()));
            let variables = [row.variables, &[("model_timeout", row.patience)]].concat();
            let sandbox = app(model.url(), &variables);
            let eval = EVAL.replace("--timeout 1", &format!("--timeout {}", row.patience));
            for line in [eval.as_str(), CHECK] {
                let run = sandbox.ab(line);
                let messages = run.messages();
                println!("{name}:\n{messages}");
                assert!(!run.succeeded(), "{name}: {line}");
                for part in
                    ["error: the model does not answer: the model server at http://", row.says, "\nhint: "]
                {
                    assert!(messages.contains(part), "{name}, {kind}: {part:?} is not in\n{messages}");
                }
                assert!(!run.seen().contains("my-secret"), "{name}: {}", run.seen());
            }
        }
    }
}

#[test]
fn a_private_authority_is_trusted_where_the_environment_names_it() {
    let model = ModelServer::start_with_tls().unwrap();
    let sandbox = app(&model.url(), &[]);
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
    let sandbox = app(&model.url(), &[]);
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
        let text = app(&model.url(), &variables).ab(CHECK).ok().output_text();
        for part in expected {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}

#[test]
fn check_says_that_a_server_answers_for_a_model_that_it_does_not_list() {
    for model in models() {
        let text =
            app(model.url(), &[("model", "mistral"), ("model_timeout", "30")]).ab(CHECK).ok().output_text();
        for part in [
            &format!("Listed:   no, but {}\n", model.model()),
            "- the server answers but does not list the model `mistral`",
        ] {
            assert!(text.contains(part), "{}: {part:?} is not in\n{text}", model.kind());
        }
    }
}

#[test]
fn check_finds_the_noise_of_a_high_temperature_and_none_with_a_seed() {
    // A scripted one answers as it is told.
    for model in models().into_iter().filter(|model| model.scripted().is_none()) {
        let variables =
            [("model", model.model()), ("model_timeout", "30"), ("temperature", "2"), ("max_tokens", "40")];
        let text = app(model.url(), &variables).ab(CHECK).ok().output_text();
        println!("{}:\n{text}", model.kind());
        assert!(text.contains("  Answers: the same 5 times\n"), "{}:\n{text}", model.kind());
    }
}

#[test]
fn check_over_spins_model_interface() {
    let model = ModelServer::start().unwrap();
    model.answer_with("positive");
    for (api, expected) in
        [("default", "Nothing needs to change."), ("open_ai", "- no temperature is sent, but a penalty")]
    {
        let sandbox = app(&model.url(), &[("model_server", "")]);
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
        let sandbox = app(&model.url(), &[(name, value)]);
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

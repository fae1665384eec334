//! `eval` against real model servers over HTTP: the offline model, and one that follows a script.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use e2e::model_server::{ModelServer, Reply};
use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::Sandbox;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The sandbox of an app that knows its model, with two prompts and some sentences.
struct Bench {
    sandbox: Sandbox,
    model: ModelServer,
}

impl Bench {
    /// So many sentences, of which every third is positive and the others are neutral. The model takes other ones to be
    /// positive, and not the same with both prompts.
    fn new(sentences: usize) -> Self {
        let sandbox = app();
        let mut data = String::from("sentence,expected\n");
        for number in 0..sentences {
            let expected = if number % 3 == 0 { "positive" } else { "neutral" };
            let _ = writeln!(data, "\"Sentence {number}, {}\",{expected}", mark(number));
        }
        sandbox.write("data.csv", data);
        sandbox.write("a.txt", "Say: {SENTENCE} one");
        sandbox.write("b.txt", "Say: {SENTENCE} two");
        Self { sandbox, model: script(ModelServer::start().unwrap()) }
    }

    fn line(&self, more: &str) -> String {
        let url = self.model.url();
        format!("eval --data data.csv --prompt-file a.txt --prompt-file b.txt --model m --url {url} {more}")
    }

    fn start(&self, more: &str) -> Child {
        let line = self.line(more);
        let mut command = self.sandbox.command(&line.split_whitespace().collect::<Vec<_>>());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The numbers, without those that say how they were come by.
    fn numbers(&self, more: &str) -> Value {
        let run = self.sandbox.ab(&self.line(&format!("--format json {more}"))).ok();
        let mut numbers: Value = serde_json::from_slice(run.bytes()).unwrap();
        for variant in numbers["variants"].as_array_mut().unwrap() {
            variant["latency"].take();
        }
        let disagreements = numbers["disagreements"].as_array_mut().unwrap();
        for answer in disagreements.iter_mut().flat_map(|it| it["answers"].as_array_mut().unwrap()) {
            answer["elapsed_ms"].take();
            answer["cached"].take();
        }
        for field in ["asked", "cached", "retried", "model"] {
            numbers[field].take();
        }
        numbers["presentation"]["variants"].take();
        numbers
    }

    /// The prompts that the model was given, from the nth on.
    fn prompts(&self, from: usize) -> Vec<String> {
        self.model.requests().into_iter().skip(from).map(|request| request.prompt).collect()
    }

    fn until_asked(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.model.requests().len() < count {
            assert!(Instant::now() < deadline, "only {} requests came", self.model.requests().len());
            std::thread::yield_now();
        }
    }
}

fn app() -> Sandbox {
    let sandbox = Sandbox::new(&[]);
    sandbox.write(
        "spin.toml",
        "spin_manifest_version = 2\n[application]\nname = \"test\"\n[variables]\nmodel = { default = \"llama2-chat\" }\n\
         [component.api]\nsource = \"api.wasm\"\nkey_value_stores = [\"one\", \"two\"]\n",
    );
    sandbox
}

fn mark(number: usize) -> &'static str {
    match number {
        _ if number.is_multiple_of(5) => "five",
        _ if number.is_multiple_of(7) => "seven",
        _ => "other",
    }
}

fn script(model: ModelServer) -> ModelServer {
    model.answer_sentence("seven one", "positive").answer_sentence("five two", "positive");
    model
}

fn signal(child: &Child, name: &str) {
    let kill = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
}

fn distinct(prompts: &[String]) -> HashSet<&str> {
    prompts.iter().map(String::as_str).collect()
}

/// The offline model in this process, where the runtime configuration points at it, under its own name.
fn offline_model(sandbox: &mut Sandbox) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            offline_model::serve(listener, std::future::pending()).await.unwrap();
        });
    });
    sandbox.redact(address.to_string(), "[MODEL]");
    sandbox.redact(ROOT, "[ROOT]");
    sandbox.write(
        "runtime-config.toml",
        format!("[llm_compute]\ntype = \"remote_http\"\nurl = \"http://{address}\"\nauth_token = \"offline-model\"\n"),
    );
    sandbox.write("spin.toml", sandbox.read("spin.toml").replace("llama2-chat", "offline-model"));
}

#[test]
fn the_articles_prompts_on_the_projects_sentences() {
    let mut sandbox = app();
    offline_model(&mut sandbox);
    for (store, label) in [("case-a", "one"), ("case-b", "two")] {
        sandbox.ab(&format!("kv create {store}")).ok();
        sandbox.ab(&format!("kv set --store {store} prompt=@{ROOT}/prompts/{store}.txt")).ok();
        sandbox.ab(&format!("link key-value {label} --store {store}")).ok();
    }
    let line = format!("eval --data {ROOT}/data/sentences.csv");
    let first = sandbox.ab(&line).ok();
    assert!(first.output_text().contains("\n660 answers\n"), "{}", first.seen());
    assert!(first.messages().contains("660 answers in "), "{}", first.seen());
    // Nothing is asked now, so that nothing depends on the clock.
    assert_snapshot!(sandbox.ab(&line).ok().output_text(), @r"
    Model offline-model at http://[MODEL] (offline model: a deterministic stand-in that scores words with VADER, not a language model)
    330 sentences of [ROOT]/data/sentences.csv
    660 answers, all cached

    one is better
    Right 8.5 points more often than two (330 labelled sentences). The 95% interval of the difference excludes zero.

    Each variant in numbers
    +--------------------------+--------------------------+--------------------------+
    |                          | one                      | two                      |
    +================================================================================+
    | From                     | store case-a             | store case-b             |
    | Observations             | 330                      | 330                      |
    | Accuracy                 | 57.3% of 330 (51.9–62.5) | 48.8% of 330 (43.4–54.2) |
    | Macro-F1                 | 0.560                    | 0.449                    |
    | Unsure                   | 0.0% of 330 (0.0–1.2)    | 0.0% of 330 (0.0–1.2)    |
    | Latency, median          | –                        | –                        |
    | Latency, 95th percentile | –                        | –                        |
    | Prompt tokens, mean      | 88.1                     | 88.8                     |
    | Generated tokens, mean   | 2                        | 2                        |
    | Prompt                   | f9e466b7d88b             | 1df7b4287119             |
    | Model                    | offline-model            | offline-model            |
    +--------------------------+--------------------------+--------------------------+

    Outcomes as shares of each variant’s observations
    +----------+--------------------+--------------------+
    |          | one                | two                |
    +====================================================+
    | Positive | 34.2% (113 of 330) | 15.8% (52 of 330)  |
    | Neutral  | 46.7% (154 of 330) | 74.8% (247 of 330) |
    | Negative | 19.1% (63 of 330)  | 9.4% (31 of 330)   |
    | Unsure   | 0.0% (0 of 330)    | 0.0% (0 of 330)    |
    +----------+--------------------+--------------------+

    Confusion matrix of one (330 labelled sentences)
    +----------+----------+---------+----------+--------+-----------+--------+-------+
    | Expected | Positive | Neutral | Negative | Unsure | Precision | Recall | F1    |
    +================================================================================+
    | Positive | 67       | 29      | 14       | 0      | 59.3%     | 60.9%  | 0.601 |
    | Neutral  | 17       | 83      | 10       | 0      | 53.9%     | 75.5%  | 0.629 |
    | Negative | 29       | 42      | 39       | 0      | 61.9%     | 35.5%  | 0.451 |
    +----------+----------+---------+----------+--------+-----------+--------+-------+

    Confusion matrix of two (330 labelled sentences)
    +----------+----------+---------+----------+--------+-----------+--------+-------+
    | Expected | Positive | Neutral | Negative | Unsure | Precision | Recall | F1    |
    +================================================================================+
    | Positive | 38       | 67      | 5        | 0      | 73.1%     | 34.5%  | 0.469 |
    | Neutral  | 5        | 101     | 4        | 0      | 40.9%     | 91.8%  | 0.566 |
    | Negative | 9        | 79      | 22       | 0      | 71.0%     | 20.0%  | 0.312 |
    +----------+----------+---------+----------+--------+-----------+--------+-------+

    two compared with one
      Compared on 330 labelled sentences that both answered; they disagree on 93.
      Difference in accuracy    −8.5 points
      95% interval (decides)    −13.1 to −3.8 points
      McNemar’s exact test      p = 0.0006 (330 pairs)
      Right answers             both 143, only one 46, only two 18, neither 123
      Chance to win             one 98.5%, two 1.5%
      Expected loss if chosen   one 0.02 points, two 8.45 points
    ");
    // The stores' prompts are those of the files: the answers are there under any name.
    let by_store = sandbox.ab(&format!("{line} --store case-a --store case-b")).ok();
    let told = "All 660 answers were cached; the model was not asked";
    assert!(by_store.messages().contains(told), "{}", by_store.seen());
    // A store that a label means is that label's variant.
    // It is 8.5 points worse (McNemar's p 0.0006), and a data set is looked at once.
    let gated = sandbox.ab(&format!("{line} --fail-if-worse-than case-a"));
    let missed = "NOT MET: two: worse than one (difference −8.5 points, 95% interval −13.1 to −3.8)";
    let text = gated.output_text();
    assert!(text.contains(missed) && !text.contains("case-a compared"), "{}", gated.seen());
    assert!(gated.seen().ends_with("[exit status: 3]\n"), "{}", gated.seen());
}

#[test]
fn a_margin_wants_proof() {
    let mut sandbox = app();
    offline_model(&mut sandbox);
    sandbox.write(
        "a.txt",
        format!("{} ", std::fs::read_to_string(format!("{ROOT}/prompts/case-a.txt")).unwrap()),
    );
    sandbox.write("few.csv", "sentence,expected\nWhat a beautiful sunrise!,positive\nIt rains.,neutral\n");
    sandbox.ab("kv create case-a").ok();
    sandbox.ab(&format!("kv set --store case-a prompt=@{ROOT}/prompts/case-a.txt")).ok();
    let gate = |data: &str, prompt: &str, margin: &str| {
        let run = sandbox.ab(&format!(
            "eval --data {data} --prompt-file {prompt} --fail-if-worse-than case-a --format json {margin}"
        ));
        let evaluation: Value = serde_json::from_slice(run.bytes()).unwrap();
        (run.succeeded(), evaluation["gates"][0]["text"].as_str().unwrap().to_owned())
    };
    let data = format!("{ROOT}/data/sentences.csv");
    let worse = format!("{ROOT}/prompts/case-b.txt");
    for (data, prompt, margin, met, text) in [
        (&*data, "a.txt", "", true, "a.txt: not known to be worse than case-a (difference 0.0 points"),
        (&data, "a.txt", "--margin 5%", true, "a.txt: less than 5 points worse than case-a"),
        (&data, &worse, "--margin 5%", false, "case-b.txt: worse than case-a"),
        (&data, &worse, "--margin 0.2", true, "case-b.txt: less than 20 points worse than case-a"),
        // Few sentences show neither.
        ("few.csv", "a.txt", "", true, "a.txt: not known to be worse than case-a"),
        (
            "few.csv",
            "a.txt",
            "--margin 0.9",
            false,
            "a.txt: not shown to be less than 90 points worse than case-a",
        ),
    ] {
        let (passed, said) = gate(data, prompt, margin);
        assert!(passed == met && said.starts_with(text), "{prompt} {margin}: {passed} {said}");
    }
    assert!(sandbox.ab("eval --data few.csv --margin 0.1").messages().contains("--fail-if-worse-than"));
}

#[test]
fn faults_and_a_kill_half_way_change_nothing() {
    let bench = Bench::new(120);
    let expected = bench.numbers("--no-cache");
    let asked = bench.prompts(0).len();
    assert_eq!(asked, 240);

    let concurrency = 4;
    let more = format!("--concurrency {concurrency} --cache kept.db");
    bench.model.fail_some(10, 7, Reply::Status(503));
    bench.model.answer_with(Reply::from("neutral").after(Duration::from_millis(3)));
    let mut child = bench.start(&more);
    bench.until_asked(asked + 120);
    child.kill().unwrap();
    child.wait().unwrap();

    let before = bench.prompts(asked);
    assert_eq!(bench.numbers(&more), expected);
    let after = bench.prompts(asked + before.len());
    let again = distinct(&before).intersection(&distinct(&after)).count();
    // What had no answer yet, and what came in the moment before.
    assert!(again <= 2 * concurrency, "{again} were asked before and after");
    assert_eq!(distinct(&before).union(&distinct(&after)).count(), 240);

    let quiet = bench.prompts(0).len();
    assert_eq!(bench.numbers(&more), expected);
    assert_eq!(bench.prompts(quiet).len(), 0, "all is kept");
}

#[test]
fn broken_off_by_a_person_it_goes_on_from_there() {
    let bench = Bench::new(120);
    bench.model.answer_with(Reply::from("neutral").after(Duration::from_millis(2)));
    let child = bench.start("");
    bench.until_asked(100);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{messages}");
    assert!(messages.contains("run the same command again to continue"), "{messages}");

    let before = bench.prompts(0);
    assert!(before.len() < 240, "it was too quick to be broken off");
    let through = bench.sandbox.ab(&bench.line("")).ok();
    let after = bench.prompts(before.len());
    assert_eq!(before.len() + after.len(), 240, "nothing was asked twice");
    assert_eq!(distinct(&after).len(), after.len());
    let kept = format!("240 answers: {} new, {} cached", after.len(), before.len());
    assert!(through.output_text().contains(&kept), "{}", through.seen());
}

#[test]
fn a_model_that_goes_away_and_comes_back() {
    let mut bench = Bench::new(60);
    let expected = bench.numbers("--no-cache");
    bench.model.answer_with(Reply::from("neutral").after(Duration::from_millis(2)));
    let before = bench.prompts(0).len();
    let child = bench.start("--retries 1");
    bench.until_asked(before + 40);
    let address = bench.model.address();
    let silent = ModelServer::start().unwrap();
    drop(std::mem::replace(&mut bench.model, silent));
    let output = child.wait_with_output().unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{messages}");
    for part in ["the model does not answer", "hint: ", "run the same command again to continue"] {
        assert!(messages.contains(part), "{part:?} not in {messages}");
    }

    bench.model = script(ModelServer::start_at(address).unwrap());
    assert_eq!(bench.numbers(""), expected);
    assert!(bench.prompts(0).len() <= 120 - 30, "{}", bench.prompts(0).len());
}

#[test]
fn a_sentence_that_stands_there_twice_is_asked_once() {
    let bench = Bench::new(1);
    bench.sandbox.write("data.csv", "sentence,expected\nsame,neutral\n same ,neutral\nsame,positive\n");
    let seen = bench.sandbox.ab(&bench.line("")).ok();
    assert_eq!(bench.prompts(0).len(), 2, "{}", seen.seen());
    assert!(seen.output_text().contains("6 answers: 2 new, 4 cached"), "{}", seen.seen());
}

#[test]
fn repetitions_tell_how_stable_answers_are() {
    let bench = Bench::new(10);
    let text = bench.sandbox.ab(&bench.line("--repeat 3")).ok().output_text();
    assert_eq!(bench.prompts(0).len(), 60);
    assert!(text.contains("Same answer 3 times") && text.contains("100.0% of 10"), "{text}");
}

#[test]
fn the_model_is_asked_as_the_app_asks_it() {
    let bench = Bench::new(1);
    for (api, field) in [("default", "maxTokens"), ("open_ai", "max_completion_tokens")] {
        bench.sandbox.ab(&bench.line(&format!("--api {api} --token t0ken --no-cache"))).ok();
        let request = bench.model.requests().pop().unwrap();
        assert_eq!((request.model.as_str(), request.options[field].as_u64()), ("m", Some(6)));
        assert_eq!(request.authorization.as_deref(), Some("bearer t0ken"));
        assert!(request.prompt == "Say: Sentence 0, five two", "{}", request.prompt);
    }
    let options = bench.model.requests()[0].options.clone();
    assert_eq!(options["temperature"].as_f64(), Some(0.0), "{options}");
}

#[test]
fn requirements() {
    let bench = Bench::new(120);
    // The first prompt is right on three of five sentences, the second on none.
    bench.model.answer_sentence(" two", "negative");
    let exit = |more: &str| {
        let output = bench.start(more).wait_with_output().unwrap();
        (String::from_utf8(output.stderr).unwrap(), output.status.code())
    };
    let (messages, status) = exit("--fail-under 90%");
    assert_eq!(status, Some(3), "{messages}");
    assert!(messages.contains("a.txt: accuracy ") && messages.contains("under 90.0%"), "{messages}");
    assert_eq!(exit("--fail-under 0").1, Some(0));

    let (messages, status) = exit("--fail-if-worse-than a.txt");
    assert_eq!(status, Some(3), "{messages}");
    assert!(messages.contains("b.txt: worse than a.txt (difference −"), "{messages}");
    assert_eq!(exit("--fail-if-worse-than b.txt").1, Some(0));
    let (messages, status) = exit("--fail-if-worse-than nowhere");
    assert_eq!(status, Some(1));
    assert!(messages.contains("No key value store found with name \"nowhere\""), "{messages}");
    assert_eq!(exit("--fail-under 0.6 --fail-if-worse-than b.txt").1, Some(0), "the baseline is not judged");
}

/// What people may write, and what models may answer.
const PAYLOADS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</td></table><svg onload=alert(1)>",
    "' onmouseover='alert(1)",
    "]]><!-- & <![CDATA[",
    "\u{202e}\u{1} <a href=javascript:alert(1)>x</a>",
];

#[test]
fn every_form_is_whole_and_text_stays_text() {
    let bench = Bench::new(1);
    let mut rows = String::new();
    for payload in PAYLOADS {
        rows += &serde_json::json!({"sentence": payload, "expected": "positive"}).to_string();
        rows.push('\n');
    }
    bench.sandbox.write("data.jsonl", rows);
    bench.sandbox.write("<b>.txt", "<i>Two</i> {SENTENCE}");
    bench.model.answer_with(Reply::Text("positive</span><script>alert(2)</script>".to_owned()));
    bench.model.answer_sentence("<i>Two", "negative");
    let url = bench.model.url();
    let form = |form: &str| {
        let line = format!(
            "eval --data data.jsonl --prompt-file a.txt --prompt-file <b>.txt --model m --url {url} --fail-under 0 \
             --format {form} --output out"
        );
        let run = bench.sandbox.ab(&line).ok();
        assert_eq!(run.bytes(), b"");
        bench.sandbox.read("out")
    };

    let page = form("html");
    let (markup, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (data, script) = rest.split_once("</script>").unwrap();
    assert!(!data.contains('<') && page.ends_with("</html>\n"));
    for tag in ["<img", "onerror", "<svg onload", "<a ", "<i>", "<b>", "alert("] {
        assert!(!markup.contains(tag) && !script.contains(tag), "{tag}");
    }
    let shown: Value = serde_json::from_str(data).unwrap();
    assert_eq!(shown["disagreements"].as_array().map(Vec::len), Some(PAYLOADS.len()));
    assert_eq!(shown["disagreements"][0]["sentence"], PAYLOADS[0]);
    assert_eq!(shown["prompts"][1]["text"], "<i>Two</i> {SENTENCE}");

    let xml = form("junit");
    assert!(!xml.contains("<script") && !xml.contains("<![CDATA[") && !xml.contains('\u{1}'), "{xml}");
    assert_eq!((xml.matches("<testcase ").count(), xml.matches("<failure ").count()), (14, 6));
    let suite = "<testsuite name=\"&lt;b&gt;.txt\" tests=\"6\" skipped=\"0\" errors=\"0\" failures=\"6\">";
    assert!(xml.contains(suite), "{xml}");

    let text = form("csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), 12);
    let sentences: HashSet<&str> = records.iter().map(|record| &record[1]).collect();
    assert_eq!(sentences, PAYLOADS.map(str::trim).into());
    assert!(records.iter().all(|record| (&record[5] == "positive") == (&record[6] == "true")));

    let json: Value = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(json["disagreements"].as_array().map(Vec::len), Some(6));
    assert_eq!(json["disagreements"][0]["answers"][1]["correct"], false);
    assert_eq!((&json["variants"][0]["accuracy"]["n"], &json["cached"]), (&6.into(), &12.into()));
}

#[test]
fn what_cannot_be_evaluated() {
    let bench = Bench::new(2);
    let sandbox = &bench.sandbox;
    sandbox.write("bad.csv", "sentence,expected\nfine,neutral\n,neutral\nx,good\n");
    sandbox.write("plain.txt", "no placeholder");
    sandbox.write("bare/a.txt", "{SENTENCE}");
    assert_snapshot!(
        sandbox.session(&[
            "eval --data nowhere.csv",
            "eval --data bad.csv",
            "eval --data data.csv",
            "eval --data data.csv --store nowhere",
            "eval --data data.csv --prompt-file plain.txt",
            "eval --data data.csv --prompt-file a.txt --prompt-file bare/a.txt",
            "eval --data data.csv --prompt-file a.txt",
            "eval --data data.csv --prompt-file a.txt --url ftp://x",
            "eval --data data.csv --prompt-file a.txt --url http://127.0.0.1:9 --cache data.csv",
        ]),
        @r#"
        $ cargo ab eval --data nowhere.csv
        error: cannot open nowhere.csv: No such file or directory (os error 2)
        [exit status: 1]
        $ cargo ab eval --data bad.csv
        error: bad.csv has 2 rows that cannot be used:
          line 3: The sentence is empty. Write something to classify.
          line 4: expected is "good", not positive, neutral or negative
        hint: a CSV file has the header `sentence,expected`; in JSON Lines each line is an object, {"sentence": "…", "expected": "positive"}; expected is positive, neutral or negative
        [exit status: 1]
        $ cargo ab eval --data data.csv
        error: there is no prompt to evaluate: no label is linked to a store with a prompt
        hint: name prompts with --store, --label or --prompt-file
        [exit status: 1]
        $ cargo ab eval --data data.csv --store nowhere
        error: No key value store found with name "nowhere"
        hint: `cargo ab kv create nowhere` creates it; `cargo ab kv list` lists the stores
        [exit status: 1]
        $ cargo ab eval --data data.csv --prompt-file plain.txt
        error: plain.txt is not a prompt: it needs to be UTF-8 and to contain {SENTENCE}
        hint: put {SENTENCE} where the sentence belongs
        [exit status: 1]
        $ cargo ab eval --data data.csv --prompt-file a.txt --prompt-file bare/a.txt
        error: two prompts are called "a.txt"
        hint: give each prompt once, and give files different names
        [exit status: 1]
        $ cargo ab eval --data data.csv --prompt-file a.txt
        error: [FOLDER]/runtime-config.toml names no model: it has no [llm_compute]
        hint: name a model's server with --url, or add [llm_compute] with type = "remote_http"
        [exit status: 1]
        $ cargo ab eval --data data.csv --prompt-file a.txt --url ftp://x
        error: the url of the model is not valid: it starts neither with http:// nor with https://
        hint: write url = "http://host:port"
        [exit status: 1]
        $ cargo ab eval --data data.csv --prompt-file a.txt --url http://127.0.0.1:9 --cache data.csv
        error: data.csv is not an answer cache, and was left unchanged
        hint: name another file with --cache, or use --no-cache
        [exit status: 1]
        "#
    );
}

#[test]
fn a_server_that_never_answers_is_given_up_with_its_first_reason() {
    // Fewer questions than are asked before giving up, and more.
    for sentences in [2, 200] {
        let bench = Bench::new(sentences);
        let nobody = format!("http://127.0.0.1:{}", closed_port());
        for (url, more, reply, reason) in [
            (nobody, "--retries 0", Reply::Garbage, "Connection refused"),
            (bench.model.url(), "--api open_ai", Reply::Status(401), "give the server's token"),
            (bench.model.url(), "--api default", Reply::Garbage, "200"),
        ] {
            bench.model.fail_some(100, 1, reply);
            let before = bench.prompts(0).len();
            let run = bench.sandbox.ab(&bench.line(more).replace(&bench.model.url(), &url));
            let messages = run.messages();
            assert!(messages.contains("error: the model does not answer: "), "{messages}");
            assert!(messages.contains(reason) && messages.contains("hint: "), "{messages}");
            assert_eq!(
                (run.succeeded(), run.bytes()),
                (false, &b""[..]),
                "nothing is reported of no answers"
            );
            assert!(bench.prompts(before).len() <= 20, "{}", bench.prompts(before).len());
        }
    }
}

fn closed_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn questions_that_are_refused_are_not_asked_again() {
    let bench = Bench::new(50);
    bench.model.fail_some(100, 1, Reply::Status(401));
    let run = bench.sandbox.ab(&bench.line("--api open_ai"));
    assert!(!run.succeeded() && run.messages().contains("the model does not answer"), "{}", run.seen());
    assert!(bench.prompts(0).len() <= 20, "{}", bench.prompts(0).len());

    // One sentence that the model chokes on keeps nobody from the others; but the evaluation is not whole.
    bench.model.fail_some(0, 1, "").answer_sentence("Sentence 11,", Reply::Status(400));
    let run = bench.sandbox.ab(&bench.line("--format csv --output out.csv"));
    assert!(!run.succeeded() && run.messages().contains("2 questions have no answer"), "{}", run.seen());
    assert_eq!(bench.sandbox.read("out.csv").matches("Failed to deserialize").count(), 2);
    assert!(Path::new(&bench.sandbox.path(".spin/eval/answers.db")).exists());
}

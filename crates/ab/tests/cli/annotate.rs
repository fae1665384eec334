//! `annotate` on real stores: by keys, at a terminal, and by way of a spreadsheet.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use experiment::journal::{Annotation, Draw, Round, Stratum};
use experiment::{Fingerprint, counter};
use insta::assert_snapshot;
use redis::Commands as _;
use rusqlite::Connection;
use serde_json::Value;

use crate::report::{PROMPTS, app};
use crate::sandbox::{Run, Sandbox, app_reads};
use e2e::model_server::ModelServer;
use e2e::redis_server::RedisServer;
use e2e::tool;

fn round() -> Round {
    Round::new(PROMPTS.map(|(_, _, prompt)| Fingerprint::of(prompt)), "llama2-chat")
}

/// A journal in which so many sentences wait: on the first ones the prompts differ, and the second one is right.
fn journal(differ: &[&str], agree: &[&str]) -> Vec<(String, Vec<u8>)> {
    let round = round();
    let mut entries = Vec::new();
    for (stratum, sentences, second) in
        [(Stratum::Differ, differ, "negative"), (Stratum::Agree, agree, "positive")]
    {
        for (sentence, slot) in sentences.iter().zip(0..) {
            let mut draw = Draw::new(*sentence);
            for ((_, _, prompt), answer) in PROMPTS.into_iter().zip(["positive", second]) {
                draw.add(Fingerprint::of(prompt), answer);
            }
            entries.push((round.slot_key(stratum, slot), serde_json::to_vec(&draw).unwrap()));
        }
        let number = i64::try_from(sentences.len()).unwrap();
        entries.push((round.counter_key(stratum), counter::value(number, true)));
    }
    entries
}

fn fill(sandbox: &Sandbox, entries: Vec<(String, Vec<u8>)>) {
    let connection = Connection::open(sandbox.store("journal")).unwrap();
    for entry in entries {
        let insert = "INSERT INTO spin_key_value VALUES ('journal', ?1, ?2)";
        connection.execute(insert, entry).unwrap();
    }
}

/// An app in which sentences wait.
fn waiting(differ: &[&str], agree: &[&str]) -> Sandbox {
    let sandbox = app(None);
    fill(&sandbox, journal(differ, agree));
    sandbox
}

/// All annotations: the sentence, whether it decides, and what each person says.
fn annotations(sandbox: &Sandbox) -> Vec<(String, bool, String)> {
    let rows = app_reads(&sandbox.store("journal"), "journal");
    let annotations = rows.iter().filter_map(|(_, value)| Annotation::from_json(value));
    let mut annotations: Vec<_> = annotations
        .filter(|annotation| !annotation.given.is_empty())
        .map(|Annotation { draw, given }| {
            let say = given.iter().map(|(who, given)| format!("{who} {:?}", given.expected.as_deref()));
            let say = say.collect::<Vec<_>>().join(", ");
            (draw.sentence, !draw.answers.is_empty(), say)
        })
        .collect();
    annotations.sort();
    annotations
}

fn winner(sandbox: &Sandbox) -> Value {
    let report = sandbox.ab("report --format json").ok();
    serde_json::from_slice::<Value>(report.bytes()).unwrap()["decision"]["winner"].take()
}

const NINE: [&str; 9] =
    ["rain 0", "rain 1", "rain 2", "rain 3", "rain 4", "rain 5", "rain 6", "rain 7", "rain 8"];

#[test]
fn keys_from_a_pipe_until_it_is_decided() {
    let sandbox = waiting(&NINE, &[]);
    let run = sandbox.ab_with_input("annotate --annotator ada", b"3333 33\n").ok();
    assert!(run.messages().ends_with("6 annotated, about 4 more to decide\n"), "{}", run.seen());
    assert!(!run.messages().contains("Decided"), "{}", run.seen());
    for told in ["promptstore", "one", "two", "positive"] {
        assert!(!run.seen().contains(told), "annotating is blind: {}", run.seen());
    }
    let seven = sandbox.ab_with_input("annotate --annotator ada", b"3").ok().seen();
    let decided = "Decided: `cargo ab report` says which prompt is better.\n7 annotated, decided\n";
    assert!(seven.ends_with(decided) && seven.starts_with("negative     rain "), "{seven}");
    assert_eq!(winner(&sandbox), "two");
    // To the end of the queue.
    let rest = sandbox.ab_with_input("annotate --annotator ada", b"s3").ok().seen();
    assert!(rest.contains("cannot tell  rain ") && rest.contains("Nothing to annotate."), "{rest}");
    let all = annotations(&sandbox);
    assert_eq!(
        all.iter().filter(|(_, decides, said)| *decides && said == "ada Some(\"negative\")").count(),
        8
    );
    assert_eq!(all.iter().filter(|(_, _, said)| said == "ada None").count(), 1);
}

#[test]
fn what_was_said_last_is_taken_back() {
    let sandbox = waiting(&["rain 0"], &["sun"]);
    let run = sandbox.ab_with_input("annotate --annotator ada", b"u 1 u 2 u 3 q").ok();
    let lines: Vec<String> = run.messages().lines().map(str::to_owned).collect();
    let sentence = lines[0].split_once("  ").unwrap().1.trim().to_owned();
    let expected =
        ["positive", "undone", "neutral", "undone", "negative"].map(|said| format!("{said:11}  {sentence}"));
    assert_eq!(lines[..5], expected, "{}", run.seen());
    assert_eq!(annotations(&sandbox), [(sentence, true, "ada Some(\"negative\")".to_owned())]);
    // Another run takes back what it said itself.
    sandbox.ab_with_input("annotate --annotator ada", b"uuu1uuu").ok();
    assert_eq!(annotations(&sandbox).len(), 1);
}

#[test]
fn a_journal_in_redis() {
    let Some(redis) = RedisServer::start(&[]) else { return };
    let sandbox = app(Some(&redis));
    let mut connection = redis::Client::open(redis.url(3)).unwrap().get_connection().unwrap();
    for (key, value) in journal(&NINE, &[]) {
        let () = connection.set(key, value).unwrap();
    }
    let run = sandbox.ab_with_input("annotate --annotator ada", b"333u 333 33").ok();
    assert!(run.messages().ends_with("7 annotated, decided\n"), "{}", run.seen());
    assert_eq!(winner(&sandbox), "two");
}

/// What a person at a terminal sees who presses each key once they are asked for it, and whether the command succeeded.
fn at_a_terminal(sandbox: &Sandbox, keys: &str) -> Option<(String, bool)> {
    let script = tool::find(&["script"])?;
    let command = format!("{} annotate --annotator ada", env!("CARGO_BIN_EXE_ab"));
    let mut shell = Command::new(script);
    shell.args(["-qec", &command, "/dev/null"]).current_dir(sandbox.path(".")).env("TERM", "xterm");
    shell.env("CARGO", "cargo").env_remove("RUNTIME_CONFIG_FILE").env_remove("SPIN_BIN_PATH");
    let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut seen, mut asked) = (Vec::new(), 0);
    for key in keys.bytes() {
        let mut bytes = [0; 4096];
        while count(&seen, b"q quit") <= asked {
            let read = output.read(&mut bytes).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&bytes[..read]);
        }
        asked = count(&seen, b"q quit") - usize::from(key == b'x');
        input.write_all(&[key]).unwrap();
    }
    output.read_to_end(&mut seen).unwrap();
    Some((String::from_utf8_lossy(&seen).into_owned(), child.wait().unwrap().success()))
}

fn count(text: &[u8], part: &[u8]) -> usize {
    text.windows(part.len()).filter(|window| *window == part).count()
}

#[test]
fn a_person_at_a_terminal() {
    let sandbox = waiting(&["rain\u{1b}]0;title\u{7} again"], &["sun"]);
    // `x` is not a key, and the last one can be taken back as well.
    let Some((seen, success)) = at_a_terminal(&sandbox, "x3u33u1q") else { return };
    assert!(success, "{seen}");
    for part in [
        "1 positive  2 neutral  3 negative  s cannot tell  u undo  q quit",
        "0 annotated, about",
        "That was the last one.",
        // What was asked goes once it is answered.
        "\u{1b}[2K",
    ] {
        assert!(seen.contains(part), "{part:?} is not in {seen:?}");
    }
    assert!(!seen.contains("\u{1b}]0;title"), "a sentence does nothing to the terminal: {seen:?}");
    let said: Vec<_> = annotations(&sandbox).into_iter().map(|(_, _, said)| said).collect();
    assert!(said.contains(&"ada Some(\"positive\")".to_owned()) && said.len() == 2, "{said:?}");
}

#[test]
fn a_person_at_a_terminal_who_breaks_off() {
    let sandbox = waiting(&NINE, &[]);
    let Some((seen, success)) = at_a_terminal(&sandbox, "3\u{3}") else { return };
    assert!(!success, "{seen}");
    assert_eq!(annotations(&sandbox).len(), 1, "what was said stays");
}

#[test]
fn without_keys_or_with_others() {
    let sandbox = waiting(&["rain 0", "rain 1"], &[]);
    let other = sandbox.ab_with_input("annotate --annotator ada", b"ux").seen();
    assert_snapshot!(sandbox.session(&["annotate --annotator ada"]) + &other, @r"
    $ cargo ab annotate --annotator ada
    error: standard input is not a terminal, and it had no keys
    hint: run it in a terminal, pipe keys into it (`printf 13s | cargo ab annotate`), or use a spreadsheet: `cargo ab annotate --export FILE.csv`
    [exit status: 1]
    error: standard input has 'x', which is not a key
    hint: keys: 1 positive  2 neutral  3 negative  s cannot tell  u undo  q quit
    [exit status: 1]
    ");
    let sandbox = app(None);
    let nothing = sandbox.session(&["annotate --annotator ada"]);
    sandbox.ab("unlink key-value journal").ok();
    assert_snapshot!(nothing + &sandbox.session(&["annotate", "annotate --disputed --export a.csv"]), @r#"
    $ cargo ab annotate --annotator ada
    0 annotated, about 34 more to decide
    Nothing to annotate. Sentences are queued once all prompts have answered them: the variable `shadow` sets the share of new ones, and `cargo ab backfill` asks about those already stored.
    $ cargo ab annotate
    error: app "test" has no store linked with the label "journal"
    hint: annotations are kept there; to make one: `cargo ab kv create journal` and `cargo ab link key-value journal --store journal`
    [exit status: 1]
    $ cargo ab annotate --disputed --export a.csv
    error: the argument '--disputed' cannot be used with '--export <FILE>'

    Usage: cargo ab annotate --disputed

    For more information, try '--help'.
    [exit status: 2]
    "#);
}

#[test]
fn who_annotates() {
    let sandbox = waiting(&NINE, &[]);
    let annotate = |environment: &[(&str, &str)]| {
        let mut command = sandbox.command(&["annotate", "--import", "said.csv"]);
        command.env_remove("USER").env_remove("USERNAME").envs(environment.iter().copied());
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    sandbox.write("said.csv", "sentence,expected\nrain 0,3\n");
    let nobody = annotate(&[]);
    assert!(
        nobody.contains("the annotator is not known") && nobody.contains("name one with --annotator"),
        "{nobody}"
    );
    assert!(annotate(&[("USER", "eve")]).starts_with("1 annotation by eve: 1 new"));
    let manifest = sandbox.read("spin.toml");
    let with = |variables: &str| {
        sandbox.write("spin.toml", manifest.replace("[variables]\n", &format!("[variables]\n{variables}")));
    };
    with("kv_explorer_user = { default = \"admin\" }\n");
    assert!(annotate(&[("USER", "eve")]).starts_with("1 annotation by admin: 1 new"));
    with("kv_explorer_user = { default = \"admin\" }\nannotator_user = { default = \" ada, bob\" }\n");
    assert!(annotate(&[("USER", "eve")]).starts_with("1 annotation by ada: 1 new"));
    let said = "ada Some(\"negative\"), admin Some(\"negative\"), eve Some(\"negative\")";
    assert_eq!(annotations(&sandbox), [("rain 0".to_owned(), true, said.to_owned())]);
}

/// What a person makes of an exported file, who says the same of every sentence that `is_said`.
fn filled_in(sheet: &str, expected: &str, is_said: impl Fn(&str) -> bool) -> String {
    let mut rows = csv(sheet);
    for row in rows.iter_mut().skip(1).filter(|row| is_said(&row[0])) {
        expected.clone_into(&mut row[1]);
    }
    // As spreadsheets write it where the comma is for decimals.
    let line = |row: &Vec<String>| {
        row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(";")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\r\n")
}

fn csv(sheet: &str) -> Vec<Vec<String>> {
    sheet
        .trim_start_matches('\u{feff}')
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

#[test]
fn to_a_spreadsheet_and_back() {
    let formula = "=HYPERLINK(\"http://example.com\")";
    let mut differ = NINE.to_vec();
    differ.push("+1 for rain");
    let sandbox = waiting(&differ, &["sun", formula]);
    let export = sandbox.ab("annotate --export queue.csv").ok();
    assert_snapshot!(export.seen(), @r#"
    Written to queue.csv
    12 sentences to annotate
    Write positive, neutral, negative or "cannot tell" in the column expected, then run `cargo ab annotate --import queue.csv`.
    "#);
    let sheet = sandbox.read("queue.csv");
    assert!(sheet.starts_with("\u{feff}sentence,expected\n"), "{sheet}");
    let rows = csv(&sheet);
    assert_eq!(rows.len(), 13);
    assert!(rows.iter().skip(1).all(|row| row[1].is_empty()), "blind: {sheet}");
    assert!(sheet.contains("'+1 for rain") && sheet.contains("\"'=HYPERLINK("), "formulas are text: {sheet}");
    let another = sandbox.ab("annotate --export -").ok().output_text();
    let mut sorted = [sheet.lines().collect::<Vec<_>>(), another.lines().collect()];
    assert_ne!(sorted[0], sorted[1], "in random order");
    for lines in &mut sorted {
        lines.sort_unstable();
    }
    assert_eq!(sorted[0], sorted[1]);

    sandbox.write("ada.csv", filled_in(&sheet, "negative", |sentence| sentence.contains("rain")));
    assert_snapshot!(
        sandbox.session(&["annotate --annotator ada --import ada.csv", "annotate --annotator ada --import ada.csv"]),
        @r"
        $ cargo ab annotate --annotator ada --import ada.csv
        10 annotations by ada: 10 new, 0 changed, 0 unchanged
        Skipped 2 rows without an annotation
        $ cargo ab annotate --annotator ada --import ada.csv
        10 annotations by ada: 0 new, 0 changed, 10 unchanged
        Skipped 2 rows without an annotation
        ");
    let once = app_reads(&sandbox.store("journal"), "journal");
    sandbox.ab("annotate --annotator ada --import ada.csv").ok();
    assert_eq!(app_reads(&sandbox.store("journal"), "journal"), once, "to import again changes nothing");
    assert_eq!(annotations(&sandbox).iter().filter(|(_, decides, _)| *decides).count(), 10);
    assert_eq!(winner(&sandbox), "two");

    // Somebody else disagrees, and cannot tell of the rest.
    let bob = "sentence,expected\nrain 0,positive\nrain 1,1\nrain 2,cannot tell\nrain 3,Negative\n'+1 for rain,neutral\n";
    sandbox.write("bob.csv", bob);
    assert_snapshot!(
        sandbox.session(&["annotate --annotator bob --import bob.csv", "report --format csv --output report.csv"]),
        @r"
        $ cargo ab annotate --annotator bob --import bob.csv
        5 annotations by bob: 5 new, 0 changed, 0 unchanged
        3 sentences disputed, and left out until an annotator changes their answer (`cargo ab annotate --disputed`):
          rain 0 (ada negative, bob positive)
          rain 1 (ada negative, bob positive)
          +1 for rain (ada negative, bob neutral)
        $ cargo ab report --format csv --output report.csv
        Written to report.csv
        ");
    assert_eq!(winner(&sandbox), "two", "7 to 0 are left");
    let report = sandbox.read("report.csv");
    assert!(report.contains("two / one,evidence,26.8"), "those in dispute are left out: {report}");

    // Ada sees it, and changes one of hers; takes another change back; and leaves the third as it is.
    let seen = sandbox.ab_with_input("annotate --annotator ada --disputed", b"2 1 u s q").ok().seen();
    assert_snapshot!(seen, @r"
    Decided: `cargo ab report` says which prompt is better.
    neutral      +1 for rain
    positive     rain 0
    undone       rain 0
    cannot tell  rain 0
    10 annotated, about 16 more to decide
    Annotators still disagree on 1 sentence.
    ");
}

#[test]
fn a_file_with_mistakes_changes_nothing() {
    let sandbox = waiting(&NINE, &[]);
    sandbox.write("bad.csv", "sentence,expected\nrain 0,3\nrain 1,good\n,3\nrain 0,1\nrain 2,\n");
    sandbox.write("latin1.csv", b"sentence,expected\ncaf\xe9,3\n");
    sandbox.write("other.csv", "text,label\nrain 0,3\n");
    assert_snapshot!(
        sandbox.session(&[
            "annotate --annotator ada --import bad.csv",
            "annotate --annotator ada --import latin1.csv",
            "annotate --annotator ada --import other.csv",
            "annotate --annotator ada --import nowhere.csv",
        ]),
        @r#"
        $ cargo ab annotate --annotator ada --import bad.csv
        error: bad.csv has 3 rows that cannot be used:
          line 3: expected is "good", not positive, neutral, negative or "cannot tell"
          line 4: The sentence is empty. Write something to classify.
          line 5: line 2 differs for the same sentence
        hint: the columns are sentence and expected; expected is positive, neutral, negative (or 1, 2, 3), "cannot tell" (or s), or empty to skip the row
        [exit status: 1]
        $ cargo ab annotate --annotator ada --import latin1.csv
        error: latin1.csv has 1 row that cannot be used:
          line 2: it is not UTF-8; save the file as "CSV UTF-8"
        hint: the columns are sentence and expected; expected is positive, neutral, negative (or 1, 2, 3), "cannot tell" (or s), or empty to skip the row
        [exit status: 1]
        $ cargo ab annotate --annotator ada --import other.csv
        error: other.csv has no column "sentence": its header is "text,label"
        hint: the columns are sentence and expected; expected is positive, neutral, negative (or 1, 2, 3), "cannot tell" (or s), or empty to skip the row
        [exit status: 1]
        $ cargo ab annotate --annotator ada --import nowhere.csv
        error: cannot open nowhere.csv: No such file or directory (os error 2)
        [exit status: 1]
        "#);
    assert_eq!(annotations(&sandbox), []);
}

#[test]
fn annotations_of_other_sentences_are_data_for_eval() {
    let (sandbox, model) = (waiting(&NINE, &[]), ModelServer::start().unwrap());
    model.answer_with("negative");
    assert_snapshot!(sandbox.session(&["annotate --export-dataset data.csv"]), @r"
    $ cargo ab annotate --export-dataset data.csv
    error: there are no annotations of sentences outside the queue
    hint: `cargo ab annotate --import FILE.csv` accepts annotations of any sentence
    [exit status: 1]
    ");
    let own = "sentence,expected\n'=own formula,3\nmy own,positive\nI cannot say,s\nrain 0,3\n";
    let run = sandbox.ab_with_input("annotate --annotator ada --import -", own.as_bytes()).ok();
    assert_snapshot!(run.seen(), @r"
    4 annotations by ada: 4 new, 0 changed, 0 unchanged
    3 sentences were not drawn for the current prompts, so annotating them decides nothing: `cargo ab annotate --export-dataset FILE` writes them to a data set for `eval`
    ");
    assert_snapshot!(
        sandbox.session(&["annotate --export-dataset data.csv", "annotate --export-dataset -"]),
        @r"
        $ cargo ab annotate --export-dataset data.csv
        Written to data.csv
        2 labelled sentences
        `cargo ab eval --data data.csv` evaluates prompts on them.
        $ cargo ab annotate --export-dataset -
        sentence,expected
        '=own formula,negative
        my own,positive
        2 labelled sentences
        ");
    sandbox.ab("annotate --export-dataset data.jsonl").ok();
    assert_eq!(
        sandbox.read("data.jsonl"),
        "{\"sentence\":\"=own formula\",\"expected\":\"negative\"}\n{\"sentence\":\"my own\",\"expected\":\"positive\"}\n"
    );
    assert_eq!(winner(&sandbox), Value::Null);
    for data in ["data.csv", "data.jsonl"] {
        let eval =
            format!("eval --data {data} --url {} --store case-a --no-cache --format json", model.url());
        let run: Run = sandbox.ab(&eval).ok();
        let report: Value = serde_json::from_slice(run.bytes()).unwrap();
        assert_eq!(report["variants"][0]["accuracy"]["value"], 0.5, "{report}");
        assert!(model.requests().iter().any(|request| request.prompt == "A: =own formula"));
    }
}

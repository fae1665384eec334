//! How fast `eval` is, and how much memory it takes: `cargo bench --profile dev -p ab --bench eval`.
//!
//! The model is a scripted server in this process, over HTTP. With 50 ms an answer the ideal time is that in which the
//! server alone would be through; with 0 ms the tool itself is measured, and the server beside it.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault, and prints")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use e2e::model_server::{ModelServer, Reply};

fn main() {
    let concurrency = 32;
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("spin.toml"),
        "spin_manifest_version = 2\n[application]\nname = \"bench\"\n",
    )
    .unwrap();
    for name in ["a", "b"] {
        fs::write(
            folder.path().join(format!("{name}.txt")),
            format!("{name}, in one word.\nUser: {{SENTENCE}}"),
        )
        .unwrap();
    }
    let model = ModelServer::start().unwrap();
    let run = |sentences: u32, more: &str| evaluate(folder.path(), &model, sentences, concurrency, more);

    let (time, _) = run(20_000, "--cache quick.db");
    println!("answers at once: {:>8.0} sentences/s, {:>6.0} answers/s", 20_000.0 / time, 40_000.0 / time);
    let (time, _) = run(20_000, "--cache quick.db");
    println!("all kept before: {:>8.0} sentences/s", 20_000.0 / time);

    let (_, small) = run(2_000, "--cache small.db --format csv --output small.csv");
    let (_, large) = run(100_000, "--cache large.db --format csv --output large.csv");
    println!("memory:          {small:>8} KiB for 2,000 sentences, {large} KiB for 100,000");

    let delay = Duration::from_millis(50);
    model.answer_with(Reply::from("neutral").after(delay));
    let (time, _) = run(10_000, "--cache slow.db");
    let ideal = 20_000.0 * delay.as_secs_f64() / f64::from(concurrency);
    println!(
        "answers in 50 ms: {time:>7.1} s for 10,000 sentences, {:.3} of the ideal {ideal:.1} s",
        time / ideal
    );
}

/// The time that an evaluation of two prompts takes, in seconds, and the memory, in KiB.
fn evaluate(folder: &Path, model: &ModelServer, sentences: u32, concurrency: u32, more: &str) -> (f64, u64) {
    let mut data = String::from("sentence,expected\n");
    for number in 0..sentences {
        let _ = writeln!(data, "Sentence {number} of a length that people write in a message.,neutral");
    }
    fs::write(folder.join("data.csv"), data).unwrap();
    let line = format!(
        "eval --data data.csv --prompt-file a.txt --prompt-file b.txt --model m --url {} --concurrency {concurrency} {more}",
        model.url()
    );
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ab"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let exit = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak =
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
        most = most.max(peak.unwrap_or(0));
        match child.try_wait().unwrap() {
            Some(exit) => break exit,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(exit.success(), "{exit}");
    (started.elapsed().as_secs_f64(), most)
}

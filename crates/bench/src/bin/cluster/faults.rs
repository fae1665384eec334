//! Every fault that a cluster should survive, one after another, under load.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::cluster::Cluster;
use e2e::cluster::faults::{FAULTS, Fault, NODES, Outcome, Phase};
use tokio::runtime::Runtime;

/// How long each fault lasts unless told otherwise.
const EACH: Duration = Duration::from_secs(5);

/// How long each fault lasts, from the arguments: `--seconds N` of each, or `--minutes N` for all of them with the time before and after.
pub(crate) fn duration(arguments: &[&str]) -> anyhow::Result<Duration> {
    match *arguments {
        [] => Ok(EACH),
        ["--seconds", seconds] => {
            Ok(Duration::from_secs(seconds.parse().context("--seconds takes a whole number")?))
        }
        ["--minutes", minutes] => {
            let all = Duration::from_mins(minutes.parse().context("--minutes takes a whole number")?);
            Ok(all / u32::try_from(FAULTS.len())? * 4 / 7)
        }
        _ => anyhow::bail!("usage: cluster faults [--seconds N | --minutes N]"),
    }
}

/// Makes each fault for so long, with a quarter of it before and half of it after, and prints.
pub(crate) fn run(runtime: &Runtime, each: Duration) -> anyhow::Result<()> {
    let Some(mut cluster) = runtime.block_on(Cluster::start(NODES, |app| app.variable("shadow", "1"))) else {
        anyhow::bail!("it needs HAProxy and Redis: `apt-get install haproxy redis-server`");
    };
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header([
        "fault",
        "answered",
        "503, try again",
        "other failures",
        "wrong",
        "no answer for",
        "slowest answer",
        "disturbed",
        "lost: answers, votes, annotations",
        "tallies off by",
    ]);
    let mut breaches = Vec::new();
    for fault in FAULTS {
        eprintln!("{} …", fault.name);
        let outcome = fault.strike(&mut cluster, |phase, _| {
            std::thread::sleep(match phase {
                Phase::Before => each / 4,
                Phase::During => each,
                Phase::After => each / 2,
            });
        });
        table.add_row(row(&fault, &outcome));
        breaches.extend(outcome.breaches);
        // So that the next fault answers for its own.
        cluster.command(&["recount"]);
    }
    writeln!(std::io::stdout().lock(), "{table}")?;
    anyhow::ensure!(breaches.is_empty(), "more was lost than may be:\n{}", breaches.join("\n"));
    Ok(())
}

fn row(fault: &Fault, Outcome { seen, audit, .. }: &Outcome) -> [String; 10] {
    let failed: Vec<String> = seen.failed.iter().map(|(what, count)| format!("{count} × {what}")).collect();
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    [
        fault.name.to_owned(),
        seen.answered.to_string(),
        seen.later.to_string(),
        if failed.is_empty() { "0".to_owned() } else { failed.join(", ") },
        (seen.wrong + audit.differing).to_string(),
        seconds(seen.longest_silence),
        seconds(seen.slowest),
        format!("{:.1} s", seen.disturbed.as_secs_f64()),
        format!("{}, {}, {}", audit.answers.len(), audit.votes.len(), audit.annotations.len()),
        match (audit.uncounted, audit.overcounted) {
            (0, 0) => "0".to_owned(),
            (less, 0) => format!("-{less}"),
            (0, more) => format!("+{more}"),
            (less, more) => format!("-{less}, +{more}"),
        },
    ]
}

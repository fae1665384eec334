//! How fast an answer from the store is: the app on the embedded runtime, beside a native server that makes the same
//! two reads, and beside a component that makes the app's host calls and nothing else. `cargo run --bin bench`.
//!
//! All three serve from an SQLite store of the same content, get the same requests from the same load generator on
//! the same cores, in turn. They take several turns, and the figures are medians: a machine is not always equally fast, least
//! of all one that is shared, and what slows down a turn slows down all three.
//!
//! `cargo run --bin bench -- dist` measures the programs of the profile `dist` beside them, in the same turns.
//!
//! `-- explorer` measures the explorer over a large store instead, `-- results` what the results cost
//! however many records there are, `-- records [MOST]` what everything else costs as they grow, `-- shadow` what shadow answers cost those
//! who are served, `-- attack` an ordinary client while others attack the app, `-- kills` what is left of a runtime that is killed under
//! load, `-- chaos [--seconds N] [--seed N]` whether everything that was acknowledged is there after faults of all kinds, `-- logs` what a
//! day's lines of log take.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures for people need three digits"
)]

mod attack;
mod chaos;
mod explorer;
mod kills;
mod load;
mod logs;
mod native;
mod process;
mod records;
mod report;
mod results;
mod shadow;
mod subjects;

use std::net::TcpListener;
use std::time::Duration;

use anyhow::Context as _;

use crate::subjects::{Programs, Turn};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // How the benchmark starts the native server: as a process of its own, so that its CPU and memory can be told.
        ["native", store] => native::serve(TcpListener::bind("127.0.0.1:0")?, store.as_ref()),
        ["explorer"] => explorer::run(),
        ["kills"] => kills::run(),
        ["results"] => results::run(Duration::from_secs(10)),
        ["records", ref options @ ..] => records::run(options),
        ["shadow"] => shadow::run(Duration::from_secs(2)),
        ["attack"] => attack::run(Duration::from_secs(20)),
        ["chaos", ref options @ ..] => chaos::run(&chaos::Options::parse(options)?),
        ["logs"] => logs::run(100),
        ["logs", millions] => logs::run(millions.parse().context("millions of lines")?),
        [] => run(TURN, &[Programs::own()?]),
        ["dist"] => run(TURN, &[Programs::own()?, Programs::dist()?]),
        [seconds] => {
            let seconds = seconds.parse().context("the argument is the seconds for the load of a turn")?;
            run(Duration::from_secs(seconds), &[Programs::own()?])
        }
        _ => anyhow::bail!(
            "usage: bench [SECONDS | dist | explorer | results | records [MOST] | shadow | attack | kills | chaos [--seconds N] [--seed N] | logs [MILLIONS]]"
        ),
    }
}

/// How often each server is measured.
const TURNS: usize = 5;

/// How long each is under load in a turn.
const TURN: Duration = Duration::from_secs(3);

fn run(each: Duration, programs: &[Programs]) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    subjects::build()?;
    let subjects = subjects::all(folder.path(), programs)?;
    for subject in subjects.as_flattened() {
        subject.fill_caches()?;
    }
    let mut turns: Vec<[Vec<Turn>; 3]> = programs.iter().map(|_| Default::default()).collect();
    for turn in 1..=TURNS {
        for (subject, turns) in subjects.as_flattened().iter().zip(turns.as_flattened_mut()) {
            eprintln!("Turn {turn} of {TURNS}: {} …", subject.name);
            turns.push(subject.measure(each)?);
        }
    }
    report::print(programs, &subjects, &turns)
}

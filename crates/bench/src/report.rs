//! The figures, side by side.

use std::io::Write as _;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::subjects::{Programs, Subject, Turn};

type Figure = (&'static str, fn(&[Turn]) -> String);

/// Prints a column for each server, of the medians of its turns; below, for each profile, what the app reaches of the others.
pub(crate) fn print(
    programs: &[Programs],
    subjects: &[[Subject; 3]],
    turns: &[[Vec<Turn>; 3]],
) -> anyhow::Result<()> {
    let figures: [Figure; 8] = [
        ("requests/s, 32 connections", |turns| format!("{:.0}", median(turns, |turn| turn.load.rate()))),
        ("… latency, 50 % and 99 %", |turns| {
            let percentile = |share| median(turns, |turn| millis(turn.load.percentile(share)));
            format!("{:.2} / {:.2} ms", percentile(0.5), percentile(0.99))
        }),
        ("… CPU per request", |turns| {
            format!("{:.1} µs", median(turns, |turn| millis(turn.cpu_per_request)) * 1e3)
        }),
        ("requests/s, one connection", |turns| format!("{:.0}", median(turns, |turn| turn.alone.rate()))),
        ("… latency, 50 % and 99 %", |turns| {
            let percentile = |share| median(turns, |turn| millis(turn.alone.percentile(share)));
            format!("{:.2} / {:.2} ms", percentile(0.5), percentile(0.99))
        }),
        ("… the longest of all", |turns| {
            let longest = turns.iter().map(|turn| turn.alone.percentile(1.0)).max().unwrap_or_default();
            format!("{:.2} ms", millis(longest))
        }),
        ("memory, idle and under load", |turns| {
            let idle = median(turns, |turn| mebi(turn.idle_memory));
            let loaded = median(turns, |turn| mebi(turn.loaded_memory));
            format!("{idle:.1} / {loaded:.1} MiB")
        }),
        ("start to first answer", |turns| {
            format!("{:.0} ms", median(turns, |turn| millis(turn.first_answer)))
        }),
    ];
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(std::iter::once("").chain(subjects.as_flattened().iter().map(|subject| &*subject.name)));
    for (name, figure) in figures {
        let figures = turns.as_flattened().iter().map(|turns| figure(turns));
        table.add_row(std::iter::once(name.to_owned()).chain(figures));
    }
    let mut sizes = vec!["component".to_owned()];
    for subject in subjects.as_flattened() {
        let size = subject.component_size()?;
        sizes.push(size.map_or_else(String::new, |bytes| format!("{:.0} KB", bytes as f64 / 1e3)));
    }
    table.add_row(sizes);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    for (programs, [native, bare, app]) in programs.iter().zip(turns) {
        writeln!(
            out,
            "\n{}: the app's requests/s are {} of the native server's, {} of the bare component's.",
            programs.profile,
            reached(app, native),
            reached(app, bare)
        )?;
    }
    Ok(())
}

/// What `of` is of `other`: turns with turns beside them, since these had the same machine.
fn reached(of: &[Turn], other: &[Turn]) -> String {
    let mut shares: Vec<f64> =
        of.iter().zip(other).map(|(of, other)| of.load.rate() / other.load.rate()).collect();
    let middle = middle(&mut shares);
    let [Some(least), Some(most)] = [shares.first(), shares.last()] else { return String::new() };
    format!("{middle:.2} ({least:.2} to {most:.2})")
}

fn median(turns: &[Turn], figure: impl Fn(&Turn) -> f64) -> f64 {
    middle(&mut turns.iter().map(figure).collect::<Vec<_>>())
}

/// Sorts; the median of an odd number of figures.
fn middle(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mebi(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

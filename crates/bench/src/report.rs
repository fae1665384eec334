//! The figures, side by side.

use std::io::Write as _;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;

use crate::subjects::Measured;

type Figure = (&'static str, fn(&Measured) -> String);

/// Prints a column for each server; below, what the app reaches of the others.
pub(crate) fn print(measured: &[Measured]) -> anyhow::Result<()> {
    let figures: [Figure; 9] = [
        ("requests/s, 32 connections", |m| format!("{:.0}", m.load.rate())),
        ("… latency, 50 % and 99 %", |m| both(&m.load.percentile(0.5), &m.load.percentile(0.99))),
        ("… CPU per request", |m| format!("{:.1} µs", micros(&m.cpu_per_request))),
        ("requests/s, one connection", |m| format!("{:.0}", m.alone.rate())),
        ("… latency, 50 % and 99 %", |m| both(&m.alone.percentile(0.5), &m.alone.percentile(0.99))),
        ("… the longest", |m| format!("{:.2} ms", micros(&m.alone.percentile(1.0)) / 1e3)),
        ("memory, idle and under load", |m| {
            format!("{:.1} / {:.1} MiB", mebi(m.idle_memory), mebi(m.loaded_memory))
        }),
        ("start to first answer", |m| format!("{:.0} ms", micros(&m.first_answer) / 1e3)),
        ("component", |m| {
            m.component_size.map_or_else(String::new, |size| format!("{:.0} KB", size as f64 / 1e3))
        }),
    ];
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(std::iter::once("").chain(measured.iter().map(|m| m.name)));
    for (name, figure) in figures {
        table.add_row(std::iter::once(name.to_owned()).chain(measured.iter().map(figure)));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{table}")?;
    if let [native, bare, app] = measured {
        let of = |other: &Measured| app.load.rate() / other.load.rate();
        writeln!(
            out,
            "\nThe app's requests/s: {:.2} of the native server's, {:.2} of the bare component's.",
            of(native),
            of(bare)
        )?;
    }
    Ok(())
}

fn both(one: &Duration, other: &Duration) -> String {
    format!("{:.2} / {:.2} ms", micros(one) / 1e3, micros(other) / 1e3)
}

fn micros(time: &Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn mebi(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

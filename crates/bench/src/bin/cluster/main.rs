//! The app on three nodes of this machine: `cargo run --bin cluster`. `HAProxy` deals requests to them; stores and journal are in a Redis
//! with a replica, reached through `HAProxy` as through a Service of Kubernetes. Ctrl-C ends it.
//!
//! `cargo run --bin cluster -- faults [--seconds N | --minutes N]` breaks it in every way that it should survive, under load, and prints what
//! clients saw and what was lost; it fails where that is more than may be. `-- nodes` says how many cached answers one, two and three nodes
//! give. The figures are in `docs/scaling.md`.

#![expect(clippy::cast_precision_loss, reason = "figures for people need three digits")]

mod faults;
mod nodes;

use std::io::Write as _;

use e2e::app::CREDENTIALS;
use e2e::cluster::Cluster;
use e2e::cluster::faults::NODES;
use e2e::explorer::ROUTE;
use tokio::runtime::Runtime;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve(&runtime),
        ["nodes"] => nodes::run(&runtime),
        ["faults", ref options @ ..] => faults::run(&runtime, faults::duration(options)?),
        _ => anyhow::bail!("usage: cluster [faults [--seconds N | --minutes N] | nodes]"),
    }
}

/// Runs until Ctrl-C.
fn serve(runtime: &Runtime) -> anyhow::Result<()> {
    let Some(cluster) = runtime.block_on(Cluster::start(NODES, |app| app)) else {
        anyhow::bail!("a cluster needs HAProxy and Redis: `apt-get install haproxy redis-server`");
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "The app       {}", cluster.url("/"))?;
    writeln!(out, "The explorer  {}/  ({CREDENTIALS})", cluster.url(ROUTE))?;
    for (number, node) in cluster.running().enumerate() {
        writeln!(out, "Node {}        {}", number + 1, node.app.url("/"))?;
    }
    writeln!(
        out,
        "Redis         127.0.0.1:{} and its replica 127.0.0.1:{}; the primary one always at 127.0.0.1:{}",
        cluster.primary.port, cluster.replica.port, cluster.haproxy.redis_port
    )?;
    writeln!(
        out,
        "A scripted model answers: `positive` to the prompt of one variant, `negative` to that of the other. Ctrl-C ends everything."
    )?;
    drop(out);
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}

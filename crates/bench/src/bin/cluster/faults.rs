//! Every fault that a cluster should survive, one after another, under load.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::app::SECOND;
use e2e::cluster::Cluster;
use e2e::cluster::wire::Quality;
use e2e::model_server::Reply;
use experiment::journal::Annotation;
use tokio::runtime::Runtime;

use crate::NODES;
use crate::client::{self, Seen};

/// Clients that each send one request after another.
const CLIENTS: usize = 8;

/// A fault: its name, how it is made, and how it is mended.
type Fault = (&'static str, fn(&mut Cluster), fn(&mut Cluster));

const FAULTS: [Fault; 11] = [
    ("none", |_| {}, |_| {}),
    ("a node killed", |cluster| cluster.kill(0), |cluster| cluster.add(0)),
    ("a node added", |cluster| cluster.add(NODES), |_| {}),
    ("a node drained and ended", |cluster| cluster.remove(NODES), |_| {}),
    (
        "nodes replaced, one by one",
        |cluster| (0..NODES).for_each(|slot| cluster.replace(slot, |app| app)),
        |_| {},
    ),
    (
        "the model down on one node",
        |cluster| break_model(cluster, true),
        |cluster| break_model(cluster, false),
    ),
    (
        "Redis 200 ms away",
        |cluster| set_wires(cluster, Quality::Slow(Duration::from_millis(100))),
        |cluster| set_wires(cluster, Quality::Good),
    ),
    (
        "one node cut off from Redis",
        |cluster| cluster.node(0).wire.set(Quality::Cut),
        |cluster| cluster.node(0).wire.set(Quality::Good),
    ),
    ("Redis full", |cluster| limit_memory(cluster, "1"), |cluster| limit_memory(cluster, "0")),
    ("Redis killed and restarted", |cluster| cluster.primary.start_again(&[]), |_| {}),
    ("Redis failed over to its replica", Cluster::fail_over, |_| {}),
];

/// Makes each fault for so long, and prints.
pub(crate) fn run(runtime: &Runtime, each: Duration) -> anyhow::Result<()> {
    let Some(mut cluster) = runtime.block_on(Cluster::start(NODES, |app| app)) else {
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
        "disturbed",
        "slowest answer",
        "lost: answers, votes, annotations",
    ]);
    for (number, (name, make, mend)) in FAULTS.into_iter().enumerate() {
        eprintln!("{name} …");
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Seen::default())));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let name = format!("Sentence {number} {client}");
                runtime.spawn(client::run(cluster.url(""), name, Arc::clone(&stop), Arc::clone(&seen)))
            })
            .collect();
        std::thread::sleep(each / 4);
        make(&mut cluster);
        std::thread::sleep(each);
        mend(&mut cluster);
        std::thread::sleep(each / 2);
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            runtime.block_on(client)?;
        }
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let failed: Vec<String> =
            seen.failed.iter().map(|(what, count)| format!("{count} × {what}")).collect();
        let [answers, votes, annotations] = lost(&cluster, &seen)?;
        table.add_row([
            name.to_owned(),
            seen.answered.to_string(),
            seen.later.to_string(),
            if failed.is_empty() { "0".to_owned() } else { failed.join(", ") },
            seen.wrong.to_string(),
            format!("{:.1} s", seen.disturbed().as_secs_f64()),
            format!("{:.2} s", seen.slowest.as_secs_f64()),
            format!("{answers}, {votes}, {annotations}"),
        ]);
    }
    Ok(writeln!(std::io::stdout().lock(), "{table}")?)
}

/// How many answers, votes and annotations were acknowledged and are not in the stores.
fn lost(cluster: &Cluster, seen: &Seen) -> anyhow::Result<[usize; 3]> {
    let connect = |database: u8| -> anyhow::Result<_> {
        Ok(redis::Client::open(cluster.primary.url(database))?.get_connection()?)
    };
    let mut stores = [connect(0)?, connect(1)?];
    let mut journal = connect(2)?;
    let keys: Vec<String> = redis::cmd("KEYS").arg("annotation:*").query(&mut journal)?;
    let mut annotated = BTreeSet::new();
    for keys in keys.chunks(500) {
        let values: Vec<Option<Vec<u8>>> = redis::cmd("MGET").arg(keys).query(&mut journal)?;
        let sentences =
            values.iter().flatten().filter_map(|value| Some(Annotation::from_json(value)?.draw.sentence));
        annotated.extend(sentences);
    }
    let mut lost = [0; 3];
    for (sentence, noted) in &seen.sentences {
        let [first, second] = &mut stores;
        let store = if noted.variant == SECOND { second } else { first };
        let record: Option<String> = redis::cmd("GET").arg(sentence).query(store)?;
        lost[0] += usize::from(record.is_none());
        lost[1] += usize::from(
            noted.voted && !record.is_some_and(|record| record.contains("\"expected\":\"neutral\"")),
        );
        lost[2] += usize::from(noted.annotated && !annotated.contains(sentence));
    }
    Ok(lost)
}

fn break_model(cluster: &mut Cluster, broken: bool) {
    let reply = |right: &'static str| if broken { Reply::Status(503) } else { right.into() };
    let model = &cluster.node(0).model;
    model
        .answer_sentence("Alpha prompt", reply("positive"))
        .answer_sentence("Beta prompt", reply("negative"));
}

fn set_wires(cluster: &mut Cluster, quality: Quality) {
    cluster.running().for_each(|node| node.wire.set(quality));
}

fn limit_memory(cluster: &mut Cluster, bytes: &str) {
    cluster.primary.ask("CONFIG SET maxmemory-policy noeviction");
    cluster.primary.ask(&format!("CONFIG SET maxmemory {bytes}"));
}

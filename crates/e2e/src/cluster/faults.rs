//! Every fault that a cluster should survive, and what each may cost.

use std::fmt;
use std::time::{Duration, Instant};

use super::audit::Audit;
use super::load::{CLIENTS, Load, Seen};
use super::wire::Quality;
use super::{Cluster, model_says};
use crate::runtime::is_spin;

/// How many nodes there are without a fault.
pub const NODES: usize = 3;

/// With `appendfsync everysec`, what was written in the last second may be lost, and in the one before where the disk is slow; a replica
/// is behind by less.
const UNSYNCED: Duration = Duration::from_secs(2);

/// How long a node of Spin may write to a server that is a replica by now: until `HAProxy` has noticed and ends the connection. The embedded
/// runtime does so itself.
const APART: Duration = Duration::from_secs(3);

/// What each client may have had in flight that was recorded and not counted: an answer, one in its shadow, and a vote.
const IN_FLIGHT: u64 = 3 * CLIENTS as u64;

/// What a fault may cost, beyond requests that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// Nothing.
    Nothing,
    /// Tallies are short by what was in flight.
    Tallies,
    /// What was written just before is gone. Tallies differ by what was in flight: what was lost before it was counted is counted still.
    Unsynced,
    /// Answers are given and not recorded, and tallies are short by what was in flight.
    Records,
}

/// A fault.
#[derive(Clone, Copy)]
pub struct Fault {
    /// What happens.
    pub name: &'static str,
    make: fn(&mut Cluster),
    mend: fn(&mut Cluster),
    cost: Cost,
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// All of them, and at first none, to compare with.
pub const FAULTS: [Fault; 11] = [
    Fault { name: "none", make: |_| {}, mend: |_| {}, cost: Cost::Nothing },
    Fault {
        name: "a node killed",
        make: |cluster| cluster.kill(0),
        mend: |cluster| cluster.add(0),
        cost: Cost::Tallies,
    },
    Fault { name: "a node added", make: |cluster| cluster.add(NODES), mend: |_| {}, cost: Cost::Nothing },
    Fault {
        name: "a node drained and ended",
        make: |cluster| cluster.remove(NODES),
        mend: |_| {},
        cost: Cost::Nothing,
    },
    Fault {
        name: "nodes replaced, one by one",
        make: |cluster| (0..NODES).for_each(|slot| cluster.replace(slot, |app| app)),
        mend: |_| {},
        cost: Cost::Nothing,
    },
    Fault {
        name: "the model down on one node",
        make: |cluster| model_says(&cluster.node(0).model, false),
        mend: |cluster| model_says(&cluster.node(0).model, true),
        cost: Cost::Nothing,
    },
    Fault {
        name: "Redis 200 ms away",
        // Half of it on the way there, half on the way back.
        make: |cluster| set_wires(cluster, Quality::Slow(Duration::from_millis(100))),
        mend: |cluster| set_wires(cluster, Quality::Good),
        cost: Cost::Nothing,
    },
    Fault {
        name: "one node cut off from Redis",
        make: |cluster| cluster.node(0).wire.set(Quality::Cut),
        mend: |cluster| cluster.node(0).wire.set(Quality::Good),
        cost: Cost::Tallies,
    },
    Fault {
        name: "Redis full",
        make: |cluster| limit_memory(cluster, 1),
        mend: |cluster| limit_memory(cluster, 0),
        cost: Cost::Records,
    },
    Fault {
        name: "Redis killed and restarted",
        make: |cluster| cluster.primary.start_again(&[]),
        mend: |_| {},
        cost: Cost::Unsynced,
    },
    Fault {
        name: "Redis failed over to its replica",
        make: Cluster::fail_over,
        mend: |_| {},
        cost: Cost::Unsynced,
    },
];

/// What came of a fault.
#[derive(Debug)]
pub struct Outcome {
    /// What the clients saw.
    pub seen: Seen,
    /// What the stores held afterwards.
    pub audit: Audit,
    /// What was lost or wrong beyond what the fault may cost.
    pub breaches: Vec<String>,
}

impl Fault {
    /// Makes it under load. `pace` is called before it is made, while it lasts, and once it is mended, and returns when it is time to go on.
    pub fn strike(&self, cluster: &mut Cluster, pace: impl Fn(Phase, &Load)) -> Outcome {
        let load = Load::start(&cluster.url(""), &format!("While {}, sentence", self.name));
        pace(Phase::Before, &load);
        let made = Instant::now();
        (self.make)(cluster);
        pace(Phase::During, &load);
        (self.mend)(cluster);
        let mended = Instant::now();
        pace(Phase::After, &load);
        let seen = load.stop();
        let audit = Audit::of(cluster, &seen);
        let breaches = self.breaches(&seen, &audit, made, mended);
        Outcome { seen, audit, breaches }
    }

    fn breaches(&self, seen: &Seen, audit: &Audit, made: Instant, mended: Instant) -> Vec<String> {
        let unsynced = |at: &Instant| self.cost == Cost::Unsynced && *at + UNSYNCED > made && *at < mended;
        let unrecorded = |at: &Instant| self.cost == Cost::Records && (made..=mended + UNSYNCED).contains(at);
        let answers = audit.answers.iter().filter(|at| !unsynced(at) && !unrecorded(at)).count();
        let votes = audit.votes.iter().filter(|at| !unsynced(at)).count();
        let annotations = audit.annotations.iter().filter(|at| !unsynced(at)).count();
        let apart = match self.cost {
            // The former server refuses to count, while records, for which Spin connects anew, are written to the other.
            Cost::Unsynced if is_spin() => seen.noted(made..made + APART),
            _ => 0,
        };
        let allowed = if self.cost == Cost::Nothing { 0 } else { IN_FLIGHT + apart };
        let beyond = if self.cost == Cost::Unsynced { IN_FLIGHT } else { 0 };
        let counts = [
            (seen.wrong, "answers that their prompts do not give"),
            (answers, "answers lost"),
            (votes, "votes lost"),
            (annotations, "annotations lost"),
            (audit.differing, "records that differ from what was served"),
            (usize::from(audit.uncounted > allowed), "tallies short by more than was in flight"),
            (usize::from(audit.overcounted > beyond), "tallies beyond what the records say"),
        ];
        let breaches = counts.into_iter().filter(|(count, _)| *count > 0);
        breaches.map(|(count, what)| format!("{}: {count} × {what}", self.name)).collect()
    }
}

/// When a load is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing has happened yet.
    Before,
    /// The fault lasts.
    During,
    /// It is over.
    After,
}

fn set_wires(cluster: &mut Cluster, quality: Quality) {
    cluster.running().for_each(|node| node.wire.set(quality));
}

fn limit_memory(cluster: &mut Cluster, bytes: u64) {
    cluster.primary.ask("CONFIG SET maxmemory-policy noeviction");
    cluster.primary.ask(&format!("CONFIG SET maxmemory {bytes}"));
}

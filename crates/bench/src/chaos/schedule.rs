//! Which fault comes when: drawn from a seed, so that a run can be repeated, and printed as it happens.

use std::fmt;
use std::time::Duration;

use fuzz::random::Random;

/// A fault that lasts for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Another process keeps a store locked.
    Locked(&'static str),
    /// The disk of the stores is full.
    DiskFull,
    /// Redis is killed, and started again at the end.
    RedisDown,
    /// Nobody listens where the model was.
    ModelDead,
    /// The model takes requests and says nothing.
    ModelHangs,
    /// The model answers with errors, pages, endless and broken bodies, and nonsense.
    ModelTalksNonsense,
    /// A label is linked to one store and the other, again and again.
    LinksFlip,
    /// Clients stall, half-close and send oversized heads and noise.
    RoughClients,
}

/// Every kind of fault.
const KINDS: [Fault; 10] = [
    Fault::Locked("case-a"),
    Fault::Locked("case-c"),
    Fault::Locked("journal"),
    Fault::DiskFull,
    Fault::RedisDown,
    Fault::ModelDead,
    Fault::ModelHangs,
    Fault::ModelTalksNonsense,
    Fault::LinksFlip,
    Fault::RoughClients,
];

/// A fault and its time, from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) fault: Fault,
}

/// What happens to the app.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// One after another.
    pub(crate) steps: Vec<Step>,
    /// When the runtime is killed, whatever else happens. Not in the second half, so that its memory is seen for long.
    pub(crate) kills: Vec<Duration>,
}

impl Schedule {
    /// Every fault at least once, in random order, within `total`.
    pub(crate) fn new(seed: u64, total: Duration) -> Self {
        let mut random = Random::new(seed);
        let seconds = total.as_secs_f64();
        // A fault for each sixth of a minute, and a pause behind it.
        let rounds = (seconds / 10.0 / KINDS.len() as f64).max(1.0) as usize;
        let slot = seconds * 0.95 / (rounds * KINDS.len()) as f64;
        let mut steps = Vec::new();
        for round in 0..rounds {
            let mut kinds = KINDS;
            for index in (1..kinds.len()).rev() {
                kinds.swap(index, random.below(index + 1));
            }
            for (index, fault) in kinds.into_iter().enumerate() {
                let from = (round * KINDS.len() + index) as f64 * slot;
                // A lock that lasts longer than it is waited for, and one that does not.
                let length = slot * (0.4 + 0.4 * share(&mut random));
                let [from, until] = [from, from + length].map(Duration::from_secs_f64);
                steps.push(Step { from, until, fault });
            }
        }
        let number = (seconds / 30.0).max(2.0) as usize;
        let mut kills: Vec<_> =
            (0..number).map(|_| total.mul_f64(0.02 + 0.48 * share(&mut random))).collect();
        kills.sort_unstable();
        Self { steps, kills }
    }
}

/// A number from 0 to 1.
fn share(random: &mut Random) -> f64 {
    random.below(1 << 20) as f64 / f64::from(1 << 20)
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked(store) => return write!(f, "the store {store} is locked"),
            Self::DiskFull => "the disk is full",
            Self::RedisDown => "Redis is killed",
            Self::ModelDead => "the model is dead",
            Self::ModelHangs => "the model hangs",
            Self::ModelTalksNonsense => "the model talks nonsense",
            Self::LinksFlip => "links flip",
            Self::RoughClients => "clients stall, half-close, send oversized heads and noise",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until, fault } = self;
        write!(f, "{:6.1} s to {:6.1} s: {fault}", from.as_secs_f64(), until.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_fault_comes_and_the_order_is_the_seeds() {
        for seconds in [20, 600] {
            let total = Duration::from_secs(seconds);
            let schedule = Schedule::new(1, total);
            let kinds: BTreeSet<_> = schedule.steps.iter().map(|step| step.fault).collect();
            assert_eq!(kinds, KINDS.into());
            assert!(schedule.steps.windows(2).all(|pair| pair[0].until <= pair[1].from));
            assert!(schedule.steps.iter().all(|step| step.from < step.until && step.until < total));
            assert!(schedule.kills.iter().all(|kill| *kill <= total / 2));
            let shown = |schedule: Schedule| schedule.steps.iter().map(Step::to_string).collect::<Vec<_>>();
            assert_eq!(shown(Schedule::new(1, total)), shown(schedule));
            assert_ne!(shown(Schedule::new(1, total)), shown(Schedule::new(2, total)));
        }
    }
}

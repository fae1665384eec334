//! What the server is told to do, and what it remembers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::request::{ModelRequest, Reply};
use super::strict::Strictness;

#[derive(Debug, Default)]
pub(super) struct State {
    script: Mutex<Script>,
    requests: Mutex<Vec<ModelRequest>>,
    pub(super) in_flight: watch::Sender<InFlight>,
    pub(super) held: watch::Sender<bool>,
}

#[derive(Debug)]
pub(super) struct Script {
    pub(super) default: Reply,
    pub(super) sentences: Vec<(String, Reply)>,
    pub(super) failures: Option<Failures>,
    pub(super) strictness: Strictness,
}

#[derive(Debug)]
pub(super) struct Failures {
    pub(super) percent: u8,
    pub(super) random: u64,
    pub(super) reply: Reply,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InFlight {
    pub(super) now: usize,
    pub(super) most: usize,
    pub(super) abandoned: usize,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            default: "neutral".into(),
            sentences: Vec::new(),
            failures: None,
            strictness: Strictness::default(),
        }
    }
}

impl Script {
    fn reply_to(&mut self, sentence: &str) -> Reply {
        if let Some(failures) = &mut self.failures
            && next_random(&mut failures.random) % 100 < u64::from(failures.percent)
        {
            return failures.reply.clone();
        }
        let rule = self.sentences.iter().rev().find(|(part, _)| sentence.contains(part));
        rule.map_or(&self.default, |(_, reply)| reply).clone()
    }
}

impl State {
    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn requests(&self) -> MutexGuard<'_, Vec<ModelRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reply to a request, when its time has come.
    pub(super) async fn reply(&self, request: &ModelRequest) -> Reply {
        let mut reply = self.script().reply_to(request.sentence());
        let mut waiting = Waiting::new(self);
        // Whoever holds the answers lets go by dropping; the sender is in the state, so the channel cannot close.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        while let Reply::After(delay, later) = reply {
            tokio::time::sleep(delay).await;
            reply = *later;
        }
        waiting.is_over = true;
        reply
    }
}

/// Counts a request for as long as it waits, even if its client gives up.
struct Waiting<'a> {
    state: &'a State,
    /// Whether the answer came first.
    is_over: bool,
}

impl<'a> Waiting<'a> {
    fn new(state: &'a State) -> Self {
        state.in_flight.send_modify(|in_flight| {
            in_flight.now += 1;
            in_flight.most = in_flight.most.max(in_flight.now);
        });
        Self { state, is_over: false }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.state.in_flight.send_modify(|in_flight| {
            in_flight.now -= 1;
            in_flight.abandoned += usize::from(!self.is_over);
        });
    }
}

/// The next number of `SplitMix64` (Steele, Lea and Flood 2014).
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

//! The app on several nodes of this machine: `HAProxy` deals requests to them, and leads their stores to the Redis server that is the
//! primary one, as a Kubernetes Service would.
//!
//! - [`haproxy`]: both of its tasks; [`wire`]: what lies between a node and the stores, and can be made slow or silent.
//! - [`load`]: clients; [`faults`]: what can happen to all that; [`audit`]: what the stores hold afterwards.

pub mod haproxy;
pub mod wire;

pub mod audit;
pub mod faults;
pub mod load;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use self::haproxy::{HaProxy, SLOTS};
use self::wire::Wire;
use crate::app::{App, AppBuilder, CREDENTIALS, FIRST, JOURNAL, SECOND, SENTIMENT};
use crate::explorer::Explorer;
use crate::model_server::{ModelServer, Reply};
use crate::process::until;
use crate::redis_server::RedisServer;
use crate::response::Response;
use crate::runtime::is_spin;

/// What each Redis server is started with: a journal on disk, written every second.
const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "everysec"];

/// Spin ends at once, so a drained node is left alone until it has done what follows an answer. `preStop` in `deploy/hardening.yaml`
/// gives it 35 s.
const PRE_STOP: Duration = Duration::from_secs(2);

/// The prompts of the variants, in the experiment's order. The scripted models answer by them.
pub const PROMPTS: [(&str, &str); 2] =
    [(FIRST, "Alpha prompt: {SENTENCE}"), (SECOND, "Beta prompt: {SENTENCE}")];

/// A node: the app, its model, and its way to the stores.
#[derive(Debug)]
pub struct Node {
    /// The app, reachable without `HAProxy` as well.
    pub app: App,
    /// Its own model.
    pub model: ModelServer,
    /// To the stores.
    pub wire: Wire,
}

/// A cluster. It ends with this value.
#[derive(Debug)]
pub struct Cluster {
    /// By slot; `None` where there is no node.
    pub nodes: Vec<Option<Node>>,
    /// The Redis server that is the primary one at first.
    pub primary: RedisServer,
    /// Its replica at first.
    pub replica: RedisServer,
    /// In front of the nodes and of Redis.
    pub haproxy: HaProxy,
    client: Client,
    builder: AppBuilder,
}

impl Cluster {
    /// Starts so many nodes of an app that `change` makes of the ordinary one; `None` where `HAProxy` or Redis is not installed.
    pub async fn start(nodes: usize, change: impl FnOnce(AppBuilder) -> AppBuilder) -> Option<Self> {
        let primary = RedisServer::start(&DURABLE)?;
        let replica = RedisServer::start(&DURABLE)?;
        replica.ask(&format!("REPLICAOF 127.0.0.1 {}", primary.port));
        let haproxy = HaProxy::start([primary.port, replica.port])?;
        let client = Client::builder().no_proxy().build().unwrap();
        let nodes = nodes.min(SLOTS);
        let builder = change(App::builder());
        let mut cluster = Self { nodes: Vec::new(), primary, replica, haproxy, client, builder };
        cluster.haproxy.wait_for("redis", "primary", "UP");
        until("the replica follows", || {
            cluster.replica.ask("INFO replication").contains("master_link_status:up")
        });
        for slot in 0..SLOTS {
            cluster.nodes.push(None);
            if slot < nodes {
                cluster.add(slot);
            }
        }
        for (label, prompt) in PROMPTS {
            let written = cluster.explorer().set(label, "prompt", prompt).await;
            assert_eq!(written.status, 200, "{}", written.text());
        }
        Some(cluster)
    }

    /// Starts a node and lets `HAProxy` deal requests to it.
    pub fn add(&mut self, slot: usize) {
        let wire = Wire::to(self.haproxy.redis_port);
        let model = ModelServer::start().unwrap();
        model_says(&model, true);
        let mut builder = self.builder.clone().model(&model);
        for (label, database) in [(FIRST, 0), (SECOND, 1), (JOURNAL, 2)] {
            builder = builder.redis(label, wire.url(database));
        }
        let node = Node { app: builder.start(), model, wire };
        self.haproxy.lead(slot, node.app.address());
        self.nodes[slot] = Some(node);
    }

    /// The node in a slot.
    pub fn node(&self, slot: usize) -> &Node {
        self.nodes[slot].as_ref().unwrap_or_else(|| panic!("there is no node {slot}"))
    }

    /// The nodes that there are.
    pub fn running(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten()
    }

    /// Starts a node again in another way, as a rolling update does: it gets no new requests, finishes those it has, and ends.
    pub fn replace(&mut self, slot: usize, change: impl FnOnce(AppBuilder) -> AppBuilder) {
        if let Some(Node { app, model, wire }) = self.end(slot) {
            let app = app.restart(change);
            self.haproxy.lead(slot, app.address());
            self.nodes[slot] = Some(Node { app, model, wire });
        }
    }

    /// Ends a node for good, as a scaling down does.
    pub fn remove(&mut self, slot: usize) {
        self.end(slot);
    }

    fn end(&mut self, slot: usize) -> Option<Node> {
        self.haproxy.drain(slot);
        let mut node = self.nodes[slot].take()?;
        if is_spin() {
            thread::sleep(PRE_STOP);
        }
        node.app.process().signal("TERM");
        node.app.wait();
        Some(node)
    }

    /// Ends a node without a warning.
    pub fn kill(&mut self, slot: usize) {
        if let Some(node) = self.nodes[slot].take() {
            node.app.process().signal("KILL");
        }
    }

    /// Kills the primary Redis server, lets its replica take over, and starts the former as the replica of that one.
    pub fn fail_over(&mut self) {
        self.primary.kill();
        self.replica.ask("REPLICAOF NO ONE");
        self.haproxy.wait_for("redis", "replica", "UP");
        self.primary.start_again(&["--replicaof", "127.0.0.1", &self.replica.port.to_string()]);
        std::mem::swap(&mut self.primary, &mut self.replica);
    }

    /// An address of the app, behind `HAProxy`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.haproxy.port)
    }

    /// A request to whichever node's turn it is.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Asks any node for the sentiment of a sentence, whatever the answer.
    pub async fn try_ask(&self, sentence: &str) -> Response {
        let request = self.request(Method::POST, SENTIMENT).json(&json!({ "sentence": sentence }));
        Response::of(request).await.unwrap()
    }

    /// What a node says at a path of its own, not through `HAProxy`.
    pub async fn get_from(&self, slot: usize, path: &str) -> Value {
        self.node(slot).app.get(path).await.json()
    }

    /// What the store of a label holds.
    pub fn rows(&self, label: &str) -> BTreeMap<String, Vec<u8>> {
        self.running().next().unwrap().app.rows(label)
    }

    /// A command of the command line's, for the app of any node, which has to succeed; what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        let output = self.running().next().unwrap().app.command(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The explorer of any node.
    pub fn explorer(&self) -> Explorer {
        Explorer::new(self.client.clone(), &self.url("")).with_credentials(CREDENTIALS)
    }
}

/// Lets a node's model answer by the prompt, or not at all.
fn model_says(model: &ModelServer, anything: bool) {
    for (prompt, outcome) in [("Alpha prompt", "positive"), ("Beta prompt", "negative")] {
        let reply = if anything { outcome.into() } else { Reply::Status(503) };
        model.answer_sentence(prompt, reply);
    }
}

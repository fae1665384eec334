//! The app on a free port, with links and stores of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::artifacts;
use crate::explorer::Explorer;
use crate::model_server::ModelServer;
use crate::process::{PATIENCE, Process};
use crate::raw::Raw;
use crate::response::{Classification, Response};
use crate::runtime::{Launch, clean_environment};
use crate::store::StoreFile;

/// The path of the API.
pub const SENTIMENT: &str = "/api/sentiment-analysis";

/// The label of the first variant: unless told otherwise, it is linked to the store `case-a`, with the prompt of that name.
pub const FIRST: &str = "promptstore1";

/// The label of the second variant: unless told otherwise, it is linked to the store `case-b`, with the prompt of that name.
pub const SECOND: &str = "promptstore2";

/// The label of the experiment's own store, and that store's name.
pub const JOURNAL: &str = "journal";

/// The start of the keys of tallies.
pub const TALLIES: &str = "tally:";

/// The model's name, unless told otherwise; that of the manifest's default is for the offline model alone.
pub const MODEL: &str = "llama2-chat";

/// The folder of the stores' files in the app's folder.
const STORES: &str = "stores";

/// The explorer's credentials, unless told otherwise. What can go wrong with them is part of them.
pub const CREDENTIALS: &str = "ada:pâss:wörd 🔑";

/// Keys with their values.
type Entries = Vec<(String, Vec<u8>)>;

/// An app to be.
#[derive(Clone, Debug)]
pub struct AppBuilder {
    links: BTreeMap<String, Link>,
    model: Option<String>,
    variables: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    /// The folder of the app, whose manifest it is unless there is another.
    app: &'static Path,
    manifest: Option<String>,
    dotenv: Option<String>,
    /// Where the stores' files are, unless in the app's folder.
    stores: Option<PathBuf>,
    /// Stores that no label is linked to at first, by name, each with the label of its entries.
    unlinked: Vec<(String, String, Entries)>,
}

#[derive(Clone, Debug)]
enum Link {
    /// The store of this name, with these entries at first.
    File {
        name: String,
        entries: Entries,
    },
    Redis {
        url: String,
    },
}

/// A running app. It ends with this value; when the test fails, what it printed is shown.
#[derive(Debug)]
pub struct App {
    process: Process,
    address: SocketAddr,
    client: Client,
    builder: AppBuilder,
    folder: TempDir,
}

impl App {
    /// The app of the repository, with the article's two stores and no model.
    pub fn builder() -> AppBuilder {
        let prompt = |name: &str| {
            let text = fs::read(artifacts::root().join(format!("prompts/{name}.txt"))).unwrap();
            Link::File { name: name.to_owned(), entries: vec![("prompt".to_owned(), text)] }
        };
        let journal = Link::File { name: JOURNAL.to_owned(), entries: Vec::new() };
        let links = [(FIRST, prompt("case-a")), (SECOND, prompt("case-b")), (JOURNAL, journal)];
        AppBuilder {
            links: links.into_iter().map(|(label, link)| (label.to_owned(), link)).collect(),
            model: None,
            variables: Vec::new(),
            environment: Vec::new(),
            app: artifacts::root(),
            manifest: None,
            dotenv: None,
            stores: None,
            unlinked: Vec::new(),
        }
        .credentials(CREDENTIALS)
        .variable("model", MODEL)
        // Tests count what a model is asked; theirs answers any number at the same time.
        .variable("shadow", "0")
        .variable("model_concurrency", "0")
        .variable("fresh_per_address", "0")
        .variable("fresh_in_all", "0")
    }

    /// The tests' own app, which passes requests on to the servers at `granted`; see `crates/e2e/forwarder`.
    pub fn forwarder(granted: &str) -> AppBuilder {
        let links = BTreeMap::new();
        AppBuilder { links, app: artifacts::forwarder(), ..Self::builder().no_variables() }
            .variable("granted", granted)
    }

    /// The app with a model, and no more than that.
    pub fn with(model: &ModelServer) -> Self {
        Self::builder().model(model).start()
    }

    /// The app with a model and the first variant alone.
    pub fn with_one_variant(model: &ModelServer) -> Self {
        Self::builder().model(model).variable("variants", FIRST).start()
    }

    /// An address of the app.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The app's process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The app's exit status, once it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// What a component has printed on `stdout` or `stderr`, as the log has it once `part` is in it so many times.
    pub fn log(&self, component: &str, stream: &str, part: &str, times: usize) -> String {
        let file = self.folder.path().join("logs").join(format!("{component}_{stream}.txt"));
        let patience = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(&file).unwrap_or_default();
            if text.matches(part).count() >= times {
                return text;
            }
            assert!(
                Instant::now() < patience,
                "{part:?} is not {times} times in {}:\n{text}",
                file.display()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The runtime config.
    pub fn runtime_config(&self) -> PathBuf {
        self.folder.path().join("runtime-config.toml")
    }

    /// The folder of the manifest.
    pub fn manifest_folder(&self) -> PathBuf {
        self.builder.manifest_folder(self.folder.path())
    }

    /// The file of the store of this name.
    pub fn store_file(&self, name: &str) -> StoreFile {
        store_file(self.folder.path(), name)
    }

    /// What the store of a label holds.
    pub fn rows(&self, label: &str) -> BTreeMap<String, Vec<u8>> {
        match &self.builder.links[label] {
            Link::File { name, .. } => self.store_file(name).rows(label),
            Link::Redis { .. } => self.exported(label),
        }
    }

    /// The same, as `ab kv export` says it.
    fn exported(&self, label: &str) -> BTreeMap<String, Vec<u8>> {
        let output = self.command(&["kv", "export", "--label", label]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let entry = |line: &str| {
            let entry: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| entry[name].as_str().unwrap().to_owned();
            (text("key"), BASE64_STANDARD.decode(text("value")).unwrap())
        };
        String::from_utf8(output.stdout).unwrap().lines().map(entry).collect()
    }

    /// What the store of a label holds beside tallies, which follow what they count after a while.
    pub fn kept(&self, label: &str) -> BTreeMap<String, Vec<u8>> {
        let mut rows = self.rows(label);
        rows.retain(|key, _| !key.starts_with(TALLIES));
        rows
    }

    /// What the store of a label holds beside tallies and the prompt: its keys, and the records as JSON.
    pub fn records(&self, label: &str) -> BTreeMap<String, Value> {
        let rows = self.kept(label).into_iter().filter(|(key, _)| key != "prompt");
        rows.map(|(key, value)| (key, serde_json::from_slice(&value).unwrap())).collect()
    }

    /// Sets a key in the store of a label, from outside the app.
    pub fn write(&self, label: &str, key: &str, value: impl AsRef<[u8]>) {
        self.linked_file(label).set(label, [(key, value.as_ref())]);
    }

    /// Asks for the sentiment of a sentence.
    pub async fn ask(&self, sentence: &str) -> Classification {
        self.try_ask(sentence).await.answer()
    }

    /// The same, whatever the answer.
    pub async fn try_ask(&self, sentence: &str) -> Response {
        self.post(json!({ "sentence": sentence }).to_string()).await
    }

    /// Posts any body to the API.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        let request = self.request(Method::POST, SENTIMENT).header("content-type", "application/json");
        Response::of(request.body(body)).await.unwrap()
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Response {
        Response::of(self.request(Method::GET, path)).await.unwrap()
    }

    /// A request that is yet to be sent.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// The fingerprint and the origin of each variant's prompt, in the experiment's order.
    pub async fn prompts(&self) -> Vec<(String, String)> {
        let json = self.get("/api/variants").await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let variants = json["variants"].as_array().unwrap().iter();
        variants.map(|variant| (text(&variant["fingerprint"]), text(&variant["origin"]))).collect()
    }

    /// The explorer, with the right credentials.
    pub fn explorer(&self) -> Explorer {
        Explorer::new(self.client.clone(), &self.url("")).with_credentials(CREDENTIALS)
    }

    /// A new connection.
    pub fn connect(&self) -> Raw {
        Raw::connect(self.address)
    }

    /// Ends the app and starts it again in another way, on the same stores.
    #[must_use]
    pub fn restart(self, change: impl FnOnce(AppBuilder) -> AppBuilder) -> Self {
        let Self { process, builder, folder, .. } = self;
        drop(process);
        change(builder).start_in(folder)
    }

    /// Kills the app with `SIGKILL`. It can be [started again](Self::start_again).
    pub fn kill(&mut self) {
        self.process.signal("KILL");
        self.process.wait();
    }

    /// Starts an app that was killed, with its stores and with the links that its runtime configuration has now. Its address is another
    /// one then. Where it does not start, what it printed.
    pub fn start_again(&mut self) -> Result<(), String> {
        let process = self.builder.launch(self.folder.path());
        self.address = process.try_wait_for(announced)?;
        self.process = process;
        Ok(())
    }

    /// A command of the command line's, for this app.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(artifacts::ab());
        command.args(arguments).arg("--from").arg(self.manifest_folder());
        command.arg("--runtime-config-file").arg(self.runtime_config());
        clean_environment(&mut command);
        command
    }

    fn linked_file(&self, label: &str) -> StoreFile {
        match &self.builder.links[label] {
            Link::File { name, .. } => self.store_file(name),
            Link::Redis { url } => panic!("{label} is linked to {url}"),
        }
    }
}

impl AppBuilder {
    /// Lets the model at this server answer, in Spin's own protocol.
    #[must_use]
    pub fn model(self, model: &ModelServer) -> Self {
        self.llm_compute(&model.url(), "default")
    }

    /// Lets the model at this server answer, in `OpenAI`'s protocol.
    #[must_use]
    pub fn open_ai_model(self, model: &ModelServer) -> Self {
        self.llm_compute(&model.url(), "open_ai")
    }

    /// Lets the app ask the model at this server directly, in `OpenAI`'s protocol.
    #[must_use]
    pub fn model_server(self, model: &ModelServer) -> Self {
        self.variable("model_server", &model.url())
    }

    /// Sets `url` and `api_type` of the model.
    #[must_use]
    pub fn llm_compute(self, url: &str, api: &str) -> Self {
        self.llm_compute_with_token(url, api, "scripted")
    }

    /// Lets the offline model answer, at this address, under its own name.
    #[must_use]
    pub fn offline_model(mut self, url: &str) -> Self {
        self.variables.retain(|(name, _)| name != "model");
        self.llm_compute_with_token(url, "default", "offline-model")
    }

    /// Sets `url`, `api_type` and `auth_token` of the model.
    #[must_use]
    pub fn llm_compute_with_token(mut self, url: &str, api: &str, token: &str) -> Self {
        self.model = Some(format!(
            "[llm_compute]\ntype = \"remote_http\"\nurl = \"{url}\"\nauth_token = \"{token}\"\napi_type = \"{api}\"\n"
        ));
        self
    }

    /// Links a label to a store that has these entries at first.
    #[must_use]
    pub fn store<'e>(
        mut self,
        label: &str,
        name: &str,
        entries: impl IntoIterator<Item = (&'e str, &'e [u8])>,
    ) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        self.links.insert(label.to_owned(), Link::File { name: name.to_owned(), entries });
        self
    }

    /// Makes a store with these entries that is not linked yet, but can be with this label.
    #[must_use]
    pub fn unlinked_store<'e>(
        mut self,
        label: &str,
        name: &str,
        entries: impl IntoIterator<Item = (&'e str, &'e [u8])>,
    ) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        self.unlinked.push((label.to_owned(), name.to_owned(), entries));
        self
    }

    /// Keeps the stores' files in this folder.
    #[must_use]
    pub fn stores_in(mut self, folder: &Path) -> Self {
        self.stores = Some(folder.to_owned());
        self
    }

    /// Links a label to a Redis database.
    #[must_use]
    pub fn redis(mut self, label: &str, url: String) -> Self {
        self.links.insert(label.to_owned(), Link::Redis { url });
        self
    }

    /// Sets a variable of the app.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(set, _)| set != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the explorer's credentials, as `user:password`; `:` is none.
    #[must_use]
    pub fn credentials(self, credentials: &str) -> Self {
        let (user, password) = credentials.split_once(':').unwrap();
        self.variable("kv_explorer_user", user).variable("kv_explorer_password", password)
    }

    /// Leaves all variables as they are where nobody sets any.
    #[must_use]
    pub fn no_variables(mut self) -> Self {
        self.variables.clear();
        self
    }

    /// Starts the app in a folder with this file `.env`.
    #[must_use]
    pub fn dotenv(mut self, text: &str) -> Self {
        self.dotenv = Some(text.to_owned());
        self
    }

    /// Sets an environment variable of the process.
    #[must_use]
    pub fn environment(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Replaces a part of the manifest, which then is a copy in a folder of its own.
    #[must_use]
    pub fn manifest(mut self, part: &str, by: &str) -> Self {
        let text =
            self.manifest.unwrap_or_else(|| fs::read_to_string(artifacts::root().join("spin.toml")).unwrap());
        assert!(text.contains(part), "spin.toml does not contain {part:?}");
        self.manifest = Some(text.replace(part, by));
        self
    }

    /// Starts the app.
    pub fn start(self) -> App {
        let folder = tempfile::Builder::new().prefix("ab-e2e-").tempdir().unwrap();
        if let Some(stores) = &self.stores {
            std::os::unix::fs::symlink(stores, folder.path().join(STORES)).unwrap();
        }
        let linked = self.links.iter().filter_map(|(label, link)| match link {
            Link::File { name, entries } => Some((label, name, entries)),
            Link::Redis { .. } => None,
        });
        let unlinked = self.unlinked.iter().map(|(label, name, entries)| (label, name, entries));
        for (label, name, entries) in linked.chain(unlinked) {
            let entries = entries.iter().map(|(key, value)| (key.as_str(), value.as_slice()));
            store_file(folder.path(), name).set(label, entries);
        }
        self.start_in(folder)
    }

    fn start_in(self, folder: TempDir) -> App {
        artifacts::build_components();
        let runtime_config = folder.path().join("runtime-config.toml");
        fs::write(&runtime_config, self.runtime_config()).unwrap();
        if let Some(text) = &self.manifest {
            make_app_folder(&self.manifest_folder(folder.path()), text);
        }
        if let Some(text) = &self.dotenv {
            fs::write(folder.path().join(".env"), text).unwrap();
        }
        let process = self.launch(folder.path());
        let address = process.wait_for(announced);
        // What a test asks of an app on this machine is nothing for a proxy.
        let client = Client::builder().no_proxy().build().unwrap();
        App { process, address, client, builder: self, folder }
    }

    fn launch(&self, folder: &Path) -> Process {
        Launch {
            folder,
            manifest: &self.manifest_folder(folder).join("spin.toml"),
            runtime_config: &folder.join("runtime-config.toml"),
            log_folder: &folder.join("logs"),
            state_folder: &folder.join("state"),
            variables: &self.variables,
            environment: &self.environment,
        }
        .start()
    }

    fn manifest_folder(&self, folder: &Path) -> PathBuf {
        if self.manifest.is_some() { folder.join("app") } else { self.app.to_owned() }
    }

    fn runtime_config(&self) -> String {
        let mut text = self.model.clone().unwrap_or_default();
        for (label, link) in &self.links {
            let (kind, key, value) = match link {
                Link::File { name, .. } => ("spin", "path", store_path(name)),
                Link::Redis { url } => ("redis", "url", url.clone()),
            };
            // Writing to a String does not fail.
            let _ = write!(text, "\n[key_value_store.{label}]\ntype = \"{kind}\"\n{key} = \"{value}\"\n");
        }
        text
    }
}

/// The address in the line in which an app announces it; Spin may colour a part of that.
fn announced(line: &str) -> Option<SocketAddr> {
    line.split_once("Serving")?.1.split_once("http://")?.1.trim().parse().ok()
}

fn store_file(folder: &Path, name: &str) -> StoreFile {
    StoreFile::new(folder.join(store_path(name)))
}

fn store_path(name: &str) -> String {
    format!("{STORES}/{name}.db")
}

/// A folder with another manifest, and all that it names.
fn make_app_folder(folder: &Path, manifest: &str) {
    fs::create_dir_all(folder.join(".spin")).unwrap();
    fs::write(folder.join("spin.toml"), manifest).unwrap();
    for name in ["assets", "prompts", "target", ".spin/compiled"] {
        let link = folder.join(name);
        // Spin fills no `.spin/compiled`, so a link may lead nowhere.
        if fs::symlink_metadata(&link).is_err() {
            std::os::unix::fs::symlink(artifacts::root().join(name), link).unwrap();
        }
    }
}

//! The runtime config: which store a label means and which model answers.
//!
//! The file is Spin's. What only Spin can do is refused by name. Unlike Spin, which ignores them, unknown keys inside a
//! table are errors too: a mistyped `path` must not turn a store into another one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Spanned, Value};
use url::Url;

use crate::store_address::{StoreAddress, absolute, without_password};
use crate::toml_file::{Entries, Place, SyntaxError, TomlFile};

/// Where labels lead, and the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// The store that each label means. The label `default` is always there.
    pub stores: BTreeMap<String, StoreAddress>,
    /// The model server; without it inference fails.
    pub llm: Option<LlmConfig>,
}

/// A model server: `[llm_compute]` with `type = "remote_http"`.
#[derive(Clone, PartialEq, Eq)]
pub struct LlmConfig {
    /// Its address.
    pub url: String,
    /// What it wants to see in the header `authorization`.
    pub auth_token: String,
    /// How it is spoken to.
    pub api: ApiType,
}

/// The protocol of a model server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiType {
    /// Spin's own: `POST URL/infer`.
    #[default]
    Default,
    /// That of `OpenAI` and many others: `POST /v1/chat/completions`.
    OpenAi,
}

/// Why a runtime config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeConfigError {
    /// The file cannot be read.
    #[error("cannot read the runtime config {}: {source}", path.display())]
    Unreadable {
        /// The file, as it was given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, a key that does not exist, a value of the wrong type.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Something that Spin offers and this runtime does not.
    #[error("{place}: {what} needs Spin")]
    NeedsSpin {
        /// Where it stands.
        place: Place,
        /// What it is.
        what: String,
        /// What to write instead, where there is something.
        instead: Option<&'static str>,
    },
    /// A value that says nothing sensible, or that is missing.
    #[error("{place}: {table} {problem}")]
    Invalid {
        /// Where it stands.
        place: Place,
        /// The table, as in `[key_value_store.NAME]`.
        table: String,
        /// What is the matter with it. Secrets are left out.
        problem: String,
    },
}

impl RuntimeConfigError {
    /// What to do about it, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NeedsSpin { instead, .. } => {
                Some(instead.unwrap_or("run this app with `spin up`, or take this out").to_owned())
            }
            Self::Syntax(_) | Self::Invalid { .. } => {
                Some("correct it as Spin's runtime configuration reference describes".to_owned())
            }
            Self::Unreadable { .. } => None,
        }
    }
}

impl RuntimeConfig {
    /// What an app has without a runtime config: the label `default` alone, kept in `.spin` beside the manifest.
    pub fn for_app(folder: &Path) -> Self {
        let store = StoreAddress::Sqlite(absolute(&folder.join(".spin").join("sqlite_key_value.db")));
        Self { stores: BTreeMap::from([("default".to_owned(), store)]), llm: None }
    }

    /// Reads a runtime config; its paths start from its own folder. `app` is the manifest's folder, for the label
    /// `default` if the file does not define it.
    pub fn load(path: &Path, app: &Path) -> Result<Self, RuntimeConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, path, app),
            Err(source) => Err(RuntimeConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }

    /// As [`load`](Self::load), from the text that stands at `path`.
    pub fn parse(text: &str, path: &Path, app: &Path) -> Result<Self, RuntimeConfigError> {
        let reader =
            Reader { file: TomlFile::new(path, text), folder: path.parent().unwrap_or(Path::new("")) };
        let keys: Keys = reader.file.parse()?;
        for (name, key) in [
            ("state_dir", &keys.state_dir),
            ("log_dir", &keys.log_dir),
            ("max_instance_memory", &keys.max_instance_memory),
            ("sqlite_database", &keys.sqlite_database),
            ("variables_provider", &keys.variables_provider),
            ("config_provider", &keys.config_provider),
            ("client_tls", &keys.client_tls),
            ("outbound_networking", &keys.outbound_networking),
            ("outbound_http", &keys.outbound_http),
            ("outbound_redis", &keys.outbound_redis),
            ("outbound_pg", &keys.outbound_pg),
            ("outbound_mysql", &keys.outbound_mysql),
            ("outbound_mqtt", &keys.outbound_mqtt),
        ] {
            if let Some(value) = key {
                let place = reader.file.place(value.span());
                return Err(RuntimeConfigError::NeedsSpin {
                    place,
                    what: format!("`{name}`"),
                    instead: None,
                });
            }
        }
        let mut config = Self::for_app(app);
        for (label, entries) in keys.key_value_store.0 {
            let table = reader.table(format!("[key_value_store.{}]", label.get_ref()), label.span(), entries);
            config.stores.insert(label.into_inner(), reader.store(table)?);
        }
        if let Some(entries) = keys.llm_compute {
            let table = reader.table("[llm_compute]".to_owned(), entries.span(), entries.into_inner());
            config.llm = Some(Reader::llm(table)?);
        }
        Ok(config)
    }
}

impl Default for RuntimeConfig {
    /// That of an app in the current folder.
    fn default() -> Self {
        Self::for_app(Path::new(""))
    }
}

impl fmt::Debug for LlmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, auth_token: _, api } = self;
        f.debug_struct("LlmConfig")
            .field("url", &without_password(url))
            .field("api", api)
            .finish_non_exhaustive()
    }
}

type Refused = Option<Spanned<Value>>;
type Keyed = Entries<Spanned<Value>>;

/// Every key that Spin 4.1 knows at the top.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    key_value_store: Entries<Keyed>,
    llm_compute: Option<Spanned<Keyed>>,
    state_dir: Refused,
    log_dir: Refused,
    max_instance_memory: Refused,
    sqlite_database: Refused,
    variables_provider: Refused,
    config_provider: Refused,
    client_tls: Refused,
    outbound_networking: Refused,
    outbound_http: Refused,
    outbound_redis: Refused,
    outbound_pg: Refused,
    outbound_mysql: Refused,
    outbound_mqtt: Refused,
}

struct Reader<'a> {
    file: TomlFile<'a>,
    folder: &'a Path,
}

impl<'a> Reader<'a> {
    fn table(&self, name: String, span: std::ops::Range<usize>, keys: Keyed) -> Table<'a> {
        Table { file: self.file, place: self.file.place(span), name, keys }
    }

    fn store(&self, mut table: Table<'_>) -> Result<StoreAddress, RuntimeConfigError> {
        let store = match table.required("type")?.as_str() {
            "spin" => {
                let Some(path) = table.text("path")? else {
                    let what = format!("{} without a `path`, a store in memory,", table.name);
                    let instead = Some("give a path, as in path = \".spin/stores/NAME.db\"");
                    return Err(RuntimeConfigError::NeedsSpin { place: table.place, what, instead });
                };
                StoreAddress::Sqlite(absolute(&self.folder.join(path)))
            }
            "redis" => {
                let url = table.required("url")?;
                match Url::parse(&url).as_ref().map(Url::scheme) {
                    Ok("redis" | "redis+unix" | "unix") => StoreAddress::Redis(url),
                    Ok("rediss") => return Err(table.needs_spin("with a `rediss://` address (TLS)")),
                    Ok(_) => return Err(table.invalid("has a `url` that does not start with redis://")),
                    Err(error) => return Err(table.invalid(&format!("has a `url` that is not one: {error}"))),
                }
            }
            other @ ("azure_cosmos" | "aws_dynamo") => {
                return Err(table.needs_spin(&format!("with the type {other:?}")));
            }
            other => {
                return Err(
                    table.invalid(&format!("has the type {other:?}; it must be \"spin\" or \"redis\""))
                );
            }
        };
        table.finish().map(|()| store)
    }

    fn llm(mut table: Table<'_>) -> Result<LlmConfig, RuntimeConfigError> {
        match table.required("type")?.as_str() {
            "remote_http" => {}
            "spin" => return Err(table.needs_spin("with the type \"spin\": a local model")),
            other => {
                return Err(table.invalid(&format!("has the type {other:?}; it must be \"remote_http\"")));
            }
        }
        let url = table.required("url")?;
        match Url::parse(&url).as_ref().map(Url::scheme) {
            Ok("http" | "https") => {}
            Ok(_) => {
                return Err(table.invalid("has a `url` that starts neither with http:// nor with https://"));
            }
            Err(error) => return Err(table.invalid(&format!("has a `url` that is not one: {error}"))),
        }
        let auth_token = table.required("auth_token")?;
        let api = match table.text("api_type")?.as_deref() {
            None | Some("default") => ApiType::Default,
            Some("open_ai") => ApiType::OpenAi,
            Some(other) => {
                let problem = format!("has the api_type {other:?}; it must be \"default\" or \"open_ai\"");
                return Err(table.invalid(&problem));
            }
        };
        table.finish().map(|()| LlmConfig { url, auth_token, api })
    }
}

/// A table whose keys depend on its `type`: they are taken out one by one, and none may be left.
struct Table<'a> {
    file: TomlFile<'a>,
    place: Place,
    name: String,
    keys: Keyed,
}

impl Table<'_> {
    fn text(&mut self, key: &str) -> Result<Option<String>, RuntimeConfigError> {
        let Some(index) = self.keys.0.iter().position(|(name, _)| name.get_ref() == key) else {
            return Ok(None);
        };
        let (_, value) = self.keys.0.remove(index);
        self.place = self.file.place(value.span());
        match value.into_inner() {
            Value::String(text) => Ok(Some(text)),
            other => {
                Err(self
                    .invalid(&format!("has a `{key}` that is not a string but of type {}", other.type_str())))
            }
        }
    }

    fn required(&mut self, key: &str) -> Result<String, RuntimeConfigError> {
        match self.text(key)? {
            Some(text) => Ok(text),
            None => Err(self.invalid(&format!("has no `{key}`"))),
        }
    }

    fn finish(&self) -> Result<(), RuntimeConfigError> {
        match self.keys.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(RuntimeConfigError::Invalid {
                place: self.file.place(key.span()),
                table: self.name.clone(),
                problem: format!("has the unknown key `{}`", key.get_ref()),
            }),
        }
    }

    fn needs_spin(&self, what: &str) -> RuntimeConfigError {
        let what = format!("{} {what}", self.name);
        RuntimeConfigError::NeedsSpin { place: self.place.clone(), what, instead: None }
    }

    fn invalid(&self, problem: &str) -> RuntimeConfigError {
        RuntimeConfigError::Invalid {
            place: self.place.clone(),
            table: self.name.clone(),
            problem: problem.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

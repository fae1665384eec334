//! From the keys of the file to a [`RuntimeConfig`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Value};
use url::Url;

use super::{ApiType, LlmConfig, RuntimeConfig};
use crate::cloud_store::{AWS_DYNAMO, AZURE_COSMOS, AwsCredentials, CloudStore};
use crate::store_address::{StoreAddress, absolute};
use crate::toml_file::{Entries, Fault, TomlFile};

const HINT: &str = "correct it as described in Spin's runtime configuration reference";

type Beyond = Option<Spanned<Value>>;
type Keyed = Entries<Spanned<Value>>;

/// Every key that Spin 4.1 knows at the top.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(default)]
    key_value_store: Entries<Keyed>,
    llm_compute: Option<Spanned<Keyed>>,
    state_dir: Beyond,
    log_dir: Beyond,
    max_instance_memory: Beyond,
    sqlite_database: Beyond,
    variables_provider: Beyond,
    config_provider: Beyond,
    client_tls: Beyond,
    outbound_networking: Beyond,
    outbound_http: Beyond,
    outbound_redis: Beyond,
    outbound_pg: Beyond,
    outbound_mysql: Beyond,
    outbound_mqtt: Beyond,
}

pub(super) fn read(text: String, path: &Path) -> Result<RuntimeConfig, Fault> {
    let file = TomlFile::new(path, &text, HINT);
    let keys: Keys = file.parse()?;
    let mut beyond = Vec::new();
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
            beyond.push(file.needs_spin(value.span(), &format!("`{name}`")));
        }
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut links = BTreeMap::new();
    for (label, keys) in keys.key_value_store.0 {
        let name = format!("[key_value_store.{}]", label.get_ref());
        let table = Table { file, span: label.span(), name, keys, beyond: &mut beyond };
        links.insert(label.into_inner(), table.store(folder)?);
    }
    let llm = keys.llm_compute.and_then(|keys| {
        let (span, name) = (keys.span(), "[llm_compute]".to_owned());
        let table = Table { file, span, name, keys: keys.into_inner(), beyond: &mut beyond };
        table.llm().map_err(|fault| beyond.push(fault)).ok()
    });
    Ok(RuntimeConfig { path: path.to_owned(), links, llm, beyond, text })
}

/// A table whose keys depend on its `type`: they are taken out one by one, and none should be left.
struct Table<'a> {
    file: TomlFile<'a>,
    /// The table, or the key that was read last.
    span: Range<usize>,
    name: String,
    keys: Keyed,
    beyond: &'a mut Vec<Fault>,
}

impl Table<'_> {
    fn store(mut self, folder: &Path) -> Result<StoreAddress, Fault> {
        let kind = self.required("type")?;
        let (store, fault) = match kind.as_str() {
            "spin" => {
                if let Some(path) = self.text("path")? {
                    (StoreAddress::Sqlite(absolute(&folder.join(path))), None)
                } else {
                    let hint = "give it a path, as in path = \".spin/stores/NAME.db\"".to_owned();
                    let fault = Fault { hint, ..self.needs_spin("without a `path`, a store in memory,") };
                    (StoreAddress::Elsewhere("memory".to_owned()), Some(fault))
                }
            }
            "redis" => {
                let url = self.required("url")?;
                let fault = match Url::parse(&url).as_ref().map(Url::scheme) {
                    Ok("redis" | "redis+unix" | "unix") => None,
                    Ok("rediss") => Some(self.needs_spin("with a `rediss://` address (TLS)")),
                    Ok(_) => Some(self.fault("has a `url` that does not start with redis://")),
                    Err(error) => Some(self.fault(&format!("has an invalid `url`: {error}"))),
                };
                (StoreAddress::Redis(url), fault)
            }
            AZURE_COSMOS | AWS_DYNAMO => {
                let fault = self.needs_spin(&format!("with the type {kind:?}"));
                (StoreAddress::Cloud(self.cloud_store(&kind)?), Some(fault))
            }
            other => {
                let known = "it must be \"spin\", \"redis\", \"azure_cosmos\" or \"aws_dynamo\"";
                self.beyond.push(self.fault(&format!("has the type {other:?}; {known}")));
                return Ok(StoreAddress::Elsewhere(kind));
            }
        };
        self.beyond.extend(fault);
        self.finish();
        Ok(store)
    }

    fn cloud_store(&mut self, kind: &str) -> Result<CloudStore, Fault> {
        if kind == AZURE_COSMOS {
            return Ok(CloudStore::AzureCosmos {
                account: self.required("account")?,
                database: self.required("database")?,
                container: self.required("container")?,
                key: self.text("key")?,
            });
        }
        let (access_key, secret_key) = (self.text("access_key")?, self.text("secret_key")?);
        let token = self.text("token")?;
        Ok(CloudStore::AwsDynamo {
            region: self.required("region")?,
            table: self.required("table")?,
            consistent_read: self.boolean("consistent_read")?,
            // Spin wants both keys, or looks for credentials elsewhere.
            credentials: access_key.zip(secret_key).map(|(access_key, secret_key)| AwsCredentials {
                access_key,
                secret_key,
                token,
            }),
        })
    }

    /// A model is needed to serve, not to build or to link: whatever is wrong with it is not an error.
    fn llm(mut self) -> Result<LlmConfig, Fault> {
        match self.required("type")?.as_str() {
            "remote_http" => {}
            "spin" => return Err(self.needs_spin("with the type \"spin\": a local model")),
            other => return Err(self.fault(&format!("has the type {other:?}; it must be \"remote_http\""))),
        }
        let url = self.required("url")?;
        match Url::parse(&url).as_ref().map(Url::scheme) {
            Ok("http" | "https") => {}
            Ok(_) => return Err(self.fault("has a `url` that starts with neither http:// nor https://")),
            Err(error) => return Err(self.fault(&format!("has an invalid `url`: {error}"))),
        }
        let auth_token = self.required("auth_token")?;
        let api = match self.text("api_type")?.as_deref() {
            None | Some("default") => ApiType::Default,
            Some("open_ai") => ApiType::OpenAi,
            Some(other) => {
                let problem = format!("has the api_type {other:?}; it must be \"default\" or \"open_ai\"");
                return Err(self.fault(&problem));
            }
        };
        self.finish();
        Ok(LlmConfig { url, auth_token, api })
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, Fault> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(key, &other, "string")),
        }
    }

    fn boolean(&mut self, key: &str) -> Result<Option<bool>, Fault> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Boolean(value)) => Ok(Some(value)),
            Some(other) => Err(self.mistyped(key, &other, "boolean")),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let index = self.keys.0.iter().position(|(name, _)| name.get_ref() == key)?;
        let (_, value) = self.keys.0.remove(index);
        self.span = value.span();
        Some(value.into_inner())
    }

    fn mistyped(&self, key: &str, value: &Value, wanted: &str) -> Fault {
        self.fault(&format!("has a `{key}` of type {}; it must be a {wanted}", value.type_str()))
    }

    fn required(&mut self, key: &str) -> Result<String, Fault> {
        self.text(key)?.ok_or_else(|| self.fault(&format!("has no `{key}`")))
    }

    fn finish(self) {
        if let Some((key, _)) = self.keys.0.first() {
            let message = format!("{} has the unknown key `{}`", self.name, key.get_ref());
            self.beyond.push(self.file.fault(key.span(), message));
        }
    }

    fn needs_spin(&self, what: &str) -> Fault {
        self.file.needs_spin(self.span.clone(), &format!("{} {what}", self.name))
    }

    fn fault(&self, problem: &str) -> Fault {
        self.file.fault(self.span.clone(), format!("{} {problem}", self.name))
    }
}

//! Making and removing links in the file itself. A person may have written it: whatever else it says stays as it is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::{RuntimeConfig, read};
use crate::cloud_store::CloudStore;
use crate::store_address::{StoreAddress, absolute};
use crate::toml_file::{Entries, Fault, Place};

/// The links of the file, with their places.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    key_value_store: Entries<Spanned<Entries<Spanned<Value>>>>,
}

/// Where a link stands in the file.
struct LinkPlace {
    /// The lines from its name to its last key.
    lines: Range<usize>,
    /// What stands for the whole link, or its head.
    value: Range<usize>,
    /// The value of each of its keys.
    keys: BTreeMap<String, Range<usize>>,
}

impl RuntimeConfig {
    /// The file's text, with every change so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Makes `label` mean the store at `address`: in the place of its former link, or at the end of the file.
    ///
    /// # Errors
    ///
    /// The links are not tables of their own, or Spin alone knows how to link such a store.
    pub fn link(&mut self, label: &str, address: &StoreAddress) -> Result<(), Fault> {
        let link = self.keys(address).ok_or_else(|| self.not_editable(label))?;
        let mut text = self.text.clone();
        match self.place(label) {
            // The last first, so that the places of the others stay what they are.
            Some(place) if place.keys.keys().eq(link.keys().collect::<BTreeSet<_>>()) => {
                let mut values: Vec<_> = link.iter().map(|(key, value)| (&place.keys[key], value)).collect();
                values.sort_unstable_by_key(|(place, _)| Reverse(place.start));
                for (place, value) in values {
                    if self.text[place.clone()].parse().as_ref() != Ok(value) {
                        text.replace_range(place.clone(), &value.to_string());
                    }
                }
            }
            Some(place) if text[place.value.clone()].starts_with('{') => {
                text.replace_range(place.value, &Value::Table(link).to_string());
            }
            Some(place) => text.replace_range(place.lines, &table(label, link)),
            None => {
                let gap = match &*text {
                    "" => "",
                    _ if text.ends_with('\n') => "\n",
                    _ => "\n\n",
                };
                text.push_str(gap);
                text.push_str(&table(label, link));
            }
        }
        let mut links = self.links.clone();
        links.insert(label.to_owned(), address.clone());
        self.change(label, text, &links)
    }

    /// Removes the link of `label`, but not the comments around it.
    ///
    /// # Errors
    ///
    /// The links are not tables of their own.
    pub fn unlink(&mut self, label: &str) -> Result<(), Fault> {
        let Some(place) = self.place(label) else { return Ok(()) };
        let mut text = self.text.clone();
        text.replace_range(place.lines, "");
        let mut links = self.links.clone();
        links.remove(label);
        self.change(label, text, &links)
    }

    /// What a link to the store at `address` says; `None` if Spin alone knows how to link it.
    fn keys(&self, address: &StoreAddress) -> Option<Table> {
        let (kind, keys) = match address {
            StoreAddress::Sqlite(path) => ("spin", vec![("path", Some(self.relative(path)))]),
            StoreAddress::Redis(url) => ("redis", vec![("url", Some(url.clone()))]),
            StoreAddress::Cloud(store) => (store.kind(), keys_of(store)),
            StoreAddress::Elsewhere(_) => return None,
        };
        let kind = [("type".to_owned(), kind.into())];
        let keys = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
        let mut link: Table = kind.into_iter().chain(keys).collect();
        if let StoreAddress::Cloud(CloudStore::AwsDynamo { consistent_read: Some(value), .. }) = address {
            link.insert("consistent_read".to_owned(), (*value).into());
        }
        Some(link)
    }

    fn place(&self, label: &str) -> Option<LinkPlace> {
        let places: Places = toml::from_str(&self.text).ok()?;
        let (name, link) = places.key_value_store.0.into_iter().find(|(name, _)| name.get_ref() == label)?;
        let (name, value) = (name.span(), link.span());
        let keys: BTreeMap<_, _> =
            link.into_inner().0.into_iter().map(|(key, value)| (key.into_inner(), value.span())).collect();
        let last = keys.values().map(|value| value.end).chain([name.end]).max()?;
        let start = self.text[..name.start].rfind('\n').map_or(0, |newline| newline + 1);
        let end = self.text[last..].find('\n').map_or(self.text.len(), |newline| last + newline + 1);
        Some(LinkPlace { lines: start..end, value, keys })
    }

    /// Takes the new text, if it says what it should.
    fn change(
        &mut self,
        label: &str,
        text: String,
        links: &BTreeMap<String, StoreAddress>,
    ) -> Result<(), Fault> {
        match read::read(text, &self.path) {
            Ok(changed) if changed.links == *links => {
                *self = changed;
                Ok(())
            }
            _ => Err(self.not_editable(label)),
        }
    }

    fn not_editable(&self, label: &str) -> Fault {
        Fault {
            place: Place { path: self.path.clone(), line: 1 },
            message: format!("the link of the label \"{label}\" cannot be edited by a program"),
            hint: "write every link as a table [key_value_store.LABEL], or edit the file yourself".to_owned(),
        }
    }

    /// Below the file's folder, relative to it, so that the folder can be moved.
    fn relative(&self, path: &Path) -> String {
        let file = absolute(&self.path);
        let path = file.parent().and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    }
}

/// The keys of a cloud's store that are texts.
fn keys_of(store: &CloudStore) -> Vec<(&'static str, Option<String>)> {
    match store.clone() {
        CloudStore::AzureCosmos { account, database, container, key } => vec![
            ("account", Some(account)),
            ("database", Some(database)),
            ("container", Some(container)),
            ("key", key),
        ],
        CloudStore::AwsDynamo { region, table, consistent_read: _, credentials } => {
            let (access_key, secret_key, token) = credentials.map_or((None, None, None), |credentials| {
                (Some(credentials.access_key), Some(credentials.secret_key), credentials.token)
            });
            vec![
                ("region", Some(region)),
                ("table", Some(table)),
                ("access_key", access_key),
                ("secret_key", secret_key),
                ("token", token),
            ]
        }
    }
}

/// A link as a table of its own.
fn table(label: &str, link: Table) -> String {
    let links = Table::from_iter([(label.to_owned(), Value::Table(link))]);
    Table::from_iter([("key_value_store".to_owned(), Value::Table(links))]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# The model.
[llm_compute]
type = "remote_http"   # both protocols
url = "http://127.0.0.1:3001"
auth_token = "x"

# The first variant.
[key_value_store.one]
type = "spin"
path = ".spin/stores/case-a.db" # the old prompt

[key_value_store.two]
type = "redis"
url = "redis://localhost:6379/1"

# The end.
"#;

    fn config(text: &str) -> RuntimeConfig {
        RuntimeConfig::parse(text.to_owned(), Path::new("/app/runtime-config.toml")).unwrap()
    }

    fn sqlite(name: &str) -> StoreAddress {
        StoreAddress::Sqlite(format!("/app/.spin/stores/{name}.db").into())
    }

    #[test]
    fn relinking_changes_one_line_only() {
        let mut config = config(FILE);
        config.link("one", &sqlite("case-b")).unwrap();
        assert_eq!(config.text(), FILE.replace("case-a", "case-b"));
        assert_eq!(config.links["one"], sqlite("case-b"));
    }

    #[test]
    fn unlinking_keeps_every_other_line_and_linking_again_appends() {
        let entry = "[key_value_store.one]\ntype = \"spin\"\npath = \".spin/stores/case-a.db\"\n";
        let mut config = config(FILE);
        config.unlink("one").unwrap();
        let without = FILE.replace(&entry.replace("db\"", "db\" # the old prompt"), "");
        assert_eq!(config.text(), without);
        config.unlink("one").unwrap();
        config.link("one", &sqlite("case-a")).unwrap();
        assert_eq!(config.text(), format!("{without}\n{entry}"));
    }

    #[test]
    fn another_kind_of_store_replaces_the_keys() {
        let mut config = config(FILE);
        config.link("two", &sqlite("case-b")).unwrap();
        let entry = "[key_value_store.two]\ntype = \"spin\"\npath = \".spin/stores/case-b.db\"\n";
        assert!(config.text().contains(entry) && !config.text().contains("6379"), "{}", config.text());
    }

    #[test]
    fn a_link_to_a_cloud_says_what_spin_wants_to_know() {
        let mut config = config(FILE);
        let cloud = |address: &str| StoreAddress::Cloud(CloudStore::parse(address).unwrap().unwrap());
        config.link("two", &cloud("azure-cosmos://:k%3D@a/d/c")).unwrap();
        let entry = "[key_value_store.two]\ntype = \"azure_cosmos\"\naccount = \"a\"\ndatabase = \"d\"\n\
                     container = \"c\"\nkey = \"k=\"\n";
        assert!(config.text().contains(entry), "{}", config.text());
        let relinked = config.text().replace("database = \"d\"", "database = \"other\"");
        config.link("two", &cloud("azure-cosmos://:k%3D@a/other/c")).unwrap();
        assert_eq!(config.text(), relinked);
        // The key belongs to the account: it does not go along.
        config.link("two", &cloud("azure-cosmos://b/d/c")).unwrap();
        assert!(
            config.text().contains("account = \"b\"") && !config.text().contains("k="),
            "{}",
            config.text()
        );
        config.link("two", &cloud("aws-dynamo://id:secret@r/t?token=x&consistent_read=true")).unwrap();
        let entry = "[key_value_store.two]\ntype = \"aws_dynamo\"\nregion = \"r\"\ntable = \"t\"\n\
                     access_key = \"id\"\nsecret_key = \"secret\"\ntoken = \"x\"\nconsistent_read = true\n";
        assert!(config.text().contains(entry), "{}", config.text());
    }

    #[test]
    fn other_forms_are_edited_or_left_alone() {
        let redis = StoreAddress::Redis("redis://h/1".to_owned());
        for (file, can_add, can_remove) in [
            ("", true, true),
            ("# A comment without a newline", true, true),
            ("key_value_store.one = { type = \"spin\", path = \"a.db\" } # here\n", true, true),
            (
                "[key_value_store]\none = { type = \"spin\", path = \"a.db\" } # here\n[llm_compute]\n\
              type = \"spin\"\n",
                true,
                true,
            ),
            ("[key_value_store]\none.type = \"spin\"\none.path = \"a.db\"\n", true, true),
            ("key_value_store = { one = { type = \"spin\", path = \"a.db\" } }\n", false, true),
            (
                "key_value_store = { one = { type = \"spin\", path = \"a.db\" }, \
              b = { type = \"spin\", path = \"b.db\" } }\n",
                false,
                false,
            ),
        ] {
            let mut config = config(file);
            config.link("one", &sqlite("case-b")).unwrap();
            assert_eq!(config.links["one"], sqlite("case-b"), "{}", config.text());
            assert_eq!(config.link("two words", &redis).is_ok(), can_add, "{}", config.text());
            assert_eq!(config.links.contains_key("two words"), can_add, "{}", config.text());
            let before = config.text().to_owned();
            assert_eq!(config.unlink("one").is_ok(), can_remove, "{}", config.text());
            assert_eq!(config.text() == before, !can_remove, "{}", config.text());
            assert_eq!(config.links.contains_key("one"), !can_remove, "{}", config.text());
        }
    }

    #[test]
    fn windows_line_endings_are_understood() {
        let file = FILE.replace('\n', "\r\n");
        let mut config = config(&file);
        config.unlink("one").unwrap();
        let entry = "[key_value_store.one]\r\ntype = \"spin\"\r\npath = \".spin/stores/case-a.db\" # the old prompt\r\n";
        assert_eq!(config.text(), file.replace(entry, ""));
        config.link("one", &sqlite("case-a")).unwrap();
        assert_eq!(config.links["one"], sqlite("case-a"));
    }
}

//! The links: `[key_value_store.LABEL]` in the runtime configuration file, read and edited in place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use spin_app::{StoreAddress, absolute};
use toml_edit::{DocumentMut, InlineTable, Item, RawString, Table, TableLike, Value};

use super::durable;
use crate::terminal::failure;

const TABLE: &str = "key_value_store";

/// What to do about a file that is not what Spin takes.
const ADVICE: &str = "correct it as Spin's runtime configuration reference describes";

/// A label and the store it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) address: StoreAddress,
}

/// A runtime configuration file, whose comments, order and formatting stay as they are.
#[derive(Debug)]
pub(crate) struct RuntimeConfig {
    path: PathBuf,
    document: DocumentMut,
    /// Lines end as on Windows, which the document does not keep.
    carriage_returns: bool,
}

impl RuntimeConfig {
    /// Reads the file at `path`; a missing one is empty.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not TOML, or has a store without a type.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        let document = text.parse::<DocumentMut>().map_err(|error| {
            failure(format!("{shown} is not TOML, and was left as it is:\n{}", error.to_string().trim_end()))
                .hint(ADVICE)
        })?;
        let config = Self { path: path.to_owned(), document, carriage_returns: text.contains("\r\n") };
        config.links()?;
        Ok(config)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All links, in the order of the file.
    ///
    /// # Errors
    ///
    /// An entry is not what Spin takes.
    pub(crate) fn links(&self) -> anyhow::Result<Vec<Link>> {
        let Some(item) = self.document.get(TABLE) else { return Ok(Vec::new()) };
        let stores = item.as_table_like().ok_or_else(|| self.malformed(TABLE, "a table is expected"))?;
        stores.iter().map(|(label, item)| self.link(label, item)).collect()
    }

    /// Makes `label` mean the store at `address`. Keys that stay keep their place and comments.
    ///
    /// # Errors
    ///
    /// The file has something else in that place.
    pub(crate) fn set(&mut self, label: &str, address: &StoreAddress) -> anyhow::Result<()> {
        let (kind, key, value) = match address {
            StoreAddress::Sqlite(path) => ("spin", "path", self.relative(path)),
            StoreAddress::Redis(url) => ("redis", "url", url.clone()),
            StoreAddress::Elsewhere(kind) => {
                return Err(self.malformed(label, &format!("{kind} is not linked from here")));
            }
        };
        let malformed = self.malformed(label, "a table is expected");
        let new = match self.document.get(TABLE) {
            Some(stores) if !stores.is_table() => Item::Value(Value::InlineTable(InlineTable::default())),
            Some(stores) if stores.get(label).is_some() => Item::None,
            _ => Item::Table(self.new_table()),
        };
        let stores = self.document.entry(TABLE).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(stores) = stores.as_table_like_mut() else { return Err(malformed) };
        let Some(link) = stores.entry(label).or_insert(new).as_table_like_mut() else {
            return Err(malformed);
        };
        let foreign: Vec<String> = link
            .iter()
            .map(|(name, _)| name.to_owned())
            .filter(|name| name != "type" && name != key)
            .collect();
        for name in foreign {
            link.remove(&name);
        }
        put(link, "type", kind);
        put(link, key, &value);
        Ok(())
    }

    /// Removes the link of `label`, but not the comments above it. Says whether there was one.
    pub(crate) fn remove(&mut self, label: &str) -> bool {
        let Some(stores) = self.document.get_mut(TABLE).and_then(Item::as_table_like_mut) else {
            return false;
        };
        let Some(removed) = stores.remove(label) else { return false };
        if let Some(table) = removed.as_table() {
            self.keep_comments(table);
        }
        true
    }

    /// Writes the file, in one step.
    ///
    /// # Errors
    ///
    /// The file cannot be written; it is as it was.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        durable::replace(&self.path, self.text().as_bytes())
            .with_context(|| format!("cannot write {}; the links are as they were", self.path.display()))
    }

    fn text(&self) -> String {
        let text = self.document.to_string();
        if self.carriage_returns { text.replace('\n', "\r\n") } else { text }
    }

    fn link(&self, label: &str, item: &Item) -> anyhow::Result<Link> {
        let table = item.as_table_like().ok_or_else(|| self.malformed(label, "a table is expected"))?;
        let text = |key| table.get(key).and_then(Item::as_str);
        let kind = text("type").ok_or_else(|| self.malformed(label, "`type` is missing"))?;
        let address = match kind {
            "spin" => {
                let path = text("path").ok_or_else(|| self.malformed(label, "`path` is missing"))?;
                StoreAddress::Sqlite(absolute(&self.folder().join(path)))
            }
            "redis" => {
                let url = text("url").ok_or_else(|| self.malformed(label, "`url` is missing"))?;
                StoreAddress::Redis(url.to_owned())
            }
            other => StoreAddress::Elsewhere(other.to_owned()),
        };
        Ok(Link { label: label.to_owned(), address })
    }

    fn malformed(&self, label: &str, what: &str) -> anyhow::Error {
        failure(format!("{}: [{TABLE}.{label}]: {what}", self.path.display())).hint(ADVICE).into()
    }

    fn folder(&self) -> PathBuf {
        absolute(&self.path).parent().unwrap_or(Path::new("/")).to_owned()
    }

    /// Below the file's folder, relative to it, so that the folder can be moved.
    fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(self.folder()).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    }

    /// A table to be added. It goes behind all others; where there are none, it takes the file's comments above it.
    fn new_table(&mut self) -> Table {
        let mut table = Table::new();
        if next_table(self.document.as_table_mut(), None).is_none() {
            table.decor_mut().set_prefix(self.document.trailing().as_str().unwrap_or_default());
            self.document.set_trailing("");
        }
        table
    }

    /// Comments above a removed table go to the table that follows it, or to the end of the file.
    fn keep_comments(&mut self, removed: &Table) {
        let comments = removed.decor().prefix().and_then(RawString::as_str).unwrap_or_default().to_owned();
        if comments.trim().is_empty() {
            return;
        }
        if let Some(next) = next_table(self.document.as_table_mut(), removed.position()) {
            let prefix = comments + next.decor().prefix().and_then(RawString::as_str).unwrap_or_default();
            next.decor_mut().set_prefix(prefix);
        } else {
            let trailing = comments + self.document.trailing().as_str().unwrap_or_default();
            self.document.set_trailing(trailing);
        }
    }
}

/// Sets a string without losing the comment behind it.
fn put(table: &mut dyn TableLike, key: &str, text: &str) {
    let mut value = Value::from(text);
    match table.get_mut(key) {
        Some(item) => {
            if let Some(old) = item.as_value() {
                *value.decor_mut() = old.decor().clone();
            }
            *item = Item::Value(value);
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// The table whose header comes next in the file after that at `position`.
fn next_table(table: &mut Table, position: Option<isize>) -> Option<&mut Table> {
    let mut next: Option<&mut Table> = None;
    for (_, item) in table.iter_mut() {
        let candidates: Vec<&mut Table> = match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter_mut().collect(),
            _ => Vec::new(),
        };
        for candidate in candidates {
            let itself =
                candidate.position() > position && !candidate.is_implicit() && !candidate.is_dotted();
            let found = if itself { Some(candidate) } else { next_table(candidate, position) };
            if let Some(found) = found
                && next.as_ref().is_none_or(|next| found.position() < next.position())
            {
                next = Some(found);
            }
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# The model.
[llm_compute]
type = "remote_http"   # both protocols
url = "http://127.0.0.1:3001"

# The first variant.
[key_value_store.one]
type = "spin"
path = ".spin/stores/case-a.db" # the old prompt

[key_value_store.two]
type = "redis"
url = "redis://localhost:6379/1"

# Settings of somebody else.
[other]
x = [ 1,2 ]
"#;

    fn config(text: &str) -> RuntimeConfig {
        RuntimeConfig {
            path: "/app/runtime-config.toml".into(),
            document: text.parse().unwrap(),
            carriage_returns: text.contains('\r'),
        }
    }

    fn sqlite(name: &str) -> StoreAddress {
        StoreAddress::Sqlite(format!("/app/.spin/stores/{name}.db").into())
    }

    #[test]
    fn relinking_changes_one_line_only() {
        let mut config = config(FILE);
        config.set("one", &sqlite("case-b")).unwrap();
        assert_eq!(config.text(), FILE.replace("case-a", "case-b"));
    }

    #[test]
    fn unlinking_keeps_every_other_line_and_linking_again_appends() {
        let mut config = config(FILE);
        assert!(config.remove("one"));
        let entry =
            "[key_value_store.one]\ntype = \"spin\"\npath = \".spin/stores/case-a.db\" # the old prompt\n";
        assert_eq!(config.text(), FILE.replace(entry, ""));
        config.set("one", &sqlite("case-a")).unwrap();
        let text = config.text();
        insta::assert_snapshot!(text, @r#"
        # The model.
        [llm_compute]
        type = "remote_http"   # both protocols
        url = "http://127.0.0.1:3001"

        # The first variant.

        [key_value_store.two]
        type = "redis"
        url = "redis://localhost:6379/1"

        [key_value_store.one]
        type = "spin"
        path = ".spin/stores/case-a.db"

        # Settings of somebody else.
        [other]
        x = [ 1,2 ]
        "#);
        let links: Vec<String> = config.links().unwrap().into_iter().map(|link| link.label).collect();
        assert_eq!(links, ["two", "one"]);
    }

    #[test]
    fn the_last_table_leaves_its_comments_at_the_end() {
        let mut config = config("# a\n[key_value_store.x]\ntype = \"spin\"\npath = \"x.db\"\n# end\n");
        assert!(config.remove("x"));
        assert_eq!(config.text(), "# a\n# end\n");
    }

    #[test]
    fn the_only_table_comes_back_below_its_comments() {
        let text = "# a\n\n# b\n[key_value_store.x]\ntype = \"spin\"\npath = \"x.db\"\n";
        let mut config = config(text);
        assert!(config.remove("x"));
        assert_eq!(config.text(), "# a\n\n# b\n");
        config.set("x", &StoreAddress::Sqlite("/app/x.db".into())).unwrap();
        assert_eq!(config.text(), text);

        let text = "key_value_store.x = { type = \"spin\", path = \"a.db\" }\n# end\n";
        let mut config = self::config(text);
        config.set("x", &StoreAddress::Sqlite("/app/b.db".into())).unwrap();
        assert_eq!(config.text(), text.replace("a.db", "b.db"));
    }

    #[test]
    fn another_kind_of_store_replaces_the_keys() {
        let mut config = config(FILE);
        config.set("two", &sqlite("case-b")).unwrap();
        assert!(
            config
                .text()
                .contains("[key_value_store.two]\ntype = \"spin\"\npath = \".spin/stores/case-b.db\"\n")
        );
        assert!(!config.text().contains("6379"));
    }

    #[test]
    fn inline_and_dotted_forms_and_odd_labels_work() {
        let cases = [
            "key_value_store = { one = { type = \"spin\", path = \"a.db\" } }\n",
            "key_value_store.one = { type = \"spin\", path = \"a.db\" }\n",
            "[key_value_store]\none = { type = \"spin\", path = \"a.db\" } # here\n",
            "[key_value_store]\none.type = \"spin\"\none.path = \"a.db\"\n",
        ];
        for case in cases {
            let mut config = config(case);
            config.set("one", &sqlite("case-b")).unwrap();
            config.set("two words", &StoreAddress::Redis("redis://h/1".to_owned())).unwrap();
            let text = config.text();
            let config = self::config(&text);
            assert_eq!(
                config.links().unwrap(),
                [
                    Link { label: "one".to_owned(), address: sqlite("case-b") },
                    Link {
                        label: "two words".to_owned(),
                        address: StoreAddress::Redis("redis://h/1".to_owned())
                    }
                ],
                "{text}"
            );
        }
    }

    #[test]
    fn windows_line_endings_stay() {
        let mut config = config(&FILE.replace('\n', "\r\n"));
        config.set("one", &sqlite("case-b")).unwrap();
        assert_eq!(config.text(), FILE.replace('\n', "\r\n").replace("case-a", "case-b"));
    }
}

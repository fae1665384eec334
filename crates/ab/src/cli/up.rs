//! `up`, `build` and `model`.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::LocationArguments;
use crate::commands::model::check::Check;
use crate::commands::{build, model, up};
use crate::terminal::Printer;

#[derive(Debug, Args)]
pub(crate) struct UpArguments {
    /// The address to serve at; port 0 takes a free one
    #[arg(long, env = "SPIN_HTTP_LISTEN_ADDR", default_value = "127.0.0.1:3000", value_name = "ADDRESS", value_parser = listen_address)]
    listen: SocketAddr,
    /// An environment variable for all components
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value)]
    env: Vec<(String, String)>,
    /// A variable of the app: KEY=VALUE, KEY=@FILE for a file's text, @FILE.json or @FILE.toml for several
    #[arg(long, value_name = "KEY=VALUE", value_parser = variables)]
    variable: Vec<Variables>,
    /// Serve the components as last built
    #[arg(long)]
    no_build: bool,
    /// Do not show the components' output
    #[arg(short, long)]
    quiet: bool,
    /// Where to keep the components' output, instead of `.spin/logs` beside the manifest
    #[arg(short = 'L', long, value_name = "FOLDER")]
    log_dir: Option<PathBuf>,
    #[command(flatten)]
    location: LocationArguments,
}

impl From<UpArguments> for up::Up {
    fn from(arguments: UpArguments) -> Self {
        Self {
            location: arguments.location.into(),
            listen: arguments.listen,
            environment: arguments.env,
            variables: arguments.variable.into_iter().flat_map(|variables| variables.0).collect(),
            build: !arguments.no_build,
            quiet: arguments.quiet,
            log_folder: arguments.log_dir,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// Only this component; may be given several times
    #[arg(short, long, value_name = "ID")]
    component_id: Vec<String>,
    #[command(flatten)]
    location: LocationArguments,
}

impl BuildArguments {
    pub(crate) fn run(self, printer: Printer) -> anyhow::Result<()> {
        build::run(&self.component_id, &self.location.into(), printer)
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ModelArguments {
    #[command(subcommand)]
    command: Option<ModelCommand>,
    /// The address to serve at; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3001", value_name = "ADDRESS", value_parser = listen_address)]
    listen: SocketAddr,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Ask the app's model a few questions as the app would, and report what to change
    Check(CheckArguments),
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// A variable of the app, as for `up`
    #[arg(long, value_name = "KEY=VALUE", value_parser = variables)]
    variable: Vec<Variables>,
    #[command(flatten)]
    location: LocationArguments,
}

impl ModelArguments {
    pub(crate) fn run(self, printer: Printer) -> anyhow::Result<()> {
        let Some(ModelCommand::Check(arguments)) = self.command else {
            return model::run(self.listen, printer);
        };
        let check = Check {
            location: arguments.location.into(),
            variables: arguments.variable.into_iter().flat_map(|variables| variables.0).collect(),
        };
        model::check::run(check, printer)
    }
}

/// A name such as `localhost` may mean several addresses: the IPv4 one is what people expect to reach.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let addresses: Vec<SocketAddr> =
        text.to_socket_addrs().map_err(|_| "it should look like 127.0.0.1:3000".to_owned())?.collect();
    let first_v4 = addresses.iter().find(|address| address.is_ipv4());
    first_v4.or(addresses.first()).copied().ok_or_else(|| "this name has no address".to_owned())
}

/// What one `--variable` says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Variables(BTreeMap<String, String>);

/// As Spin reads them.
fn variables(text: &str) -> Result<Variables, String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"));
    if let Some(path) = text.strip_prefix('@') {
        let text = read(path)?;
        let variables = match Path::new(path).extension().and_then(|extension| extension.to_str()) {
            Some("json") => serde_json::from_str(&text).map_err(|error| error.to_string())?,
            Some("toml") => toml::from_str(&text).map_err(|error| error.to_string())?,
            _ => return Err("a file of variables must end in .json or .toml".to_owned()),
        };
        return Ok(Variables(variables));
    }
    let (key, value) = key_value(text)?;
    let value = match value.strip_prefix('@') {
        Some(path) => read(path)?,
        None => value,
    };
    Ok(Variables(BTreeMap::from([(key, value)])))
}

fn key_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it should look like KEY=VALUE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_from_the_line_or_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let text = file("note", "two\nlines");
        let json = file("v.json", "{\"a\": \"1\", \"b\": \"2\"}");
        let toml = file("v.toml", "a = \"1\"\nb = \"2\"\n");
        let map = |pairs: &[(&str, &str)]| {
            Ok(Variables(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()))
        };
        assert_eq!(variables("a=b=c"), map(&[("a", "b=c")]));
        assert_eq!(variables(&format!("a=@{text}")), map(&[("a", "two\nlines")]));
        assert_eq!(variables(&format!("@{json}")), map(&[("a", "1"), ("b", "2")]));
        assert_eq!(variables(&format!("@{toml}")), map(&[("a", "1"), ("b", "2")]));
        for bad in ["a", "=b", "@nowhere.json", &format!("@{text}"), "a=@nowhere"] {
            assert!(variables(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_prefer_ipv4() {
        assert_eq!(listen_address("localhost:3000").map(|address| address.is_ipv4()), Ok(true));
        assert!(listen_address("3000").is_err());
    }
}

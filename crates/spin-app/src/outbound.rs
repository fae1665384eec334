//! Which hosts a component may call: `allowed_outbound_hosts`.
//!
//! An entry is `SCHEME://HOST[:PORT]`. The scheme may be `*`; the host `*`, `*.DOMAIN`, an address, a network
//! such as `10.0.0.0/8`, or `self` for requests without a host; the port `*` or a range `8000..9000` without its end. A
//! missing port is that of the scheme. Other components of the app are hosts in the domain `spin.internal`.

use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use url::Host;

use crate::route::chained_component;
use crate::template::{Template, TemplateError};
use crate::variables::Variables;

/// The domain of the app's own components.
const COMPONENTS: &str = ".spin.internal";

/// The hosts that one component may call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedHosts(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// As in the manifest, with its variables.
    written: String,
    /// `None` is any.
    scheme: Option<String>,
    host: HostRule,
    port: PortRule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostRule {
    Any,
    /// A domain with its leading dot.
    Subdomain(String),
    Itself,
    Exactly(Host),
    Network(IpNet),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PortRule {
    Any,
    Exactly(u16),
    Within(Range<u16>),
}

/// An entry that says nothing sensible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the allowed outbound host {entry:?} is not valid: {problem}")]
pub struct AllowedHostError {
    /// The entry as it was written: where it has variables in it, their values are not shown.
    pub entry: String,
    /// What is wrong with it.
    pub problem: AllowedHostProblem,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllowedHostProblem {
    /// `example.com`.
    #[error("it has no scheme, as in http:// or *://")]
    NoScheme,
    /// `insecure:allow-all`, of Spin 1.
    #[error("Spin has dropped it; *://*:* allows everything")]
    AllowAll,
    /// A scheme with something else than letters in it.
    #[error("a scheme consists of letters, or is *")]
    Scheme,
    /// A host that cannot be one.
    #[error("{0:?} is neither a host, nor a network, nor *.DOMAIN")]
    Host(String),
    /// `http://example.com/path`.
    #[error("it must not have a path")]
    Path,
    /// A scheme of unknown port, without a port.
    #[error("it has no port, and the scheme has none by default")]
    NoPort,
    /// A port that is not a number from 0 to 65535.
    #[error("{0:?} is neither a port, nor a range as in 8000..9000, nor *")]
    Port(String),
    /// A template that has no value.
    #[error(transparent)]
    Template(TemplateError),
    /// A template whose value, which may be secret, is not an entry.
    #[error("with its variables filled in it is no SCHEME://HOST:PORT")]
    Filled,
}

impl AllowedHostError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            AllowedHostProblem::NoScheme => {
                Some(format!("write http://{0} or https://{0}", self.entry.trim()))
            }
            AllowedHostProblem::NoPort => {
                Some(format!("write {}:PORT", self.entry.trim().trim_end_matches('/')))
            }
            AllowedHostProblem::Template(TemplateError::UnknownVariable(name)) if !name.is_empty() => {
                Some(format!("declare {name} under [variables]"))
            }
            _ => None,
        }
    }
}

impl AllowedHosts {
    /// Reads entries without variables.
    pub fn parse(entries: &[String]) -> Result<Self, AllowedHostError> {
        entries
            .iter()
            .map(|entry| Entry::parse(entry, entry).map_err(named(entry)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads entries, filling in the app's variables. An entry that comes to nothing, or to a bare `http://`,
    /// because a variable is empty is left out: that is how an address is made optional.
    pub fn resolve(entries: &[String], variables: &Variables) -> Result<Self, AllowedHostError> {
        let mut allowed = Vec::new();
        for entry in entries {
            let template = |error| named(entry)(AllowedHostProblem::Template(error));
            let literal = Template::parse(entry).map_err(template)?.is_literal();
            let value = variables.expand(entry).map_err(template)?;
            if literal || !["", "http://", "https://"].contains(&value.as_str()) {
                let shown =
                    |problem| named(entry)(if literal { problem } else { AllowedHostProblem::Filled });
                allowed.push(Entry::parse(entry, &value).map_err(shown)?);
            }
        }
        Ok(Self(allowed))
    }

    /// Whether a request to this host may be made. `host` is as in a URL, an IPv6 address in brackets; without a `port`
    /// it is that of the scheme.
    pub fn allows(&self, scheme: &str, host: &str, port: impl Into<Option<u16>>) -> bool {
        let Ok(host) = Host::parse(host) else {
            return false;
        };
        let port = port.into().or_else(|| well_known_port(scheme));
        self.0
            .iter()
            .any(|entry| entry.has_scheme(scheme) && entry.host.covers(&host) && entry.port.covers(port))
    }

    /// Whether a request without a host, to the app itself, may be made.
    pub fn allows_self(&self, scheme: &str) -> bool {
        let covers = |entry: &Entry| matches!(entry.host, HostRule::Any | HostRule::Itself);
        self.0.iter().any(|entry| entry.has_scheme(scheme) && covers(entry))
    }

    /// The first entry that allows more than HTTP, as it was written. The app's other components speak nothing else.
    pub fn beyond_http(&self) -> Option<&str> {
        let beyond = |entry: &&Entry| !entry.is_http() && !entry.host.is_component();
        self.0.iter().find(beyond).map(|entry| entry.written.as_str())
    }
}

fn named(entry: &str) -> impl Fn(AllowedHostProblem) -> AllowedHostError {
    move |problem| AllowedHostError { entry: entry.to_owned(), problem }
}

impl Entry {
    fn parse(written: &str, value: &str) -> Result<Self, AllowedHostProblem> {
        let entry = value.trim();
        if entry == "insecure:allow-all" {
            return Err(AllowedHostProblem::AllowAll);
        }
        let (scheme, rest) = entry.split_once("://").ok_or(AllowedHostProblem::NoScheme)?;
        if scheme != "*" && (scheme.is_empty() || scheme.contains(|c: char| !c.is_alphabetic())) {
            return Err(AllowedHostProblem::Scheme);
        }
        // An IPv6 address or network has colons of its own.
        let (host, port) = match (HostRule::parse(rest), rest.rsplit_once(':')) {
            (Ok(host), _) => (host, ""),
            (Err(problem), None) => return Err(problem),
            (Err(_), Some((host, port))) => match port.split_once('/') {
                Some((_, path)) if !path.is_empty() => return Err(AllowedHostProblem::Path),
                Some((port, _)) => (HostRule::parse(host)?, port),
                None => (HostRule::parse(host)?, port),
            },
        };
        let port = PortRule::parse(port, scheme)?;
        Ok(Self {
            written: written.to_owned(),
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host,
            port,
        })
    }

    fn is_http(&self) -> bool {
        matches!(self.scheme.as_deref(), Some("http" | "https"))
    }

    fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_ref().is_none_or(|own| own == scheme)
    }
}

impl HostRule {
    fn parse(host: &str) -> Result<Self, AllowedHostProblem> {
        let host = host.trim();
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Itself),
            _ => {}
        }
        if let Ok(network) = host.parse() {
            return Ok(Self::Network(network));
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        let invalid = || AllowedHostProblem::Host(host.to_owned());
        if host.contains('/') {
            return Err(AllowedHostProblem::Path);
        }
        let (name, any_subdomain) = match host.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (host, false),
        };
        if name.contains('*') {
            return Err(invalid());
        }
        match Host::parse(name).map_err(|_| invalid())? {
            Host::Domain(domain) if any_subdomain => Ok(Self::Subdomain(format!(".{domain}"))),
            _ if any_subdomain => Err(invalid()),
            host => Ok(Self::Exactly(host)),
        }
    }

    fn is_component(&self) -> bool {
        match self {
            Self::Subdomain(suffix) => suffix == COMPONENTS,
            Self::Exactly(Host::Domain(domain)) => chained_component(domain).is_some(),
            _ => false,
        }
    }

    fn covers(&self, host: &Host) -> bool {
        let address = match host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        };
        match self {
            Self::Any => true,
            Self::Subdomain(suffix) => match host {
                // Components have no subdomains.
                Host::Domain(domain) if suffix == COMPONENTS => chained_component(domain).is_some(),
                Host::Domain(domain) => domain.ends_with(suffix),
                _ => false,
            },
            Self::Exactly(own) => own == host,
            Self::Network(network) => address.is_some_and(|address| network.contains(&address)),
            Self::Itself => false,
        }
    }
}

impl PortRule {
    fn parse(port: &str, scheme: &str) -> Result<Self, AllowedHostProblem> {
        let invalid = |_| AllowedHostProblem::Port(port.to_owned());
        match port {
            "" => well_known_port(scheme).map(Self::Exactly).ok_or(AllowedHostProblem::NoPort),
            "*" => Ok(Self::Any),
            _ => match port.split_once("..") {
                Some((start, end)) => {
                    Ok(Self::Within(start.parse().map_err(invalid)?..end.parse().map_err(invalid)?))
                }
                None => port.parse().map(Self::Exactly).map_err(invalid),
            },
        }
    }

    fn covers(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::Exactly(own), Some(port)) => *own == port,
            (Self::Within(range), Some(port)) => range.contains(&port),
        }
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "mysql" => Some(3306),
        "postgres" => Some(5432),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::manifest::Manifest;
    use crate::variables::Providers;

    fn parse(entry: &str) -> Result<AllowedHosts, AllowedHostError> {
        AllowedHosts::parse(&[entry.to_owned()])
    }

    #[test]
    fn hosts_are_allowed_as_in_spin() {
        // Entry; a request's scheme, host and port; whether it is allowed.
        for (entry, scheme, host, port, allowed) in [
            ("http://example.com", "http", "example.com", None, true),
            ("http://example.com", "http", "EXAMPLE.com", Some(80), true),
            ("http://example.com/", "http", "example.com", None, true),
            ("http://example.com", "https", "example.com", None, false),
            ("http://example.com", "http", "example.com", Some(8080), false),
            ("http://example.com", "http", "a.example.com", None, false),
            ("http://example.com:8080", "http", "example.com", Some(8080), true),
            ("http://example.com:8080/", "http", "example.com", Some(8080), true),
            ("http://example.com:8080", "http", "example.com", None, false),
            ("http://example.com:*", "http", "example.com", Some(1), true),
            ("http://example.com:8000..9000", "http", "example.com", Some(8000), true),
            ("http://example.com:8000..9000", "http", "example.com", Some(9000), false),
            ("*://example.com:443", "https", "example.com", None, true),
            ("*://example.com:443", "tcp", "example.com", None, false),
            ("*://*:*", "gopher", "anything.test", None, true),
            ("*://*:*", "http", "not a host", None, false),
            ("https://*", "https", "example.com", None, true),
            ("https://*", "https", "example.com", Some(80), false),
            ("https://*.example.com", "https", "a.example.com", None, true),
            ("https://*.example.com", "https", "a.b.example.com", None, true),
            ("https://*.example.com", "https", "example.com", None, false),
            ("https://*.example.com", "https", "notexample.com", None, false),
            ("http://127.0.0.1:3001", "http", "127.0.0.1", Some(3001), true),
            ("http://127.0.0.1:3001", "http", "0x7f.1", Some(3001), true),
            ("http://127.0.0.1:3001", "http", "localhost", Some(3001), false),
            ("http://[::1]", "http", "[::1]", None, true),
            ("http://[::1]:8001", "http", "[::1]", Some(8001), true),
            ("*://10.0.0.1/8:80", "http", "10.1.2.3", None, true),
            ("*://10.0.0.0/8:80", "http", "11.1.2.3", None, false),
            ("*://10.0.0.0/8:80", "http", "ten.test", None, false),
            ("*://ff00::/8:80", "http", "[ff00::1]", None, true),
            ("redis://cache.test", "redis", "cache.test", Some(6379), true),
            ("http://inference.spin.internal", "http", "inference.spin.internal", None, true),
            ("http://inference.spin.internal", "http", "other.spin.internal", None, false),
            ("http://*.spin.internal", "http", "other.spin.internal", None, true),
            ("http://*.spin.internal", "http", "a.other.spin.internal", None, false),
            ("http://self", "http", "self", None, false),
            ("  http://example.com  ", "http", "example.com", None, true),
        ] {
            let hosts = parse(entry).unwrap();
            assert_eq!(hosts.allows(scheme, host, port), allowed, "{entry}: {scheme}://{host}:{port:?}");
        }
        assert!(!AllowedHosts::default().allows("http", "example.com", None), "nothing is allowed by itself");
    }

    #[test]
    fn the_app_itself_is_allowed_by_name_or_with_everything() {
        for (entry, allowed) in [
            ("http://self", true),
            ("http://self.alt", true),
            ("*://*:*", true),
            ("https://self", false),
            ("http://localhost", false),
        ] {
            assert_eq!(parse(entry).unwrap().allows_self("http"), allowed, "{entry}");
        }
    }

    #[test]
    fn what_allows_more_than_http_is_found() {
        for (entry, beyond) in [
            ("http://inference.spin.internal", false),
            ("*://inference.spin.internal:*", false),
            ("*://*.spin.internal:80", false),
            ("http://self", false),
            ("http://*:*", false),
            ("https://example.com", false),
            ("http://10.0.0.0/8", false),
            ("*://*:*", true),
            ("*://example.com:80", true),
            ("*://a.b.spin.internal:80", true),
            ("redis://example.com", true),
            ("postgres://127.0.0.1", true),
        ] {
            assert_eq!(parse(entry).unwrap().beyond_http(), beyond.then_some(entry));
        }
    }

    #[test]
    fn bad_entries_are_named() {
        for (entry, problem) in [
            ("example.com", "it has no scheme, as in http:// or *://"),
            ("example.com:80", "it has no scheme, as in http:// or *://"),
            ("*", "it has no scheme, as in http:// or *://"),
            ("", "it has no scheme, as in http:// or *://"),
            ("insecure:allow-all", "Spin has dropped it; *://*:* allows everything"),
            ("{http,https}://example.com", "a scheme consists of letters, or is *"),
            ("http://example.com/a", "it must not have a path"),
            ("http://example.com:80/a/b", "it must not have a path"),
            ("http://*.example.com/a", "it must not have a path"),
            ("http://a.*.com", r#""a.*.com" is neither a host, nor a network, nor *.DOMAIN"#),
            ("http://*.10.0.0.1", r#""*.10.0.0.1" is neither a host, nor a network, nor *.DOMAIN"#),
            ("http://", r#""" is neither a host, nor a network, nor *.DOMAIN"#),
            ("*://example.com", "it has no port, and the scheme has none by default"),
            ("http://example.com:http", r#""http" is neither a port, nor a range as in 8000..9000, nor *"#),
            ("http://example.com:65536", r#""65536" is neither a port, nor a range as in 8000..9000, nor *"#),
            ("http://example.com:1..x", r#""1..x" is neither a port, nor a range as in 8000..9000, nor *"#),
        ] {
            let error = parse(entry).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the allowed outbound host {entry:?} is not valid: {problem}")
            );
        }
        assert_eq!(
            parse("example.com:80").unwrap_err().hint().as_deref(),
            Some("write http://example.com:80 or https://example.com:80")
        );
    }

    #[test]
    fn variables_are_filled_in_and_empty_ones_leave_an_entry_out() {
        let manifest = "spin_manifest_version = 2\napplication.name = \"a\"\n[trigger]\n\
            [variables]\nhost = { default = \"api.test:81\" }\nempty = { default = \"\" }\n\
            secret = { default = \"not a host\" }";
        let manifest = Manifest::parse(manifest, Path::new("spin.toml")).unwrap();
        let variables = Variables::resolve(&manifest, &Providers::default()).unwrap();
        let resolve = |entry: &str| AllowedHosts::resolve(&[entry.to_owned()], &variables);

        assert!(resolve("http://{{ host }}").unwrap().allows("http", "api.test", Some(81)));
        assert_eq!(resolve("{{ empty }}"), Ok(AllowedHosts::default()));
        assert_eq!(resolve("https://{{ empty }}"), Ok(AllowedHosts::default()));
        for (entry, problem) in [
            ("", AllowedHostProblem::NoScheme),
            ("http://", AllowedHostProblem::Host(String::new())),
            (
                "http://{{ nope }}",
                AllowedHostProblem::Template(TemplateError::UnknownVariable("nope".into())),
            ),
            ("http://{{ host", AllowedHostProblem::Template(TemplateError::Unmatched)),
            ("http://{{ secret }}", AllowedHostProblem::Filled),
        ] {
            assert_eq!(resolve(entry), Err(AllowedHostError { entry: entry.to_owned(), problem }));
        }
    }

    proptest! {
        #[test]
        fn any_entry_is_read_or_refused(
            entry in r"(https?|\*|\PC{0,3})://(\PC{0,12}|[*a-z.:/\[\]0-9]{0,16})(:\PC{0,6})?",
            host in r"\PC{0,12}|[*a-z.:\[\]0-9]{0,16}",
            port: Option<u16>,
        ) {
            if let Ok(hosts) = parse(&entry) {
                let _ = (hosts.allows("http", &host, port), hosts.allows_self("http"));
            }
        }

        #[test]
        fn what_is_written_in_full_is_allowed(host in "[a-z]{1,8}(\\.[a-z]{1,8}){0,3}", port: u16) {
            prop_assume!(host != "self" && host != "self.alt");
            let hosts = parse(&format!("http://{host}:{port}")).unwrap();
            prop_assert!(hosts.allows("http", &host, Some(port)));
            prop_assert!(!hosts.allows("https", &host, Some(port)));
        }
    }

    #[test]
    fn fuzz() {
        fuzz::texts(
            &["http://*.example.com:80..90\u{1f}a.example.com", "https://10.0.0.0/8:443\u{1f}[::1]"],
            |entry, host| {
                if let Ok(hosts) = parse(entry) {
                    let _ = (
                        hosts.allows("http", host, Some(80)),
                        hosts.allows_self("http"),
                        hosts.beyond_http(),
                    );
                }
            },
        );
    }
}

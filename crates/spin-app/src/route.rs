//! Route patterns, read as Spin reads them.
//!
//! Matching is done by `routefinder`, the crate that Spin uses, so that precedence and odd paths cannot differ:
//! literal segments come before `:parameters`, parameters before the trailing `/...`, longer before shorter, always by
//! whole segments. Slashes at either end of a path do not matter to a match.

use http::HeaderName;
use routefinder::{RouteSpec, Segment};

/// Paths that Spin answers itself, such as `/.well-known/spin/health`.
pub const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

const CHAINED_DOMAIN: &str = "spin.internal";

/// Why a route cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// A request's path is ASCII.
    #[error("it would never match, because paths arrive percent-encoded; write it that way")]
    NotAscii,
    /// `/a/*/b`.
    #[error("a wildcard is the last segment: /... at the end")]
    InnerWildcard,
    /// The parameter's name becomes part of a header's name.
    #[error("{0:?} is no name for a parameter: use letters, digits, - and _")]
    ParameterName(String),
    /// Spin answers these paths itself.
    #[error("paths under {WELL_KNOWN_PREFIX} are answered by the runtime")]
    Reserved,
    /// Anything else that the matcher refuses.
    #[error("{0}")]
    Pattern(String),
}

/// A route's pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// With its leading slash and without a trailing one: `/` becomes the empty string, as in Spin.
    pub absolute: String,
    /// The matcher's form of it.
    pub spec: RouteSpec,
    /// The header in which a component finds the value of each parameter, in order.
    pub parameters: Vec<HeaderName>,
}

impl Pattern {
    /// Reads a pattern as it stands in a manifest.
    pub fn parse(pattern: &str) -> Result<Self, RouteError> {
        if !pattern.is_ascii() {
            return Err(RouteError::NotAscii);
        }
        if pattern.contains(|c: char| c.is_ascii_control()) {
            return Err(RouteError::Pattern("it contains a control character".to_owned()));
        }
        let absolute = absolute(pattern);
        if absolute.starts_with(WELL_KNOWN_PREFIX) {
            return Err(RouteError::Reserved);
        }
        let spec: RouteSpec = match absolute.strip_suffix("/...") {
            Some(prefix) => format!("{prefix}/*").parse(),
            None => absolute.parse(),
        }
        .map_err(RouteError::Pattern)?;
        if let Some((_, inner)) = spec.segments().split_last()
            && inner.contains(&Segment::Wildcard)
        {
            return Err(RouteError::InnerWildcard);
        }
        let names = spec.segments().iter().filter_map(|segment| match segment {
            Segment::Param(name) => Some(name.as_str()),
            _ => None,
        });
        let parameters = names.map(parameter_header).collect::<Result<_, _>>()?;
        Ok(Self { absolute, spec, parameters })
    }

    /// Whether both take the same paths, so that only the first of two routes would ever be reached.
    pub fn takes_what(&self, other: &Self) -> bool {
        let same = |(one, other): (&Segment, &Segment)| {
            one == other || matches!((one, other), (Segment::Param(_), Segment::Param(_)))
        };
        let (one, other) = (self.spec.segments(), other.spec.segments());
        one.len() == other.len() && one.iter().zip(other).all(same)
    }
}

/// The component that a host names: `x` for `x.spin.internal` and `x.spin.internal:80`.
pub fn chained_component(host: &str) -> Option<&str> {
    let (host, _port) = host.rsplit_once(':').unwrap_or((host, ""));
    host.split_once('.').filter(|(_, domain)| *domain == CHAINED_DOMAIN).map(|(component, _)| component)
}

fn absolute(pattern: &str) -> String {
    let slash = if pattern.starts_with('/') { "" } else { "/" };
    let mut absolute = format!("{slash}{pattern}");
    if absolute.ends_with('/') {
        absolute.pop();
    }
    absolute
}

fn parameter_header(name: &str) -> Result<HeaderName, RouteError> {
    let header = format!("spin-path-match-{}", name.replace('_', "-"));
    HeaderName::from_bytes(header.as_bytes()).map_err(|_| RouteError::ParameterName(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_that_cannot_be_served_are_refused() {
        for (pattern, message) in [
            ("/é", "it would never match, because paths arrive percent-encoded; write it that way"),
            ("/a/*/b", "a wildcard is the last segment: /... at the end"),
            (
                "/a/*name",
                "since there can only be one wildcard, it doesn't need a name. replace `*name` with `*`",
            ),
            ("/a/:", "params must be named"),
            ("/a/:b c", "\"b c\" is no name for a parameter: use letters, digits, - and _"),
            ("/.well-known/spin/health", "paths under /.well-known/spin/ are answered by the runtime"),
            ("/a\nb", "it contains a control character"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err().to_string(), message);
        }
        for pattern in
            ["", "/", "...", "/...", "/a/:b.c/...", "/.well-known/spindle/...", "/.well-known/spin"]
        {
            assert!(Pattern::parse(pattern).is_ok(), "{pattern:?}");
        }
    }

    #[test]
    fn the_same_pattern_is_recognised() {
        for (one, other, same) in [
            ("/a", "/a", true),
            ("/a", "a/", true),
            ("/a/...", "/a/*", true),
            ("/a/:b", "/a/:c", true),
            ("/a", "/a/...", false),
            ("/a/:b", "/a/b", false),
            ("/a", "/A", false),
        ] {
            let (one, other) = (Pattern::parse(one).unwrap(), Pattern::parse(other).unwrap());
            assert_eq!(one.takes_what(&other), same, "{one:?} {other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_pattern_is_read_or_refused(pattern in r"([/:.*a-c]{0,4}(\.\.\.|\PC)?){0,4}") {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                prop_assert!(pattern.takes_what(&pattern));
            }
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["/api/:id/x/...", "/"], |pattern| {
            if let Ok(pattern) = Pattern::parse(pattern) {
                assert!(pattern.takes_what(&pattern));
            }
            let _ = chained_component(pattern);
        });
    }
}

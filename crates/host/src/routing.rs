//! Which component answers a request, and what Spin tells it about the route.
//!
//! Matching is done by `routefinder`, the crate that Spin uses, so that precedence and odd paths cannot differ:
//! literal segments come before `:parameters`, parameters before the trailing `/...`, longer before shorter, always by
//! whole segments. Slashes at either end of a path do not matter to a match.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Uri;
use routefinder::{RouteSpec, Segment};

use crate::manifest::{Manifest, Route};

/// Paths that Spin answers itself, such as `/.well-known/spin/health`.
pub const WELL_KNOWN_PREFIX: &str = "/.well-known/spin/";

/// The address that a component sees when another component of the app calls it.
pub const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

const CHAINED_DOMAIN: &str = "spin.internal";

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

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

/// Checks a route's pattern as it stands in a manifest.
pub fn check_pattern(pattern: &str) -> Result<(), RouteError> {
    read_pattern(pattern).map(drop)
}

/// Whether two patterns take the same paths, so that the second would never be reached.
pub fn same_pattern(one: &str, other: &str) -> bool {
    let same = |(one, other): (&Segment, &Segment)| {
        one == other || matches!((one, other), (Segment::Param(_), Segment::Param(_)))
    };
    match (parse(&absolute(one)), parse(&absolute(other))) {
        (Ok(one), Ok(other)) => {
            one.segments().len() == other.segments().len()
                && one.segments().iter().zip(other.segments()).all(same)
        }
        _ => false,
    }
}

/// The app's routes.
#[derive(Debug)]
pub struct Router {
    routes: routefinder::Router<(Target, RouteEntry)>,
    /// Every component that has a trigger, public or private: those that others of the app can call.
    callable: Vec<Target>,
    chained: RouteEntry,
}

#[derive(Debug, Clone)]
struct Target {
    component: String,
    index: usize,
}

/// A route with everything about it that can be known before a request.
#[derive(Debug, Clone)]
struct RouteEntry {
    /// The pattern as written.
    raw: String,
    /// One for each parameter of the pattern, in order.
    parameters: Vec<HeaderName>,
    matched: HeaderValue,
    component: HeaderValue,
    raw_component: HeaderValue,
}

impl Router {
    /// Builds the router of an app.
    ///
    /// # Errors
    /// Those of [`check_pattern`]; a manifest that was read has none.
    pub fn new(manifest: &Manifest) -> Result<Self, RouteError> {
        let (_, chained) = read_pattern("/...")?;
        let mut router = Self { routes: routefinder::Router::new(), callable: Vec::new(), chained };
        for trigger in &manifest.triggers {
            let index = manifest.components.iter().position(|component| component.id == trigger.component);
            let target = Target { component: trigger.component.clone(), index: index.unwrap_or_default() };
            if let Route::Public(pattern) = &trigger.route {
                let (spec, entry) = read_pattern(pattern)?;
                let Ok(()) = router.routes.add(spec, (target.clone(), entry));
            }
            router.callable.push(target);
        }
        Ok(router)
    }

    /// The route for a path from outside; private components have none.
    pub fn route<'r, 'p>(&'r self, path: &'p str) -> Option<RouteMatch<'r, 'p>> {
        self.routes.iter().find_map(|(spec, (target, entry))| {
            spec.matches(path).map(|captures| RouteMatch { target, entry, captures, path })
        })
    }

    /// The route for a request from one component to another: `host` is `COMPONENT.spin.internal`, with or without a
    /// port. Spin takes it as a match of `/...` and hands over the whole path.
    ///
    /// `None` if the host is another, or no trigger names that component.
    pub fn route_chained<'r, 'p>(&'r self, host: &str, path: &'p str) -> Option<RouteMatch<'r, 'p>> {
        let component = chained_component(host)?;
        let target = self.callable.iter().find(|target| target.component == component)?;
        Some(RouteMatch { target, entry: &self.chained, captures: vec![path], path })
    }
}

/// The component that a host names: `x` for `x.spin.internal` and `x.spin.internal:80`.
pub fn chained_component(host: &str) -> Option<&str> {
    let (host, _port) = host.rsplit_once(':').unwrap_or((host, ""));
    host.split_once('.').filter(|(_, domain)| *domain == CHAINED_DOMAIN).map(|(component, _)| component)
}

fn read_pattern(pattern: &str) -> Result<(RouteSpec, RouteEntry), RouteError> {
    if !pattern.is_ascii() {
        return Err(RouteError::NotAscii);
    }
    let based = absolute(pattern);
    if based.starts_with(WELL_KNOWN_PREFIX) {
        return Err(RouteError::Reserved);
    }
    let spec = parse(&based).map_err(RouteError::Pattern)?;
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
    let value = |text: &str| {
        HeaderValue::from_str(text)
            .map_err(|_| RouteError::Pattern("it holds a control character".to_owned()))
    };
    let entry = RouteEntry {
        raw: pattern.to_owned(),
        parameters,
        matched: value(&based)?,
        component: value(pattern.strip_suffix("/...").unwrap_or(pattern))?,
        raw_component: value(pattern)?,
    };
    Ok((spec, entry))
}

/// With the leading slash, and without one trailing slash: `/` becomes the empty string, as in Spin.
fn absolute(pattern: &str) -> String {
    let slash = if pattern.starts_with('/') { "" } else { "/" };
    let mut based = format!("{slash}{pattern}");
    if based.ends_with('/') {
        based.pop();
    }
    based
}

fn parse(based: &str) -> Result<RouteSpec, String> {
    match based.strip_suffix("/...") {
        Some(prefix) => format!("{prefix}/*").parse(),
        None => based.parse(),
    }
}

fn parameter_header(name: &str) -> Result<HeaderName, RouteError> {
    let header = format!("spin-path-match-{}", name.replace('_', "-"));
    HeaderName::from_bytes(header.as_bytes()).map_err(|_| RouteError::ParameterName(name.to_owned()))
}

/// A path's route.
#[derive(Debug)]
pub struct RouteMatch<'r, 'p> {
    target: &'r Target,
    entry: &'r RouteEntry,
    /// What each parameter and the wildcard took, in the order of the pattern.
    captures: Vec<&'p str>,
    path: &'p str,
}

impl<'p> RouteMatch<'_, 'p> {
    /// The id of the component that answers.
    pub fn component(&self) -> &str {
        &self.target.component
    }

    /// Its place in [`Manifest::components`].
    pub fn component_index(&self) -> usize {
        self.target.index
    }

    /// The route as the manifest has it.
    pub fn raw_route(&self) -> &str {
        &self.entry.raw
    }

    /// What the pattern's parameters took: the names of their headers with the values.
    pub fn parameters(&self) -> impl Iterator<Item = (&HeaderName, &'p str)> {
        self.entry.parameters.iter().zip(self.captures.iter().copied())
    }

    /// What the trailing wildcard took, and the slashes around it; empty for any other route.
    pub fn path_info(&self) -> Cow<'p, str> {
        match self.captures.get(self.entry.parameters.len()) {
            None => Cow::Borrowed(""),
            // Only a chained request's wildcard still has its leading slash: there it is the whole path.
            Some(whole) if whole.starts_with('/') && whole.len() == self.path.len() => Cow::Borrowed(whole),
            Some(rest) => {
                let slash = |wanted: bool| if wanted { "/" } else { "" };
                Cow::Owned(format!("{}{rest}{}", slash(!rest.is_empty()), slash(self.path.ends_with('/'))))
            }
        }
    }

    /// Adds the headers with which Spin describes a request, in place of any that the client sent under these names.
    ///
    /// `uri` is the request's, with its scheme; `headers` are the request's, with its `host`. `client` is
    /// the address and port of the caller, which [`client_value`] makes once for each connection.
    pub fn insert_headers(&self, uri: &Uri, headers: &mut HeaderMap, client: &HeaderValue) {
        const SLASH: HeaderValue = HeaderValue::from_static("/");
        headers.reserve(7 + self.entry.parameters.len());
        let scheme = uri.scheme_str().unwrap_or("http").as_bytes();
        let host = headers.get(header::HOST).map_or(b"localhost".as_slice(), HeaderValue::as_bytes);
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).as_bytes();
        insert_bytes(headers, FULL_URL, [scheme, b"://", host, path].concat());
        insert_bytes(headers, PATH_INFO, self.path_info().into_owned().into_bytes());
        headers.insert(MATCHED_ROUTE, self.entry.matched.clone());
        headers.insert(COMPONENT_ROUTE, self.entry.component.clone());
        headers.insert(RAW_COMPONENT_ROUTE, self.entry.raw_component.clone());
        headers.insert(BASE_PATH, SLASH);
        headers.insert(CLIENT_ADDR, client.clone());
        for (name, value) in self.parameters() {
            insert_bytes(headers, name.clone(), value.as_bytes().to_vec());
        }
    }
}

/// The value of `spin-client-addr`.
pub fn client_value(address: SocketAddr) -> HeaderValue {
    // An address and port in text are ASCII; the fallback is for the type.
    HeaderValue::from_str(&address.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// A path that cannot be a header's value (it would have to hold a control character) leaves no header behind, least
/// of all the client's.
fn insert_bytes(headers: &mut HeaderMap, name: HeaderName, value: Vec<u8>) {
    match HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
        Ok(value) => drop(headers.insert(name, value)),
        Err(_) => drop(headers.remove(name)),
    }
}

#[cfg(test)]
mod tests;

//! Which component answers a request, and what Spin tells it about the route. The patterns are described in
//! [`spin_app::route`].

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::Uri;
use spin_app::manifest::{Manifest, Route};
use spin_app::route::{Pattern, RouteError, chained_component};

/// The address that a component sees when another component of the app calls it.
pub(crate) const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// The app's routes. A component is named by its place in [`Manifest::components`].
#[derive(Debug)]
pub(crate) struct Router {
    routes: routefinder::Router<(usize, RouteEntry)>,
    /// Every component that has a trigger, public or private: those that others of the app can call.
    callable: Vec<(String, usize)>,
    chained: RouteEntry,
}

/// A route with everything about it that can be known before a request.
#[derive(Debug)]
struct RouteEntry {
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
    ///
    /// A route is not a valid pattern.
    pub(crate) fn new(manifest: &Manifest) -> Result<Self, RouteError> {
        const ANY: &str = "/...";
        let chained = RouteEntry::new(ANY, &Pattern::parse(ANY)?);
        let mut router = Self { routes: routefinder::Router::new(), callable: Vec::new(), chained };
        for trigger in &manifest.triggers {
            let place = manifest.components.iter().position(|component| component.id == trigger.component);
            let index = place.unwrap_or_default();
            if let Route::Public(written) = &trigger.route {
                let pattern = Pattern::parse(written)?;
                let entry = RouteEntry::new(written, &pattern);
                let Ok(()) = router.routes.add(pattern.spec, (index, entry));
            }
            router.callable.push((trigger.component.clone(), index));
        }
        Ok(router)
    }

    /// The route for a path from outside; private components have none.
    pub(crate) fn route<'r, 'p>(&'r self, path: &'p str) -> Option<RouteMatch<'r, 'p>> {
        self.routes.iter().find_map(|(spec, (component, entry))| {
            spec.matches(path).map(|captures| RouteMatch { component: *component, entry, captures, path })
        })
    }

    /// The route for a request from one component to another: `host` is `COMPONENT.spin.internal`, with or without a
    /// port. Spin treats it as a match of `/...` and hands over the whole path.
    ///
    /// `None` if the host is another, or no trigger names that component.
    pub(crate) fn route_chained<'r, 'p>(&'r self, host: &str, path: &'p str) -> Option<RouteMatch<'r, 'p>> {
        let id = chained_component(host)?;
        let (_, component) = self.callable.iter().find(|(callable, _)| callable == id)?;
        Some(RouteMatch { component: *component, entry: &self.chained, captures: vec![path], path })
    }
}

impl RouteEntry {
    fn new(written: &str, pattern: &Pattern) -> Self {
        // A pattern consists of visible ASCII characters; the fallback is for the type.
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        Self {
            parameters: pattern.parameters.clone(),
            matched: value(&pattern.absolute),
            component: value(written.strip_suffix("/...").unwrap_or(written)),
            raw_component: value(written),
        }
    }
}

/// A path's route.
#[derive(Debug)]
pub(crate) struct RouteMatch<'r, 'p> {
    component: usize,
    entry: &'r RouteEntry,
    /// What each parameter and the wildcard took, in the order of the pattern.
    captures: Vec<&'p str>,
    path: &'p str,
}

impl<'p> RouteMatch<'_, 'p> {
    /// The place in [`Manifest::components`] of the component that answers.
    pub(crate) fn component_index(&self) -> usize {
        self.component
    }

    /// The pattern that the path matches.
    pub(crate) fn pattern(&self) -> &HeaderValue {
        &self.entry.matched
    }

    /// What the trailing wildcard took, and the slashes around it; empty for any other route.
    fn path_info(&self) -> Cow<'p, str> {
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

    /// Adds the headers with which Spin describes a request, instead of any that the client sent under these names.
    ///
    /// `uri` is the request's, with its scheme; `headers` are the request's, with its `host`. `client` is
    /// the address and port of the caller, which [`client_value`] makes once for each connection.
    pub(crate) fn insert_headers(&self, uri: &Uri, headers: &mut HeaderMap, client: &HeaderValue) {
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
        for (name, value) in self.entry.parameters.iter().zip(&self.captures) {
            insert_bytes(headers, name.clone(), value.as_bytes().to_vec());
        }
    }
}

/// The value of `spin-client-addr`.
pub(crate) fn client_value(address: SocketAddr) -> HeaderValue {
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

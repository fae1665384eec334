//! Which proxy is to be used.

use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// The proxies that `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY` name, in capitals or not, save for what `NO_PROXY` lists.
#[derive(Clone, Debug)]
pub(crate) struct Proxies(Arc<Matcher>);

impl Proxies {
    pub(crate) fn from_environment() -> Self {
        Self(Arc::new(Matcher::from_env()))
    }

    #[cfg(test)]
    pub(crate) fn new(matcher: Matcher) -> Self {
        Self(Arc::new(matcher))
    }

    /// The proxy for requests to `uri`. This machine's own addresses have none: a proxy would look for them on its own.
    pub(crate) fn of(&self, uri: &Uri) -> Option<Intercept> {
        if uri.host().is_none_or(is_this_machine) {
            return None;
        }
        self.0.intercept(uri)
    }
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(
        |_| host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_needs_no_proxy() {
        let proxies = Proxies::new(
            Matcher::builder().all("http://proxy.test:3128").no("internal.test,10.0.0.0/8").build(),
        );
        for (uri, proxied) in [
            ("http://model.test", true),
            ("https://model.test:8443/v1", true),
            ("https://localhost.test", true),
            ("http://10.1.2.3", false),
            ("http://internal.test", false),
            ("http://a.internal.test", false),
            ("http://localhost:8080", false),
            ("http://LOCALHOST", false),
            ("http://model.localhost", false),
            ("https://127.0.0.1", false),
            ("http://127.1.2.3:1", false),
            ("http://[::1]:8080", false),
            ("http://[::ffff:127.0.0.1]", false),
            ("http://[2001:db8::1]", true),
        ] {
            assert_eq!(proxies.of(&uri.parse().unwrap()).is_some(), proxied, "{uri}");
        }
    }
}

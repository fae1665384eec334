//! The visitor that a request comes from.

use experiment::VisitorId;
use http::HeaderMap;

/// The visitor of the request's cookie, if it has one.
pub fn of(headers: &HeaderMap) -> Option<VisitorId> {
    headers.get_all("cookie").iter().find_map(|header| VisitorId::from_cookies(header.to_str().ok()?))
}

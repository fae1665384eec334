//! The address that a request comes from, as far as limits and votes tell visitors apart by it. It goes into no log and no store.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};

/// The header in which the host names the client.
const CLIENT: &str = "spin-client-addr";

/// The address of a request: an IPv4 address, or the first half of an IPv6 one, of which a visitor has a whole network.
///
/// Of `header`, which the operator's own proxy sets, the last entry counts: those before it may be what the client sent. Without the
/// header, or where a request lacks it, the address of the client that the host names.
pub fn of(headers: &HeaderMap, header: Option<&HeaderName>) -> String {
    let last = |entry: &str| entry.rsplit(',').next().map(str::trim).filter(|it| !it.is_empty()).map(network);
    let named = |name: &str| headers.get_all(name).iter().next_back()?.to_str().ok().and_then(last);
    header.and_then(|header| named(header.as_str())).or_else(|| named(CLIENT)).unwrap_or_default()
}

/// The part of an address that tells visitors apart, without the port; anything that is not an address is left unchanged.
fn network(text: &str) -> String {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = text.parse().map(|address: SocketAddr| address.ip()).or_else(|_| bare.parse::<IpAddr>());
    match address.map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.to_string(),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let cases: [(&[(&str, &str)], &str); 14] = [
            (&[], ""),
            (&[("spin-client-addr", "203.0.113.7:4711")], "203.0.113.7"),
            (&[("spin-client-addr", "[2001:db8:0:1:2::3]:4711")], "2001:db8:0:1::/64"),
            (&[("spin-client-addr", "[::ffff:203.0.113.7]:4711")], "203.0.113.7"),
            (&[("x-forwarded-for", "203.0.113.7"), ("spin-client-addr", "10.0.0.1:80")], "203.0.113.7"),
            (&[("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7"),
            (&[("x-forwarded-for", "1.1.1.1, 2001:db8::1,  203.0.113.7 ")], "203.0.113.7"),
            (&[("x-forwarded-for", "1.1.1.1,[2001:db8::1]")], "2001:db8::/64"),
            (&[("x-forwarded-for", "2001:db8::ffff:1")], "2001:db8::/64"),
            (&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")], "2.2.2.2"),
            // A proxy may give names that are no addresses.
            (&[("x-forwarded-for", "1.1.1.1, _hidden")], "_hidden"),
            (&[("x-forwarded-for", ""), ("spin-client-addr", "10.0.0.1:80")], "10.0.0.1"),
            (&[("x-forwarded-for", "1.1.1.1,"), ("spin-client-addr", "10.0.0.1:80")], "10.0.0.1"),
            (&[("x-real-ip", "1.1.1.1"), ("spin-client-addr", "10.0.0.1:80")], "10.0.0.1"),
        ];
        let header = HeaderName::from_static("x-forwarded-for");
        for (sent, address) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                headers.append(*name, value.parse().unwrap());
            }
            assert_eq!(of(&headers, Some(&header)), address, "{sent:?}");
        }
    }

    #[test]
    fn a_header_that_nobody_named_is_what_the_client_says() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "1.1.1.1".parse().unwrap());
        headers.insert("spin-client-addr", "10.0.0.1:80".parse().unwrap());
        assert_eq!(of(&headers, None), "10.0.0.1");
    }
}

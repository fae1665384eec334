//! Hiding what must not be shown.

use url::Url;

/// A URL without the password in it, to be shown.
pub fn without_password(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return "(not a URL)".to_owned() };
    // The address of a socket has the password among its parameters, that of a cloud's store a token. Their names may be
    // written with escapes.
    let hide = |parameter: &'_ str| {
        let mut names = form_urlencoded::parse(parameter.as_bytes()).map(|(name, _)| name);
        match names.find(|name| matches!(&**name, "pass" | "token")) {
            Some(name) => format!("{name}=***"),
            None => parameter.to_owned(),
        }
    };
    let query = parsed.query().map(|query| query.split('&').map(hide).collect::<Vec<_>>().join("&"));
    if parsed.password().is_none() && query.as_deref() == parsed.query() {
        return url.to_owned();
    }
    // Fails only for a URL that cannot have a password.
    let _ = parsed.set_password(parsed.password().is_some().then_some("***"));
    parsed.set_query(query.as_deref());
    parsed.into()
}

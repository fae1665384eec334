//! The query string, as browsers and `curl --data-urlencode` write it.

use percent_encoding::percent_decode_str;
use problem::Problem;
use std::fmt::Display;
use std::str::FromStr;

/// The parameters of a request. Unknown ones are ignored; of a repeated one the first counts.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        // Otherwise a key that is not UTF-8 would be taken for another one.
        if percent_decode_str(text).decode_utf8().is_err() {
            return Err(Problem::bad_request("The query is not UTF-8 once its percent escapes are decoded."));
        }
        Ok(Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect()))
    }

    /// The value of the parameter, where it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The parameter read as `T`.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error| {
            Problem::bad_request(format!("The parameter `{name}` is {text:?}, which is not valid: {error}."))
        })
    }

    /// A switch: absent is `false`; `name`, `name=true` and `name=1` are `true`.
    pub(crate) fn switch(&self, name: &str) -> Result<bool, Problem> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(other) => {
                Err(Problem::bad_request(format!("The parameter `{name}` is {other:?}; use true or false.")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let query =
            Query::parse("prefix=a%2Bb+c&limit=20&values&after=%F0%9F%98%80&x=1=2&&limit=30").unwrap();
        assert_eq!(query.get("prefix"), Some("a+b c"));
        assert_eq!(query.get("after"), Some("😀"));
        assert_eq!(query.get("x"), Some("1=2"));
        assert_eq!(query.get("contains"), None);
        assert_eq!(query.parsed::<usize>("limit").unwrap(), Some(20));
        assert!(query.switch("values").unwrap());
        assert!(!query.switch("dry_run").unwrap());
    }

    #[test]
    fn values_that_are_not_valid_are_named() {
        assert!(Query::parse("a=%ff").is_err());
        let query = Query::parse("limit=-1&values=perhaps").unwrap();
        assert!(query.parsed::<usize>("limit").unwrap_err().detail().contains("`limit` is \"-1\""));
        assert!(query.switch("values").is_err());
    }

    #[test]
    fn fuzz() {
        fuzz::text(
            &["prefix=a%2Bb+c&limit=20&values&after=%F0%9F%98%80", "sorted=false&contains=x"],
            |text| {
                let Ok(query) = Query::parse(text) else { return };
                let _ = (query.parsed::<usize>("limit"), query.switch("values"), query.get("after"));
            },
        );
    }
}

//! Telling visitors apart by a first-party cookie, so that each keeps their variant.

use std::fmt;

use rand::TryRng;

use crate::hex;

/// How long a browser keeps the cookie, in seconds: 180 days.
const MAX_AGE: u32 = 180 * 24 * 60 * 60;

/// A visitor: 128 random bits, which say nothing about the person.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct VisitorId([u8; Self::DIGITS]);

impl VisitorId {
    /// The name of the cookie.
    pub const COOKIE: &'static str = "visitor";

    /// How many hex digits an id has.
    const DIGITS: usize = 32;

    /// A new visitor. The random source has to be the operating system's, so that no two instances give out the same id.
    pub fn random<R: TryRng>(rng: &mut R) -> Result<Self, R::Error> {
        let mut bytes = [0; Self::DIGITS / 2];
        rng.try_fill_bytes(&mut bytes)?;
        Ok(Self(hex::first(&bytes)))
    }

    /// The visitor that a `Cookie` header names: the first well-formed one.
    ///
    /// ```
    /// use experiment::VisitorId;
    ///
    /// let visitor = VisitorId::from_cookies("theme=dark; visitor=00112233445566778899aabbccddeeff");
    /// assert_eq!(visitor.unwrap().as_str(), "00112233445566778899aabbccddeeff");
    /// ```
    pub fn from_cookies(header: &str) -> Option<Self> {
        header.split(';').find_map(|cookie| {
            let (name, value) = cookie.split_once('=')?;
            let digits: [u8; Self::DIGITS] = value.trim().as_bytes().try_into().ok()?;
            let valid = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            (name.trim() == Self::COOKIE && valid).then_some(Self(digits))
        })
    }

    /// The hex digits: what [`Experiment::assign_visitor`](crate::Experiment::assign_visitor) takes.
    pub fn as_str(&self) -> &str {
        // The digits are ASCII, so this is always the whole of them.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The value of a `Set-Cookie` header. Scripts cannot read the cookie, and other sites' requests do not carry it. It is not
    /// `Secure`, because it guards nothing and an experiment may run on plain HTTP.
    pub fn set_cookie(&self) -> String {
        format!("{}={self}; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax", Self::COOKIE)
    }
}

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::SmallRng};

    use super::*;

    const ID: &str = "00112233445566778899aabbccddeeff";

    #[test]
    fn cookies() {
        let cases = [
            (format!("visitor={ID}"), true),
            (format!("a=b; visitor={ID}; c=d"), true),
            (format!("a=b;visitor = {ID} "), true),
            (format!("visitor=x; visitor={ID}"), true),
            (format!("flag; ;visitor={ID}"), true),
            (String::new(), false),
            ("visitor".to_owned(), false),
            ("visitor=".to_owned(), false),
            (format!("visitors={ID}"), false),
            (format!("Visitor={ID}"), false),
            (format!("visitor={ID}0"), false),
            (format!("visitor={}", &ID[1..]), false),
            (format!("visitor=\"{ID}\""), false),
            (format!("visitor={}", ID.to_uppercase()), false),
            (format!("visitor={}é", &ID[2..]), false),
        ];
        for (header, found) in cases {
            let visitor = VisitorId::from_cookies(&header);
            assert_eq!(visitor.as_ref().map(VisitorId::as_str), found.then_some(ID), "{header:?}");
        }
    }

    #[test]
    fn a_new_visitor_comes_back() {
        let mut rng = SmallRng::seed_from_u64(7);
        let (one, other) = (VisitorId::random(&mut rng).unwrap(), VisitorId::random(&mut rng).unwrap());
        assert_ne!(one, other);
        let header = one.set_cookie();
        assert!(header.ends_with("; Path=/; Max-Age=15552000; HttpOnly; SameSite=Lax"), "{header}");
        assert_eq!(VisitorId::from_cookies(header.split(';').next().unwrap()), Some(one));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(header in any::<String>()) {
            let _ = VisitorId::from_cookies(&header);
        }
    }

    #[test]
    fn fuzz() {
        fuzz::text(&["a=b; visitor=0123456789abcdef0123456789abcdef; c"], |header| {
            let _ = VisitorId::from_cookies(header);
        });
    }
}

//! A number in a store. Spin's `SQLite` stores keep it as 8 bytes, least significant first, its Redis stores as decimal text.

/// The number that a value holds; `None` for a value that is no counter.
///
/// Text is told from bytes by being all digits: as bytes, eight of them would be a number beyond 3·10¹⁸, which no counter reaches.
pub fn read(value: &[u8]) -> Option<u64> {
    let text = str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match text.and_then(|text| text.parse().ok()) {
        Some(number) => Some(number),
        None => i64::from_le_bytes(value.try_into().ok()?).try_into().ok(),
    }
}

/// The value that holds a number, in a Redis store or in an `SQLite` one.
pub fn value(number: i64, in_redis: bool) -> Vec<u8> {
    if in_redis { number.to_string().into_bytes() } else { number.to_le_bytes().to_vec() }
}

/// Whether a value is a counter, of whatever sign.
pub fn is_one(value: &[u8]) -> bool {
    let text = str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
    text.is_some() || value.len() == size_of::<i64>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values() {
        let cases: [(&[u8], Option<u64>); 9] = [
            (b"0", Some(0)),
            (b"12345678", Some(12_345_678)),
            (b"1000000", Some(1_000_000)),
            (&258_i64.to_le_bytes(), Some(258)),
            (&0_i64.to_le_bytes(), Some(0)),
            (&(-1_i64).to_le_bytes(), None),
            (b"", None),
            (b"-1", None),
            (b"not a number", None),
        ];
        for (value, number) in cases {
            assert_eq!(read(value), number, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn both_forms(number in 0_i64..3_000_000_000_000_000_000) {
            prop_assert_eq!(read(&number.to_le_bytes()), u64::try_from(number).ok());
            prop_assert_eq!(read(number.to_string().as_bytes()), u64::try_from(number).ok());
        }

        #[test]
        fn any_value_is_read_without_panic(value in any::<Vec<u8>>()) {
            let _ = read(&value);
        }
    }
}

//! Numbers in stores: to which many add at the same time, and none is lost.
//!
//! Spin's `SQLite` stores keep one as 8 bytes, least significant first, its Redis stores as decimal text. Whoever copies between the two
//! converts with [`converted`](crate::conversion::converted).

/// The number that a value holds; `None` for a value that is not a counter.
///
/// Text is told from bytes by being all digits: as bytes, eight of them would be a number beyond 3·10¹⁸, which no counter reaches.
pub fn read(value: &[u8]) -> Option<i64> {
    if is_text(value) {
        return str::from_utf8(value).ok()?.parse().ok();
    }
    Some(i64::from_le_bytes(value.try_into().ok()?))
}

/// The count that a value holds: 0 for none, for a value that is not a counter, and below 0, where something was taken away that had never
/// been counted.
pub fn count(value: Option<&[u8]>) -> u64 {
    value.and_then(read).and_then(|number| number.try_into().ok()).unwrap_or(0)
}

/// The value that holds a number, in a Redis store or in an `SQLite` one.
pub fn value(number: i64, in_redis: bool) -> Vec<u8> {
    if in_redis { number.to_string().into_bytes() } else { number.to_le_bytes().to_vec() }
}

/// Whether a value is the text of a whole number.
pub(crate) fn is_text(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values() {
        let cases: [(&[u8], Option<i64>, u64); 10] = [
            (b"0", Some(0), 0),
            (b"12345678", Some(12_345_678), 12_345_678),
            (b"1000000", Some(1_000_000), 1_000_000),
            (&258_i64.to_le_bytes(), Some(258), 258),
            (&0_i64.to_le_bytes(), Some(0), 0),
            (&(-1_i64).to_le_bytes(), Some(-1), 0),
            (b"", None, 0),
            (b"-", None, 0),
            (b"-1", Some(-1), 0),
            (b"not a number", None, 0),
        ];
        for (value, number, counted) in cases {
            assert_eq!((read(value), count(Some(value))), (number, counted), "{value:?}");
        }
        assert_eq!(count(None), 0);
    }

    proptest! {
        #[test]
        fn both_forms(number in -3_000_000_000_000_000_000_i64..3_000_000_000_000_000_000) {
            for in_redis in [false, true] {
                prop_assert_eq!(read(&value(number, in_redis)), Some(number));
            }
        }

        #[test]
        fn any_value_is_read_without_panic(value in any::<Vec<u8>>()) {
            let _ = read(&value);
        }
    }
}

//! Bytes as lower-case hex digits.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of each byte.
fn digits(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|nibble| DIGITS[usize::from(nibble)])
}

/// Appends the digits of `bytes` to a text.
pub(crate) fn append(text: &mut String, bytes: &[u8]) {
    text.extend(digits(bytes).map(char::from));
}

/// The first `N` digits of `bytes`; zeros where there are fewer.
pub(crate) fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [b'0'; N];
    text.iter_mut().zip(digits(bytes)).for_each(|(place, digit)| *place = digit);
    text
}

//! Which sentences all variants answer: one answer is served, the others are given in its shadow.

use sha2::{Digest, Sha256};

use crate::statistics::real;

/// Whether a sentence is among the `share` (0 to 1) that all variants answer. A hash of it decides, so it is in or out whoever asks
/// and however often.
pub fn is_chosen(sentence: &str, share: f32) -> bool {
    let digest = Sha256::digest(sentence);
    let first = digest.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    real(first.into()) < f64::from(share) * f64::from(u32::MAX) + f64::from(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_kept() {
        let chosen =
            |share| (0..10_000).filter(|number| is_chosen(&format!("Sentence {number}"), share)).count();
        assert_eq!((chosen(0.0), chosen(1.0)), (0, 10_000));
        // Standard deviations of 30 and 50.
        assert!(chosen(0.1).abs_diff(1_000) < 150, "{}", chosen(0.1));
        assert!(chosen(0.5).abs_diff(5_000) < 250, "{}", chosen(0.5));
    }

    #[test]
    fn a_larger_share_keeps_what_is_in() {
        for number in 0..1_000 {
            let sentence = number.to_string();
            assert!(!is_chosen(&sentence, 0.2) || is_chosen(&sentence, 0.3));
        }
    }
}

//! Numbers as people read them, the same wherever results are shown.

use crate::statistics::Interval;

/// A count with thousands separators: `1,616`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, whose plural ends in s: `1 sentence`, `330 sentences`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// A share of 1: `71.2%`.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A share of 1 without needless digits: `5%`, `98.3%`.
pub fn short_percent(share: f64) -> String {
    format!("{}%", rounded(share * 100.0))
}

/// A probability that is never shown as certain: `97.5%`, `> 99.9%`.
pub fn chance(probability: f64) -> String {
    match probability {
        _ if probability > 0.999 => "> 99.9%".to_owned(),
        _ if probability < 0.001 => "< 0.1%".to_owned(),
        _ => percent(probability),
    }
}

/// A difference of shares, signed, in points: `+3.9`.
pub fn points(difference: f64) -> String {
    let points = (difference * 1_000.0).round() / 10.0;
    match points {
        _ if points > 0.0 => format!("+{points:.1}"),
        _ if points < 0.0 => format!("−{:.1}", points.abs()),
        _ => "0.0".to_owned(),
    }
}

/// The size of a difference of shares, with its unit: `1 point`, `8.5 points`.
pub fn size(difference: f64) -> String {
    let points = rounded(difference.abs() * 100.0);
    let unit = if points == "1" { "point" } else { "points" };
    format!("{points} {unit}")
}

/// An interval of a difference of shares: `−0.4 to +8.2`.
pub fn range(interval: Interval) -> String {
    format!("{} to {}", points(interval.low), points(interval.high))
}

/// Accuracy given away, in points, never shown as nothing: `0.05 points`.
pub fn loss(accuracy: f64) -> String {
    if accuracy < 0.000_1 { "< 0.01 points".to_owned() } else { format!("{:.2} points", accuracy * 100.0) }
}

/// A p-value with its relation, never shown as 0: `p = 0.0466`.
pub fn p_value(p: f64) -> String {
    if p < 0.000_1 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
}

/// A time in milliseconds: `210 ms`, `2.1 s`.
pub fn duration(milliseconds: f64) -> String {
    if milliseconds.round() < 1_000.0 {
        format!("{milliseconds:.0} ms")
    } else {
        format!("{} s", rounded(milliseconds / 1_000.0))
    }
}

/// A number to one place, which is left out where it is 0: `10`, `8.5`.
pub fn rounded(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let interval = Interval { low: -0.004_4, high: 0.082 };
        for (text, expected) in [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_000), "1,000"),
            (count(12_345_678), "12,345,678"),
            (counted(1, "sentence"), "1 sentence"),
            (counted(1_330, "sentence"), "1,330 sentences"),
            (percent(0.712_1), "71.2%"),
            (percent(1.0), "100.0%"),
            (short_percent(0.05), "5%"),
            (short_percent(1.0 - 0.05 / 3.0), "98.3%"),
            (chance(0.999_5), "> 99.9%"),
            (chance(0.000_5), "< 0.1%"),
            (chance(0.5), "50.0%"),
            (points(0.039), "+3.9"),
            (points(-0.004_4), "−0.4"),
            (points(-0.000_4), "0.0"),
            (points(0.0), "0.0"),
            (points(-1.0), "−100.0"),
            (size(0.01), "1 point"),
            (size(-0.084_8), "8.5 points"),
            (size(0.1), "10 points"),
            (range(interval), "−0.4 to +8.2"),
            (loss(0.000_05), "< 0.01 points"),
            (loss(0.411), "41.10 points"),
            (p_value(0.046_61), "p = 0.0466"),
            (p_value(1e-9), "p < 0.0001"),
            (duration(0.4), "0 ms"),
            (duration(999.6), "1 s"),
            (duration(2_140.0), "2.1 s"),
        ] {
            assert_eq!(text, expected);
        }
    }
}

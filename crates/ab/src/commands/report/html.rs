//! The report as a page that needs nothing else: no script, no other host, light and dark.
//!
//! All text goes through `maud`, which escapes it. A policy in the page itself forbids everything but its own style, in
//! case a way around that is ever found.

mod charts;

use experiment::analysis::{Comparison, Report, VariantReport};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::words;

const STYLE: &str = include_str!("html/page.css");

/// The end of every page.
pub(crate) const TAIL: &str = "</main></body></html>\n";

/// The start of a page, up to its content: a title and some facts.
pub(crate) fn head(title: &str, facts: &[String]) -> Markup {
    html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body><main>"))
        h1 { (title) }
        ul.facts { @for fact in facts { li { (fact) } } }
    }
}

/// A report as sections of a page, the verdict first. `above` are rows for the table of numbers, above the
/// metrics.
pub(crate) fn report(report: &Report, above: &[(String, Vec<String>)]) -> Markup {
    html! {
        @if let Some(decision) = &report.decision {
            // What the assignments put in doubt does not look settled.
            @let doubtful = report.sample_ratio.iter().any(|phase| phase.mismatch);
            p.verdict.decided[decision.winner.is_some() && !doubtful] { (words::verdict(decision)) }
        }
        @if !report.warnings.is_empty() {
            section aria-labelledby="warnings" {
                h2 #warnings { "Before you conclude" }
                ul.warnings {
                    @for notice in &report.warnings {
                        li { strong { (notice.message) } " " (notice.advice) }
                    }
                }
            }
        }
        section aria-labelledby="numbers" {
            h2 #numbers { "Numbers" }
            (numbers(report, above))
        }
        section aria-labelledby="accuracy" {
            h2 #accuracy { "Accuracy" }
            p.note { "The point is the observed share of right answers, the line its 95% interval." }
            (charts::accuracies(&report.variants))
        }
        @if !report.comparisons.is_empty() {
            section aria-labelledby="comparison" {
                h2 #comparison { "Comparison" }
                @for comparison in &report.comparisons { (compared(comparison, report.comparisons.len() > 1)) }
            }
        }
        section aria-labelledby="answers" {
            h2 #answers { "Answers" }
            (charts::shares(&report.variants))
            @for variant in report.variants.iter().filter(|variant| variant.accuracy.is_some()) {
                (confusion(variant))
            }
        }
        @if !report.sample_ratio.is_empty() { (assignments(report)) }
    }
}

/// How the numbers came about, as the last section of a page.
pub(crate) fn method(report: &Report) -> Markup {
    let method = &report.method;
    html! {
        section aria-labelledby="method" {
            h2 #method { "How this was computed" }
            p { (method.description) }
            p {
                "α = " (method.alpha) ", " (method.alpha_each) " for each comparison; tightest at "
                (words::count(method.planned)) " observations; nothing is decided before "
                (method.minimum_labelled) " labelled sentences of each."
            }
        }
    }
}

fn numbers(report: &Report, above: &[(String, Vec<String>)]) -> Markup {
    let table = html! {
        table {
            thead { tr { td {} @for variant in &report.variants { th scope="col" { (variant.label) } } } }
            tbody {
                @for (name, cells) in above.iter().chain(&words::metrics(&report.variants)) {
                    tr { th scope="row" { (name) } @for cell in cells { td { (cell) } } }
                }
            }
        }
    };
    scrolling("Numbers", &table)
}

/// A comparison; its verdict is that of the whole page where there is no other.
fn compared(comparison: &Comparison, of_several: bool) -> Markup {
    let Comparison { first, second, pairs, seen_by_both, chance_to_win, expected_loss, .. } = comparison;
    html! {
        h3 { (second) " against " (first) }
        @if of_several { p { (words::verdict(&comparison.decision)) } }
        @if let Some(difference) = &comparison.difference {
            (charts::difference(difference, first, second))
        }
        dl {
            dt { "Compared" } dd { (words::evidence(comparison)) }
            @if let Some(difference) = &comparison.difference {
                dt { "Difference" } dd { (words::difference(difference)) }
            }
            @if let Some(p) = comparison.mcnemar_p {
                dt { "Right answers" }
                dd {
                    "both " (words::count(pairs.both)) ", only " (first) " " (words::count(pairs.only_first))
                    ", only " (second) " " (words::count(pairs.only_second)) ", neither " (words::count(pairs.neither))
                }
                dt { "McNemar, exact" } dd { "p " (words::probability(p)) " (describes, decides nothing)" }
            }
            @if seen_by_both.n > 0 {
                dt { "Disagreements" }
                dd { (words::count(seen_by_both.differ)) " of " (words::counted(seen_by_both.n, "sentence", "sentences")) }
            }
            dt { "Chance to win" }
            dd { (first) " " (words::percent(chance_to_win.first)) ", " (second) " " (words::percent(chance_to_win.second)) }
            dt { "Expected loss" }
            dd {
                (format!("{:.1} points by choosing {first}, ", expected_loss.first * 100.0))
                (format!("{:.1} by choosing {second}", expected_loss.second * 100.0))
            }
        }
    }
}

fn confusion(variant: &VariantReport) -> Markup {
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), words::percent);
    let table = html! {
        table.confusion {
            thead {
                tr {
                    td {}
                    @for outcome in &variant.outcomes { th scope="col" { (outcome.outcome) } }
                    th scope="col" { "precision" } th scope="col" { "recall" } th scope="col" { "F1" }
                }
            }
            tbody {
                @for row in &variant.confusion {
                    @let total = row.counts.iter().sum::<u64>().max(1);
                    tr {
                        th scope="row" { (row.expected) }
                        @for (outcome, count) in variant.outcomes.iter().zip(&row.counts) {
                            @let percent = count * 100 / total;
                            td.right[outcome.outcome == row.expected] style=(format!("--share: {percent}%")) {
                                (words::count(*count))
                            }
                        }
                        td { (share(row.quality.precision)) }
                        td { (share(row.quality.recall)) }
                        td { (row.quality.f1.map_or_else(|| "–".to_owned(), |f1| format!("{f1:.3}"))) }
                    }
                }
            }
        }
    };
    html! {
        h3 { (variant.label) }
        p.note { "What was expected in rows, what was answered in columns." }
        (scrolling(&format!("Answers of {}", variant.label), &table))
    }
}

fn assignments(report: &Report) -> Markup {
    html! {
        section aria-labelledby="assignments" {
            h2 #assignments { "Assignments" }
            @for phase in &report.sample_ratio {
                p {
                    "Phase " (phase.phase) ": "
                    @for (index, variant) in phase.variants.iter().enumerate() {
                        @if index > 0 { ", " }
                        (variant.label) " " (words::count(variant.assigned)) " (weight " (variant.weight) ")"
                    }
                    "; p " (words::probability(phase.p_value))
                    @if phase.mismatch { ": they do not follow the weights" }
                    "."
                }
            }
        }
    }
}

/// A part that may be wider than a phone: it scrolls by itself, also with the keyboard.
fn scrolling(name: &str, content: &Markup) -> Markup {
    html! { div.scrolling role="region" aria-label=(name) tabindex="0" { (content) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let title = "</title><script>alert(1)</script>";
        let page = head(title, &["<img src=x onerror=\"alert(1)\">".to_owned()]).into_string();
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    #[test]
    fn the_style_asks_nobody_else() {
        for word in ["url(", "@import", "http:", "https:", "</"] {
            assert!(!STYLE.contains(word), "{word}");
        }
    }
}

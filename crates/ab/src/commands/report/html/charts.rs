//! Charts as inline SVG. Places are percentages, so that a chart is as wide as its page and its text keeps its size.
//! Each says in words what it shows; the numbers stand beside it as text.

use experiment::analysis::{Difference, VariantReport};
use experiment::statistics::Interval;
use maud::{Markup, html};

use crate::commands::report::words;

/// Each variant's accuracy with its interval, on a scale from 0 to 100%.
pub(super) fn accuracies(variants: &[VariantReport]) -> Markup {
    html! {
        div.chart {
            @for variant in variants {
                div.name { (variant.label) }
                @match &variant.accuracy {
                    Some(accuracy) => {
                        @let text = words::proportion(accuracy);
                        svg role="img" aria-label=(format!("Accuracy of {}: {text}", variant.label)) {
                            (scale())
                            line.interval x1=(place(accuracy.low)) x2=(place(accuracy.high)) y1="14" y2="14" {}
                            circle cx=(place(accuracy.value)) cy="14" r="5" {}
                        }
                        div.value { (text) }
                    }
                    None => { div.value.wide { "no labels yet" } }
                }
            }
            div.ends aria-hidden="true" { span { "0%" } span { "50%" } span { "100%" } }
        }
    }
}

/// What each variant answered, as shares of a bar.
pub(super) fn shares(variants: &[VariantReport]) -> Markup {
    let outcomes = variants.first().map_or(&[][..], |variant| &variant.outcomes);
    html! {
        div.chart {
            @for variant in variants {
                @let said: Vec<String> = variant.outcomes.iter()
                    .filter_map(|it| Some(format!("{} {}", it.outcome, words::percent(it.share?)))).collect();
                div.name { (variant.label) }
                @if said.is_empty() {
                    div.value.wide { "no observations yet" }
                } @else {
                    svg role="img" aria-label=(format!("Answers of {}: {}", variant.label, said.join(", "))) {
                        @for (index, (start, share)) in starts(variant).enumerate() {
                            rect class=(format!("share-{index}")) x=(place(start)) y="4" width=(place(share)) height="20" {}
                        }
                    }
                    div.value { "n " (words::count(variant.n)) }
                }
            }
            ul.legend aria-hidden="true" {
                @for (index, outcome) in outcomes.iter().enumerate() {
                    li { span class=(format!("swatch share-{index}")) {} (outcome.outcome) }
                }
            }
        }
    }
}

/// Each outcome's share with the sum of those before it.
fn starts(variant: &VariantReport) -> impl Iterator<Item = (f64, f64)> {
    variant.outcomes.iter().scan(0.0, |end, outcome| {
        let share = outcome.share.unwrap_or(0.0);
        *end += share;
        Some((*end - share, share))
    })
}

/// A difference with both of its intervals, around a line at zero.
pub(super) fn difference(difference: &Difference, first: &str, second: &str) -> Markup {
    let Difference { value, always_valid, fixed } = difference;
    // As wide as what is to be seen, in steps of ten points.
    let bounds = [always_valid.low, always_valid.high, fixed.low, fixed.high, *value];
    let reach = bounds
        .into_iter()
        .fold(0.1_f64, |reach, bound| reach.max((bound.abs() * 10.0).ceil() / 10.0))
        .min(1.0);
    let at = |bound: f64| place((bound / reach).mul_add(0.5, 0.5));
    let row = |name: &str, interval: &Interval, class: &str| {
        let text = words::range(*interval);
        html! {
            div.name { (name) }
            svg role="img" aria-label=(format!("{name}: {text} points")) {
                line.zero x1="50%" x2="50%" y1="0" y2="28" {}
                line class=(format!("interval {class}")) x1=(at(interval.low)) x2=(at(interval.high)) y1="14" y2="14" {}
                circle cx=(at(*value)) cy="14" r="5" {}
            }
            div.value { (text) }
        }
    };
    let ends = (words::points(-reach), words::points(reach));
    html! {
        div.chart {
            (row("Always-valid interval (decides)", always_valid, "always-valid"))
            (row("Fixed 95% interval", fixed, "fixed"))
            div.ends aria-hidden="true" { span { (first) " " (ends.0) } span { "0" } span { (second) " " (ends.1) } }
        }
    }
}

fn scale() -> Markup {
    html! { @for tick in ["0%", "25%", "50%", "75%", "100%"] { line.tick x1=(tick) x2=(tick) y1="2" y2="26" {} } }
}

fn place(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}

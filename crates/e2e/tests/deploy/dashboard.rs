//! The dashboard is one that Grafana can show, and asks for metrics that somebody sends.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::rendered::text;

fn dashboard() -> Value {
    serde_json::from_str(&text("dashboard.json")).unwrap()
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

/// The metrics of the table in README.md, as Prometheus names them, each with who sends it.
fn metrics() -> BTreeMap<String, String> {
    let readme = text("README.md");
    let table = readme.split_once("| Metric |").expect("a table of metrics").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<_> =
            row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [metric, kind, unit, _, source] = cells[..] else { panic!("{row}") };
        let name = metric.replace('.', "_") + if unit == "s" { "_seconds" } else { "" };
        let name = match kind {
            "counter" => name + "_total",
            "histogram" | "gauge" => name,
            other => panic!("{other}"),
        };
        (name, source.to_owned())
    })
    .collect()
}

/// The names before a selector, without what a histogram's series add.
fn asked(expression: &str) -> BTreeSet<String> {
    let before = expression.split('{').rev().skip(1);
    let name = |text: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        text.rsplit(|c| !is_part(c)).next().unwrap_or_default().to_owned()
    };
    let histogram = |name: String| {
        let parts = ["_bucket", "_count", "_sum"].map(|suffix| name.strip_suffix(suffix).map(str::to_owned));
        // `spin.request_count` is not a histogram: its series end in `_total`.
        parts.into_iter().flatten().next().unwrap_or(name)
    };
    before.map(name).filter(|name| !name.is_empty()).map(histogram).collect()
}

#[test]
fn every_panel_asks_something_of_a_source_that_can_be_chosen() {
    let dashboard = dashboard();
    for (place, value) in [("/uid", "sentiment-analysis-ab-test"), ("/time/from", "now-1h")] {
        assert_eq!(dashboard.pointer(place).unwrap(), value);
    }
    assert!(dashboard["schemaVersion"].as_u64() >= Some(36) && dashboard["title"].is_string());
    let variables: BTreeSet<_> = dashboard["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    let mut ids = BTreeSet::new();
    let mut places: Vec<[u64; 4]> = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel:#}");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= 24, "{panel:#}");
        let is_apart =
            |[x2, y2, w2, h2]: &[u64; 4]| x + w <= *x2 || x2 + w2 <= x || y + h <= *y2 || y2 + h2 <= y;
        assert!(places.iter().all(is_apart), "{panel:#}");
        places.push([x, y, w, h]);
    }
    for panel in panels(&dashboard) {
        let targets = panel["targets"].as_array().unwrap();
        assert!(
            !targets.is_empty() && panel["title"].is_string() && panel["description"].is_string(),
            "{panel:#}"
        );
        for target in targets {
            let expression = target["expr"].as_str().unwrap();
            assert_eq!(target["datasource"], panel["datasource"]);
            let source = panel["datasource"]["uid"].as_str().unwrap();
            assert!(variables.contains(source.trim_matches(['$', '{', '}'])), "{source}");
            for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
                assert_eq!(
                    expression.matches(open).count(),
                    expression.matches(close).count(),
                    "{expression}"
                );
            }
            for variable in ["$job", "$stream"].into_iter().filter(|variable| expression.contains(variable)) {
                assert!(variables.contains(&variable[1..]), "{expression}");
            }
        }
    }
}

#[test]
fn every_metric_that_it_asks_for_is_one_that_is_listed_and_the_other_way_round() {
    let metrics = metrics();
    assert!(metrics.len() > 8, "{metrics:?}");
    let sources = ["both runtimes", "Spin", "the embedded runtime"];
    assert!(metrics.values().all(|source| sources.contains(&source.as_str())), "{metrics:?}");
    let dashboard = dashboard();
    let mut shown = BTreeSet::new();
    for panel in panels(&dashboard).filter(|panel| panel["datasource"]["type"] == "prometheus") {
        for target in panel["targets"].as_array().unwrap() {
            let asked = asked(target["expr"].as_str().unwrap());
            assert!(!asked.is_empty(), "{target:#}");
            for name in asked {
                assert!(metrics.contains_key(&name), "README.md does not list {name}: {target:#}");
                shown.insert(name);
            }
        }
    }
    let listed: BTreeSet<_> = metrics.into_keys().collect();
    assert_eq!(shown, listed);
}

#[test]
fn the_request_log_that_it_reads_is_the_one_that_the_app_writes() {
    let dashboard = dashboard();
    let reads: Vec<_> = panels(&dashboard)
        .filter(|panel| panel["datasource"]["type"] == "loki")
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        reads.len() >= 4 && reads.iter().all(|read| read.contains(r#"|= `"event":"sentiment"` | json"#)),
        "{reads:?}"
    );
    let source =
        std::fs::read_to_string(e2e::artifacts::root().join("sentiment-analysis/src/log.rs")).unwrap();
    let line = r#"{"event":"sentiment","status":200,"variant":"promptstore1","outcome":"positive","cached":true,"elapsed_us":0}"#;
    assert!(source.contains(line), "the app's own test has this line");
    let fields: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
    for name in ["status", "variant", "outcome", "cached", "elapsed_us"] {
        assert!(fields.contains_key(name) && reads.iter().any(|read| read.contains(name)), "{name}");
    }
}

//! What shadow answers cost those who are served: new sentences with a slow model server that answers many at once, with and without.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comfy_table::Table;
use comfy_table::presets::ASCII_MARKDOWN;
use e2e::app::App;
use e2e::model_server::{ModelServer, Reply};

/// Sentences that are asked for at the same time.
const AT_ONCE: usize = 32;

/// How often so many are.
const TIMES: usize = 4;

/// Measures with a model that takes `delay`, and prints.
pub(crate) fn run(delay: Duration) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    table.set_header(["shadow", "median", "99 %", "questions to the model"]);
    for shadow in ["0", "1"] {
        let model = ModelServer::start()?;
        model.answer_with(Reply::from("positive").after(delay));
        let app = Arc::new(App::builder().model_server(&model).variable("shadow", shadow).start());
        let mut latencies = Vec::new();
        for time in 0..TIMES {
            let asked = (0..AT_ONCE).map(|number| {
                let app = app.clone();
                runtime.spawn(async move {
                    let started = Instant::now();
                    app.ask(&format!("Sentence {time} {number}")).await;
                    started.elapsed()
                })
            });
            for answer in asked.collect::<Vec<_>>() {
                latencies.push(runtime.block_on(answer)?);
            }
        }
        latencies.sort_unstable();
        let at = |index: usize| {
            format!("{:.3} s", latencies.get(index).copied().unwrap_or_default().as_secs_f64())
        };
        let last = latencies.len().saturating_sub(1);
        let questions = model.requests().len();
        table.add_row([shadow.to_owned(), at(last / 2), at(last * 99 / 100), questions.to_string()]);
    }
    writeln!(std::io::stdout().lock(), "{table}")?;
    Ok(())
}

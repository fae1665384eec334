//! Does what no component should, as the path says: `/hostile/endless-loop`.

#![expect(clippy::panic, clippy::print_stdout, reason = "that is what it is for")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use spin_sdk::http::{Request, Response};
use spin_sdk::http_service;
use spin_sdk::key_value::Store;
use spin_sdk::time::sleep;
use spin_sdk::wasip3::spawn;

/// A page of linear memory, in bytes, and how many make a mebibyte.
const PAGES: usize = (1024 * 1024) / (64 * 1024);

#[http_service]
async fn handle(request: Request) -> Response<Full<Bytes>> {
    let text = match request.uri().path().rsplit('/').next().unwrap_or_default() {
        "endless-loop" => endless_loop(),
        "endless-output" => endless_output(),
        "endless-recursion" => recursion(0).to_string(),
        "all-memory" => all_memory(),
        "keep-memory" => keep_memory().await,
        "sleep-after-answering" => sleep_after_answering(),
        "million-lines" => million_lines(),
        "panic" => panic!("as it was asked to"),
        "foreign-label" => match Store::open("not-granted").await {
            Ok(_) => "opened".to_owned(),
            Err(error) => format!("{error:?}"),
        },
        // Among others: its body is not read.
        _ => "harmless".to_owned(),
    };
    Response::new(Full::new(text.into()))
}

fn endless_loop() -> ! {
    let mut number = 0_u64;
    loop {
        number = black_box(number.wrapping_add(1));
    }
}

fn endless_output() -> ! {
    loop {
        println!("{}", "much ado ".repeat(100));
    }
}

#[expect(unconditional_recursion, reason = "that is what it is for")]
fn recursion(depth: u64) -> u64 {
    black_box(recursion(black_box(depth) + 1)) + 1
}

/// Allocates until there is nothing left, which ends the instance.
fn all_memory() -> String {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1024 * 1024]));
    }
}

/// Takes the memory that it can have, without using it, and keeps it until the client goes away.
async fn keep_memory() -> String {
    // For what this function itself allocates later.
    let reserve = black_box(vec![0_u8; 1024 * 1024]);
    let mut mebibytes = 0;
    while std::arch::wasm32::memory_grow::<0>(PAGES) != usize::MAX {
        mebibytes += 1;
    }
    drop(reserve);
    println!("keeps {mebibytes} MiB");
    sleep(Duration::from_hours(1)).await;
    mebibytes.to_string()
}

/// Occupies the instance for an hour, once it has answered: the call of the host that sleeps lets nothing else of the instance go on.
fn sleep_after_answering() -> String {
    spawn(async {
        // The answer leaves meanwhile.
        sleep(Duration::from_millis(20)).await;
        println!("falls asleep");
        std::thread::sleep(Duration::from_hours(1));
    });
    "answered".to_owned()
}

/// Prints lines like those of the API's log, many in each call of the host.
fn million_lines() -> String {
    let mut out = std::io::BufWriter::with_capacity(32 * 1024, std::io::stdout().lock());
    for number in 0..1_000_000 {
        // What is not printed is counted by the host.
        let _ = writeln!(
            out,
            r#"{{"event":"sentiment","status":200,"variant":"promptstore1","sentiment":"positive","cached":true,"number":{number:07}}}"#
        );
    }
    "printed".to_owned()
}

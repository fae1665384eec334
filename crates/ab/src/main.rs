//! The program. All that it does is in the library, which compiles beside the crates that it needs, not after them.

use std::process::ExitCode;

/// What the runtime allocates per request is small and short-lived, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ab::run()
}

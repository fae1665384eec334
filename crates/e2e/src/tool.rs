//! Programs that tests need and that may be missing.

use std::env;
use std::path::PathBuf;

/// The first of these programs that is installed. Without any, the test that needs it is left out with a notice; in CI
/// it fails.
pub fn find(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = names.iter().find_map(|name| {
        env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    });
    if found.is_none() {
        let missing = names.join(" or ");
        assert!(env::var_os("CI").is_none(), "{missing} is not installed");
        eprintln!("left out: {missing} is not installed");
    }
    found
}

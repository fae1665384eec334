//! One build of the runtime: `cargo ab` and `cargo test` ask the same features of every package that it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;

use e2e::artifacts::root;

/// The packages that `arguments` of `cargo tree` select, each with the features with which it is built.
fn packages(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env::var_os("CARGO").unwrap())
        .args(["tree", "--offline", "--locked", "--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut packages: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        // An empty line parts the trees of two members.
        let Some((package, features)) = line.split_once('|') else { continue };
        // A name and a version; a path or a mark may follow.
        let package = package.split(' ').take(2).collect::<Vec<_>>().join(" ");
        packages.entry(package).or_default().insert(features.to_owned());
    }
    packages
}

#[test]
fn the_command_line_and_the_tests_share_one_build_of_the_runtime() {
    let runtime = packages(&["--package", "host", "--edges", "normal,build"]);
    let command_line = packages(&["--package", "ab", "--edges", "normal,build"]);
    let tests = packages(&["--edges", "normal,build,dev"]);
    assert!(runtime.len() > 100, "{runtime:?}");
    let twice: Vec<String> = runtime
        .keys()
        .filter(|package| command_line.get(*package) != tests.get(*package))
        .map(|package| format!("{package}: {:?} and {:?}", command_line.get(package), tests.get(package)))
        .collect();
    assert!(twice.is_empty(), "built twice:\n{}", twice.join("\n"));
}

#[test]
fn the_macro_for_bindings_and_the_compiler_share_one_build_of_what_reads_webassembly() {
    let command_line = packages(&["--package", "ab", "--edges", "normal,build"]);
    for name in ["bitflags", "memchr", "semver", "serde_core", "wasmparser"] {
        let builds: Vec<_> =
            command_line.iter().filter(|(package, _)| package.starts_with(&format!("{name} v"))).collect();
        assert!(matches!(builds[..], [(_, features)] if features.len() == 1), "built twice: {builds:?}");
    }
}

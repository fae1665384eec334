//! What is tested: the command line and the components, built once for each run of the tests.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// The repository.
pub fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> =
        LazyLock::new(|| fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).unwrap());
    &ROOT
}

/// The command line. It is built as `cargo build` builds it for the whole workspace, unless `AB_E2E_AB` names one that
/// is to be tested as it is, with the components as they were built last.
pub fn ab() -> &'static Path {
    static AB: LazyLock<PathBuf> = LazyLock::new(|| given_ab().unwrap_or_else(built_ab));
    &AB
}

/// Builds the components where `spin.toml` expects them, with the command line's own `build`.
pub fn build_components() {
    static BUILT: LazyLock<()> = LazyLock::new(|| {
        if given_ab().is_none() {
            build(root());
        }
    });
    LazyLock::force(&BUILT);
}

/// The folder of the tests' own app, which is built once as well.
pub fn forwarder() -> &'static Path {
    static FORWARDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = root().join("crates/e2e/forwarder");
        build(&folder);
        folder
    });
    &FORWARDER
}

fn build(app: &Path) {
    let ab = ab();
    let _alone = alone();
    run(Command::new(ab).arg("build").arg("--from").arg(app));
}

fn given_ab() -> Option<PathBuf> {
    env::var_os("AB_E2E_AB").map(PathBuf::from)
}

fn built_ab() -> PathBuf {
    let profile_folder = profile_folder();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let _alone = alone();
    // Without naming a package, so that features are those of the workspace and nothing is compiled twice.
    run(Command::new(cargo)
        .args(["build", "--bin", "ab", "--profile", &profile(), "--target-dir"])
        .arg(profile_folder.parent().unwrap())
        .current_dir(root()));
    profile_folder.join(format!("ab{}", env::consts::EXE_SUFFIX))
}

/// The profile of this build.
pub fn profile() -> String {
    match profile_folder().file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev".to_owned(),
        Some(name) => name.to_owned(),
    }
}

/// The folder of this build, as in `target/debug`: tests are in its folder `deps`, other programs in itself.
fn profile_folder() -> PathBuf {
    let program = env::current_exe().unwrap();
    let folder = program.parent().unwrap();
    if folder.ends_with("deps") { folder.parent().unwrap().to_owned() } else { folder.to_owned() }
}

/// Keeps other test binaries from building meanwhile.
fn alone() -> File {
    let lock = File::create(profile_folder().join(".e2e-build-lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// Runs a command as a person would in a shell: what cargo tells the test of its package would tell the build scripts of
/// some dependencies to run again, and with them half of the build.
fn run(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let of_package = name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
        if of_package {
            command.env_remove(name);
        }
    }
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}

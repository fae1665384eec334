//! The components, each built with its own commands, as `spin build` does, except that those which share their commands are built once.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use spin_app::Manifest;
use spin_app::manifest::Build;

use crate::terminal::{Printer, failure};

/// Runs the build commands of the components with these ids, of all without any. A Rust target for WebAssembly that a
/// command names and that is missing is added with rustup first. Components with the same commands in the same folder are built
/// together, where the first of them stands.
///
/// # Errors
///
/// There is no such component, or a command fails.
pub(crate) fn run(app: &Manifest, ids: &[String], printer: Printer) -> anyhow::Result<()> {
    if let Some(unknown) = ids.iter().find(|id| app.component(id).is_none()) {
        let known: Vec<&str> = app.components.iter().map(|component| component.id.as_str()).collect();
        return Err(failure(format!("there is no component \"{unknown}\" in {}", app.path.display()))
            .hint(format!("its components: {}", known.join(", ")))
            .into());
    }
    let chosen = app.components.iter().filter(|component| ids.is_empty() || ids.contains(&component.id));
    let mut builds: Vec<(Vec<&str>, &Build)> = Vec::new();
    for component in chosen {
        let Some(build) = &component.build else { continue };
        match builds.iter_mut().find(|(_, earlier)| *earlier == build) {
            Some((ids, _)) => ids.push(&component.id),
            None => builds.push((vec![&component.id], build)),
        }
    }
    if builds.is_empty() {
        printer.message("None of the components have a build command.");
        return Ok(());
    }
    add_missing_targets(app, &builds, printer)?;
    for (ids, build) in builds {
        let whose = format!("{} {}", if ids.len() == 1 { "component" } else { "components" }, ids.join(", "));
        let folder = working_folder(app, &whose, build)?;
        for command in &build.commands {
            printer.step("Building", format_args!("{whose} with `{command}`"));
            let status = shell(command)
                .current_dir(&folder)
                .stdin(Stdio::null())
                // Standard output is for the app's own lines.
                .stdout(io::stderr())
                .status()
                .with_context(|| {
                    format!("cannot run the build command of {whose} in {}", folder.display())
                })?;
            if !status.success() {
                return Err(failure(format!("the build command of {whose} failed: {status}"))
                    .hint(format!("it was `{command}` in {}", folder.display()))
                    .into());
            }
        }
    }
    printer.step("Finished", "building all components");
    Ok(())
}

fn working_folder(app: &Manifest, whose: &str, build: &Build) -> anyhow::Result<PathBuf> {
    match build.workdir.as_deref() {
        Some(workdir) if workdir.has_root() => {
            Err(failure(format!("{whose}: the workdir {} must be relative", workdir.display())).into())
        }
        workdir => Ok(workdir.map_or_else(|| app.folder.clone(), |workdir| app.folder.join(workdir))),
    }
}

fn shell(command: &str) -> Command {
    let (program, argument) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let mut shell = Command::new(program);
    shell.args([argument, command]);
    shell
}

fn add_missing_targets(
    app: &Manifest,
    builds: &[(Vec<&str>, &Build)],
    printer: Printer,
) -> anyhow::Result<()> {
    let targets: BTreeSet<&str> = builds
        .iter()
        .flat_map(|(_, build)| &build.commands)
        .filter_map(|command| rust_target(command))
        .collect();
    if targets.is_empty() {
        return Ok(());
    }
    let sysroot = sysroot(app, &targets)?;
    for target in targets {
        if sysroot.join("lib").join("rustlib").join(target).is_dir() {
            continue;
        }
        let advice = || {
            format!(
                "install rustup from https://rustup.rs, or your system's package of the standard library for {target}"
            )
        };
        printer.step("Adding", format_args!("the Rust target {target} with rustup"));
        let added = Command::new("rustup")
            .args(["target", "add", target])
            .current_dir(&app.folder)
            .stdout(io::stderr())
            .status();
        match added {
            Ok(status) if status.success() => {}
            Ok(status) => {
                return Err(failure(format!("rustup could not add the target {target}: {status}"))
                    .hint(format!("try `rustup target add {target}`"))
                    .into());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(failure(format!(
                    "the Rust target {target} is missing, and so is rustup, which would add it"
                ))
                .hint(advice())
                .into());
            }
            Err(error) => return Err(error).context("cannot run rustup"),
        }
    }
    Ok(())
}

fn sysroot(app: &Manifest, targets: &BTreeSet<&str>) -> anyhow::Result<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).current_dir(&app.folder).output();
    match output {
        Ok(output) if output.status.success() => {
            Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
        }
        Ok(output) => {
            Err(failure(format!("rustc failed: {}", String::from_utf8_lossy(&output.stderr).trim())).into())
        }
        Err(_) => {
            let targets: Vec<&str> = targets.iter().copied().collect();
            Err(failure("Rust is not installed, and the components are written in it")
                .hint(format!(
                    "install it from https://rustup.rs, then `rustup target add {}`",
                    targets.join(" ")
                ))
                .into())
        }
    }
}

/// The target for WebAssembly that a build command names.
fn rust_target(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace();
    let target = loop {
        match words.next()? {
            "--target" => break words.next()?,
            word => {
                if let Some(target) = word.strip_prefix("--target=") {
                    break target;
                }
            }
        }
    };
    target.starts_with("wasm32-").then_some(target)
}

#[cfg(test)]
mod tests {
    use super::rust_target;

    #[test]
    fn targets_are_found_in_build_commands() {
        let cases = [
            ("cargo build --target wasm32-wasip2 --release", Some("wasm32-wasip2")),
            ("cargo build --release --target=wasm32-wasip1", Some("wasm32-wasip1")),
            ("cargo build --target x86_64-unknown-linux-gnu", None),
            ("cargo build --target", None),
            ("npm run build", None),
        ];
        for (command, target) in cases {
            assert_eq!(rust_target(command), target, "{command}");
        }
    }
}

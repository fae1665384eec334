//! Compiled components, kept on disk: compiling takes longer than anything else at start.
//!
//! A compiled file is mapped into memory, so that what a component never runs costs none.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Where compiled components are kept: beside the app's other state, so that they go when that goes.
pub(crate) fn folder(app_folder: &Path) -> PathBuf {
    app_folder.join(".spin").join("compiled")
}

/// The component of the file `source`, compiled now or taken from `folder`. A folder that cannot be written only costs
/// the time to compile.
///
/// # Errors
///
/// When the file cannot be read or is no component.
pub(crate) fn load(engine: &Engine, id: &str, source: &Path, folder: &Path) -> wasmtime::Result<Component> {
    let code = fs::read(source)?;
    let file = folder.join(file_name(engine, id, &code));
    if let Some(component) = map(engine, &file) {
        return Ok(component);
    }
    let compiled = engine.precompile_component(&code)?;
    if keep(id, &file, folder, &compiled).is_ok()
        && let Some(component) = map(engine, &file)
    {
        return Ok(component);
    }
    Component::new(engine, &code)
}

/// Names the code and everything about the engine that its compilation depends on.
fn file_name(engine: &Engine, id: &str, code: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let mut digest = Sha256::new();
    digest.update(hasher.finish().to_le_bytes());
    digest.update(code);
    let digest =
        digest.finalize().iter().take(16).fold(0u128, |number, byte| number << 8 | u128::from(*byte));
    format!("{id}-{digest:032x}.cwasm")
}

fn map(engine: &Engine, file: &Path) -> Option<Component> {
    if !file.is_file() {
        return None;
    }
    #[expect(
        unsafe_code,
        reason = "a file of this folder was written whole by `keep`, from this engine's own output"
    )]
    // SAFETY: see above; whoever can write the folder can as well replace the component that it stands for.
    unsafe { Component::deserialize_file(engine, file) }.ok()
}

/// Puts the file in place in one step, and removes what was compiled from earlier code of the component.
fn keep(id: &str, file: &Path, folder: &Path, compiled: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = file.with_extension(format!("{}.new", std::process::id()));
    fs::write(&new, compiled)
        .and_then(|()| fs::rename(&new, file))
        .inspect_err(|_| drop(fs::remove_file(&new)))?;
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let digest =
            name.to_str().and_then(|name| name.strip_prefix(id)?.strip_prefix('-')?.strip_suffix(".cwasm"));
        if digest.is_some_and(|digest| !digest.contains('-')) && entry.path() != file {
            // Another run may still map it, or have removed it already.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

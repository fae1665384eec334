//! Compiled components, kept on disk: compiling takes longer than anything else at start.
//!
//! A compiled file is mapped into memory, so that what a component never runs costs none. Its name holds the digest of its content,
//! which is checked first: a file that was not written whole, or was changed since, is compiled again. The digests are there to notice
//! accidents, so they need to be fast, not hard to forge: whoever can write the folder can name a file as they like.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3;

/// Where compiled components are kept: beside the app's other state, so that they are deleted with it.
pub(crate) fn folder(app_folder: &Path) -> PathBuf {
    app_folder.join(".spin").join("compiled")
}

/// The component of the file `source`, compiled now or taken from `folder`. A folder that cannot be written only costs
/// the time to compile.
///
/// # Errors
///
/// When the file cannot be read or is not a component.
pub(crate) fn load(engine: &Engine, id: &str, source: &Path, folder: &Path) -> wasmtime::Result<Component> {
    let code = fs::read(source)?;
    let name = format!("{id}-{}", digest_of_code(engine, &code));
    if let Some(component) = kept(folder, &name).and_then(|file| map(engine, &file)) {
        return Ok(component);
    }
    let compiled = engine.precompile_component(&code)?;
    let file = folder.join(format!("{name}-{}.cwasm", digest([compiled.as_slice()])));
    if keep(id, &file, folder, &compiled).is_ok()
        && let Some(component) = map(engine, &file)
    {
        return Ok(component);
    }
    Component::new(engine, &code)
}

/// Names the code and everything about the engine that its compilation depends on.
fn digest_of_code(engine: &Engine, code: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    digest([&hasher.finish().to_le_bytes(), code])
}

/// A digest of all the pieces together, in hexadecimal.
fn digest<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut digest = Xxh3::new();
    pieces.into_iter().for_each(|piece| digest.update(piece));
    hex(&digest)
}

fn hex(digest: &Xxh3) -> String {
    format!("{:032x}", digest.digest128())
}

/// The file of `folder` that was compiled from the code of this name, with the content that its own name promises.
fn kept(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).find(|file| {
        let digest = file
            .file_name()
            .and_then(|file| file.to_str()?.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".cwasm"));
        digest.is_some_and(|digest| digest_of_file(file).is_ok_and(|content| content == digest))
    })
}

fn digest_of_file(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut digest = Xxh3::new();
    let mut piece = vec![0; 256 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&digest)),
            length => digest.update(&piece[..length]),
        }
    }
}

fn map(engine: &Engine, file: &Path) -> Option<Component> {
    #[expect(unsafe_code, reason = "the file is this engine's own output, as its digest tells")]
    // SAFETY: see above; whoever can write the folder can as well replace the component that it stands for.
    unsafe { Component::deserialize_file(engine, file) }.ok()
}

/// Puts the file in place in one step, and removes what was compiled from earlier code of the component. It need not reach the disk
/// before it has its name: a start after a crash looks at its content.
fn keep(id: &str, file: &Path, folder: &Path, compiled: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = file.with_extension(format!("{}.new", std::process::id()));
    fs::write(&new, compiled)
        .and_then(|()| fs::rename(&new, file))
        .inspect_err(|_| drop(fs::remove_file(&new)))?;
    for entry in fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let digests =
            name.to_str().and_then(|name| name.strip_prefix(id)?.strip_prefix('-')?.strip_suffix(".cwasm"));
        // One digest is how earlier versions named them; more words would be another component's.
        let is_own = digests
            .is_some_and(|digests| digests.split('-').count() <= 2 && digests.split('-').all(is_digest));
        if is_own && entry.path() != file {
            // Another run may still map it, or have removed it already.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn is_digest(word: &str) -> bool {
    word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_what_its_name_says_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let compiled = b"what the compiler made";
        let digest = digest([compiled.as_slice()]);
        let file = folder.path().join(format!("api-{}-{digest}.cwasm", "0".repeat(32)));
        let name = format!("api-{}", "0".repeat(32));
        keep("api", &file, folder.path(), compiled).unwrap();
        assert_eq!(kept(folder.path(), &name).as_deref(), Some(&*file));
        for content in
            [&compiled[..10], b"what the compiler Made", b"", &[compiled.as_slice(), b"!"].concat()]
        {
            fs::write(&file, content).unwrap();
            assert_eq!(kept(folder.path(), &name), None, "{content:?}");
        }
    }
}

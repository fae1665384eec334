//! The interfaces of Spin and `wasi:keyvalue` that a component may call, one file each.

mod key_value;
mod llm;
mod variables;
mod wasi_keyvalue;

use wasmtime::component::{HasData, Linker};

use crate::instances::bindings::{fermyon, spin, wasi};
use crate::instances::guest::Guest;

/// Selects the guest itself as the data that the generated host traits are implemented for.
pub(crate) struct Spin;

impl HasData for Spin {
    type Data<'a> = &'a mut Guest;
}

/// Adds every interface of this module to `linker`.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    spin::key_value::key_value::add_to_linker::<_, Spin>(linker, |guest| guest)?;
    spin::variables::variables::add_to_linker::<_, Spin>(linker, |guest| guest)?;
    fermyon::spin::llm::add_to_linker::<_, Spin>(linker, |guest| guest)?;
    wasi::keyvalue::store::add_to_linker::<_, Spin>(linker, |guest| guest)?;
    wasi::keyvalue::batch::add_to_linker::<_, Spin>(linker, |guest| guest)?;
    wasi::keyvalue::atomics::add_to_linker::<_, Spin>(linker, |guest| guest)?;
    Ok(())
}

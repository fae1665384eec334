//! `spin:variables@3`.

use wasmtime::component::Accessor;

use super::Spin;
use crate::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::guest::Guest;

impl Host for &mut Guest {}

impl<T: Send> HostWithStore<T> for Spin {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| access.get().component.variable(&name)))
    }
}

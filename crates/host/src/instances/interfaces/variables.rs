//! `spin:variables@3`.

use spin_app::variables::GetError;
use wasmtime::component::Accessor;

use super::Spin;
use crate::instances::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use crate::instances::guest::Guest;

impl Host for &mut Guest {}

impl<T: Send> HostWithStore<T> for Spin {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| {
            access.get().grants.variable(&name).map(str::to_owned).map_err(|error| match error {
                GetError::InvalidName(message) => Error::InvalidName(message),
                GetError::Undefined(message) => Error::Undefined(message),
            })
        }))
    }
}

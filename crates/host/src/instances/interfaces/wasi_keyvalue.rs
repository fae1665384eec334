//! `wasi:keyvalue@0.2.0-draft2`: store, batch and atomics.

use stores::{Listing, Store, StoreError};
use wasmtime::component::Resource;

use crate::given::links::OpenError;
use crate::instances::bindings::wasi::keyvalue::atomics::{self, CasError};
use crate::instances::bindings::wasi::keyvalue::batch;
use crate::instances::bindings::wasi::keyvalue::store::{self, Error, KeyResponse};
use crate::instances::compare_and_swap::CompareAndSwap;
use crate::instances::guest::Guest;

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::AccessDenied => Self::AccessDenied,
            OpenError::NoSuchStore => Self::NoSuchStore,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

type Returned<T> = wasmtime::Result<Result<T, Error>>;

impl Guest {
    fn bucket(&self, bucket: &Resource<Store>) -> wasmtime::Result<Store> {
        Ok(self.table.get(bucket)?.clone())
    }
}

impl store::Host for &mut Guest {
    fn open(&mut self, identifier: String) -> Returned<Resource<Store>> {
        Ok(match self.grants.open(&identifier) {
            Ok(store) => Ok(self.table.push(store)?),
            Err(error) => Err(error.into()),
        })
    }
}

impl store::HostBucket for &mut Guest {
    async fn get(&mut self, bucket: Resource<Store>, key: String) -> Returned<Option<Vec<u8>>> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("get", store.get(&key)).await.map_err(Error::from))
    }

    async fn set(&mut self, bucket: Resource<Store>, key: String, value: Vec<u8>) -> Returned<()> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("set", store.set(&key, value)).await.map_err(Error::from))
    }

    async fn delete(&mut self, bucket: Resource<Store>, key: String) -> Returned<()> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("delete", store.delete(&key)).await.map_err(Error::from))
    }

    async fn exists(&mut self, bucket: Resource<Store>, key: String) -> Returned<bool> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("exists", store.exists(&key)).await.map_err(Error::from))
    }

    /// All keys in one answer, as Spin gives them: it takes no cursor.
    async fn list_keys(&mut self, bucket: Resource<Store>, cursor: Option<String>) -> Returned<KeyResponse> {
        if cursor.is_some() {
            return Ok(Err(Error::Other("list_keys: cursor not supported".to_owned())));
        }
        let mut listing = Listing::of(self.bucket(&bucket)?);
        let mut keys = Vec::new();
        loop {
            match self.grants.observed("list_keys", listing.next(1000)).await {
                Ok(Some(page)) => keys.extend(page),
                Ok(None) => return Ok(Ok(KeyResponse { keys, cursor: None })),
                Err(error) => return Ok(Err(error.into())),
            }
        }
    }

    fn drop(&mut self, bucket: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl batch::Host for &mut Guest {
    async fn get_many(
        &mut self,
        bucket: Resource<Store>,
        keys: Vec<String>,
    ) -> Returned<Vec<(String, Option<Vec<u8>>)>> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("get_many", store.get_many(&keys)).await.map_err(Error::from))
    }

    async fn set_many(&mut self, bucket: Resource<Store>, pairs: Vec<(String, Vec<u8>)>) -> Returned<()> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("set_many", store.set_many(pairs)).await.map_err(Error::from))
    }

    async fn delete_many(&mut self, bucket: Resource<Store>, keys: Vec<String>) -> Returned<()> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("delete_many", store.delete_many(&keys)).await.map_err(Error::from))
    }
}

impl atomics::Host for &mut Guest {
    async fn increment(&mut self, bucket: Resource<Store>, key: String, delta: i64) -> Returned<i64> {
        let store = self.bucket(&bucket)?;
        Ok(self.grants.observed("increment", store.increment(&key, delta)).await.map_err(Error::from))
    }

    async fn swap(
        &mut self,
        cas: Resource<CompareAndSwap>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), CasError>> {
        let CompareAndSwap { store, key, seen } = self.table.delete(cas)?;
        let swapped =
            self.grants.observed("swap", store.compare_and_swap(&key, seen.as_deref(), value)).await;
        Ok(match swapped {
            Ok(true) => Ok(()),
            Ok(false) => Err(match self.grants.observed("current", store.get(&key)).await {
                Ok(seen) => CasError::CasFailed(self.table.push(CompareAndSwap { store, key, seen })?),
                Err(error) => CasError::StoreError(error.into()),
            }),
            Err(error) => Err(CasError::StoreError(error.into())),
        })
    }
}

impl atomics::HostCas for &mut Guest {
    async fn new(&mut self, bucket: Resource<Store>, key: String) -> Returned<Resource<CompareAndSwap>> {
        let store = self.bucket(&bucket)?;
        Ok(match self.grants.observed("current", store.get(&key)).await {
            Ok(seen) => Ok(self.table.push(CompareAndSwap { store, key, seen })?),
            Err(error) => Err(error.into()),
        })
    }

    async fn current(&mut self, cas: Resource<CompareAndSwap>) -> Returned<Option<Vec<u8>>> {
        Ok(Ok(self.table.get(&cas)?.seen.clone()))
    }

    async fn drop(&mut self, cas: Resource<CompareAndSwap>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

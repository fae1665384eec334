//! `spin:key-value@3`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::channel::oneshot;
use futures::future::BoxFuture;
use stores::{Listing, Store, StoreError};
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader, StreamResult, VecBuffer,
};

use super::Spin;
use crate::given::grants::Grants;
use crate::given::links::OpenError;
use crate::instances::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::instances::guest::Guest;

/// Keys fetched from the store at a time while a guest lists them.
const KEYS_PER_PAGE: usize = 1000;

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

impl Host for &mut Guest {}

impl HostStore for &mut Guest {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

fn opened(
    accessor: &Accessor<Guest, Spin>,
    store: &Resource<Store>,
) -> wasmtime::Result<(Arc<Grants>, Store)> {
    accessor.with(|mut access| {
        let guest = access.get();
        Ok((guest.grants.clone(), guest.table.get(store)?.clone()))
    })
}

impl HostStoreWithStore<Guest> for Spin {
    async fn open(
        accessor: &Accessor<Guest, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        accessor.with(|mut access| {
            let guest = access.get();
            Ok(match guest.grants.open(&label) {
                Ok(store) => Ok(guest.table.push(store)?),
                Err(error) => Err(error.into()),
            })
        })
    }

    async fn get(
        accessor: &Accessor<Guest, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let (grants, store) = opened(accessor, &store)?;
        Ok(grants.observed("get", store.get(&key)).await.map_err(Error::from))
    }

    async fn set(
        accessor: &Accessor<Guest, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (grants, store) = opened(accessor, &store)?;
        Ok(grants.observed("set", store.set(&key, value)).await.map_err(Error::from))
    }

    async fn delete(
        accessor: &Accessor<Guest, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let (grants, store) = opened(accessor, &store)?;
        Ok(grants.observed("delete", store.delete(&key)).await.map_err(Error::from))
    }

    async fn exists(
        accessor: &Accessor<Guest, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let (grants, store) = opened(accessor, &store)?;
        Ok(grants.observed("exists", store.exists(&key)).await.map_err(Error::from))
    }

    async fn get_keys(
        accessor: &Accessor<Guest, Self>,
        store: Resource<Store>,
    ) -> wasmtime::Result<(StreamReader<String>, FutureReader<Result<(), Error>>)> {
        let (grants, store) = opened(accessor, &store)?;
        let (outcome, finished) = oneshot::channel();
        let first = fetch(grants.clone(), Listing::of(store));
        let keys = Keys { grants, state: State::Fetching(first), outcome: Some(outcome) };
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, keys)?;
            let finished = async move {
                // Dropped without an outcome: the guest stopped reading, which is no fault of the store.
                wasmtime::error::Ok(finished.await.unwrap_or(Ok(())))
            };
            Ok((keys, FutureReader::new(&mut access, finished)?))
        })
    }
}

/// A page, none after the last one, and what gives the next.
type Page = (Listing, Result<Option<Vec<String>>, StoreError>);

fn fetch(grants: Arc<Grants>, mut listing: Listing) -> BoxFuture<'static, Page> {
    Box::pin(async move {
        let page = grants.observed("get_keys", listing.next(KEYS_PER_PAGE)).await;
        (listing, page)
    })
}

/// Lists the keys of a store a page at a time.
struct Keys {
    grants: Arc<Grants>,
    state: State,
    outcome: Option<oneshot::Sender<Result<(), Error>>>,
}

enum State {
    /// A page is on its way.
    Fetching(BoxFuture<'static, Page>),
    /// The next page is yet to be asked for.
    At(Listing),
    /// There are no more.
    Done,
}

impl Keys {
    fn finish(&mut self, outcome: Result<(), Error>) -> StreamResult {
        self.state = State::Done;
        if let Some(sender) = self.outcome.take() {
            // The guest may have dropped its end; then nothing reads.
            let _ = sender.send(outcome);
        }
        StreamResult::Dropped
    }
}

impl<D> StreamProducer<D> for Keys {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of no items asks only whether there would be any.
        if destination.remaining(&mut store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Fetching(page) => {
                    let (listing, page) = match page.as_mut().poll(context) {
                        Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
                        polled => ready!(polled),
                    };
                    let keys = match page {
                        Ok(Some(keys)) => {
                            this.state = State::At(listing);
                            keys
                        }
                        Ok(None) => return Poll::Ready(Ok(this.finish(Ok(())))),
                        Err(error) => return Poll::Ready(Ok(this.finish(Err(error.into())))),
                    };
                    if !keys.is_empty() {
                        destination.set_buffer(keys.into());
                        return Poll::Ready(Ok(StreamResult::Completed));
                    }
                }
                State::At(_) => {
                    if let State::At(listing) = std::mem::replace(&mut this.state, State::Done) {
                        this.state = State::Fetching(fetch(this.grants.clone(), listing));
                    }
                }
                State::Done => return Poll::Ready(Ok(this.finish(Ok(())))),
            }
        }
    }
}

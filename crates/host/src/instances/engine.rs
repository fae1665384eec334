//! The WebAssembly engine.

use wasmtime::component::Linker;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::instances::guest::Guest;
use crate::instances::interfaces;
use crate::limits;
use crate::periodic::Periodic;

/// An engine with room for the instances of `components` components, as far as there is memory for them.
pub(crate) fn engine(components: usize) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.epoch_interruption(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(components)));
    Engine::new(&config)
}

/// Every instance slot is address space only until it is used, and nothing stays resident afterwards.
fn pool(components: usize) -> PoolingAllocationConfig {
    let with_memory = limits::GUEST_MEMORY / limits::LEAST_MEMORY;
    let instances = slots(with_memory.min(components * limits::INSTANCES));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances);
    // A component of Rust for wasm32-wasip2 is one module with a memory and the small modules that tie it to WASI.
    pool.total_core_instances(instances * 6);
    pool.total_memories(instances);
    pool.total_tables(instances * 3);
    pool.total_stacks(instances * 2);
    pool.max_core_instances_per_component(32);
    pool.max_memory_size(limits::INSTANCE_MEMORY);
    pool.linear_memory_keep_resident(0);
    pool.table_keep_resident(0);
    pool
}

fn slots(instances: usize) -> u32 {
    u32::try_from(instances).unwrap_or(u32::MAX / 8)
}

/// What adds interfaces to those that components may import.
pub type AddToLinker = fn(&mut Linker<Guest>) -> wasmtime::Result<()>;

/// Everything that a component may import: what an answer uses, and the rest.
pub(crate) fn linker(engine: &Engine, rest: AddToLinker) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(&mut linker)?;
    wasmtime_wasi::p3::clocks::add_to_linker(&mut linker)?;
    wasmtime_wasi::p3::random::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    interfaces::add_to_linker(&mut linker)?;
    rest(&mut linker)?;
    Ok(linker)
}

/// Lets guests that compute for long give way to the others on their thread, every [`limits::EPOCH`].
pub(crate) fn tick(engine: Engine) -> Periodic {
    Periodic::start(limits::EPOCH, move || engine.increment_epoch())
}

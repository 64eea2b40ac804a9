//! Keeps what this process holds in memory out of core dumps, debuggers and swap.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{CapabilitySet, capabilities};

/// With less than this, memory that is needed later could not be locked, and would be refused.
const ENOUGH: u64 = 64 << 20;

/// No core dump, and no other process of the same user reads our memory. A child that is executed is not affected.
pub fn keep_memory_private() {
    // Where the kernel forbids it, for instance by seccomp, the program still works.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// For the agent, which holds secrets for long: they are not swapped out, where the system allows it.
pub fn keep_memory_out_of_swap() {
    let limit = getrlimit(Resource::Memlock);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let unlimited = || capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    let enough = limit.maximum.is_none_or(|most| most >= ENOUGH) && setrlimit(Resource::Memlock, raised).is_ok();
    if enough || unlimited() {
        let _ = mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    }
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

//! How many files and sockets the process may have open.

use crate::limits;

/// Makes room for [`limits::CONNECTIONS`], as far as the system lets this process, and says for how many there is.
#[cfg(unix)]
pub(crate) fn connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let wanted = (limits::CONNECTIONS + limits::OTHER_FILES) as u64;
    let raised = Rlimit { current: Some(limit.maximum.map_or(wanted, |most| most.min(wanted))), ..limit };
    let now = if limit.current.is_none_or(|now| now >= wanted) || setrlimit(Resource::Nofile, raised).is_err()
    {
        limit.current
    } else {
        raised.current
    };
    now.map_or(limits::CONNECTIONS, |files| room(usize::try_from(files).unwrap_or(usize::MAX)))
}

#[cfg(not(unix))]
pub(crate) fn connections() -> usize {
    limits::CONNECTIONS
}

/// Connections for which so many files leave room. Where there are few, half of them are for connections.
#[cfg(unix)]
fn room(files: usize) -> usize {
    (files - limits::OTHER_FILES.min(files / 2)).min(limits::CONNECTIONS)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        for (files, connections) in [
            (256, 128),
            (1024, 512),
            (4096, 3584),
            (limits::CONNECTIONS + limits::OTHER_FILES, limits::CONNECTIONS),
        ] {
            assert_eq!(room(files), connections);
        }
        assert_eq!(room(usize::MAX), limits::CONNECTIONS);
    }
}

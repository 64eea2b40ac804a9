//! Whose process is at the other end of a connection over loopback, by proc_net_tcp(5). Google's protocol carries no
//! secret, and every user of a machine can reach its loopback.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;

use super::super::trouble::{Result, Trouble};

/// An error where it cannot be told, as in some sandboxes: nobody is served there.
pub fn is_ours(peer: SocketAddr, local: SocketAddr) -> Result<bool> {
    let table = table(peer)?;
    let own = rustix::process::geteuid().as_raw();
    Ok(match owner(&table, peer, local) {
        Some(user) if user == own => true,
        // As root we may have started a program that works as another user.
        Some(user) if own == 0 => users_of_children().contains(&user),
        _ => false,
    })
}

/// The connections of the kind that an address has.
pub fn table(address: SocketAddr) -> Result<String> {
    let file = if address.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    fs::read_to_string(file).map_err(|error| {
        Trouble::Local(format!(
            "Google's endpoint would serve every user of this machine: cannot read in {file} whose process asks: \
             {error}. Use --as env instead"
        ))
    })
}

fn owner(table: &str, peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    let (peer, local) = (written(peer), written(local));
    let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines.find(|words| words.len() > 7 && words[1] == peer && words[2] == local)?;
    line[7].parse().ok()
}

/// As in the table: the address in words of 32 bits as this machine keeps them.
fn written(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let word = |bytes: &[u8]| {
        let bytes = <[u8; 4]>::try_from(bytes).unwrap_or_default();
        format!("{:08X}", u32::from_ne_bytes(bytes))
    };
    format!("{}:{:04X}", bytes.chunks(4).map(word).collect::<String>(), address.port())
}

/// The users of all processes that descend from this one.
fn users_of_children() -> Vec<u32> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        let user = entry.metadata().map(|metadata| metadata.uid());
        if let (Some(parent), Ok(user)) = (parent, user) {
            parents.insert(process, (parent, user));
        }
    }
    let own = std::process::id();
    let descends = |mut process: u32| {
        while let Some((parent, _)) = parents.get(&process) {
            if *parent == own {
                return true;
            }
            process = *parent;
        }
        false
    };
    parents.iter().filter(|(process, _)| descends(**process)).map(|(_, (_, user))| *user).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_the_owner_of_a_connection() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1 1\n   \
                     1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2 1\n";
        let (peer, local) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        assert_eq!(owner(table, peer, local), Some(1000));
        assert_eq!(owner(table, "127.0.0.1:50001".parse().unwrap(), local), None);
    }

    #[test]
    fn our_own_connection_is_ours() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (_served, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(is_ours(peer, listener.local_addr().unwrap()).unwrap());
    }
}

//! How the client finds the console's address: its own resolver, since a static program has none of the system.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};

use super::stand_in::StandIn;
use super::user::{Did, User, did, knowing};

/// Where the name server listens; port 53, as resolv.conf knows no other.
const SERVER: &str = "127.0.0.153:53";

/// Knows `console.room.example`, and answers for `long.room.example` over TCP only.
fn answer(question: &[u8], over_tcp: bool) -> Vec<u8> {
    let mut name = String::new();
    let mut at = 12;
    while question[at] != 0 {
        let length = usize::from(question[at]);
        name += &format!("{}.", String::from_utf8_lossy(&question[at + 1..=at + length]));
        at += length + 1;
    }
    let is_ipv4 = question[at + 1..at + 3] == [0, 1];
    let known = ["console.room.example.", "long.room.example."].contains(&name.as_str());
    let mut bytes = question[..at + 5].to_vec();
    bytes[2..4].copy_from_slice(&[0x81, if known { 0x80 } else { 0x83 }]);
    bytes[6..12].fill(0);
    if name.starts_with("long") && !over_tcp {
        bytes[2] |= 2;
    } else if known && is_ipv4 {
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    bytes
}

fn serve() {
    let (packets, streams) = (UdpSocket::bind(SERVER).unwrap(), TcpListener::bind(SERVER).unwrap());
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = packets.recv_from(&mut buffer) {
            packets.send_to(&answer(&buffer[..length], false), from).unwrap();
        }
    });
    std::thread::spawn(move || {
        for mut stream in streams.incoming().flatten() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut question).unwrap();
            let answer = answer(&question, true);
            stream.write_all(&[&u16::try_from(answer.len()).unwrap().to_be_bytes()[..], &answer].concat()).unwrap();
        }
    });
}

#[test]
fn names_are_asked_of_the_servers_of_resolv_conf() {
    serve();
    let (console, user) = (StandIn::start(), User::new());
    let file =
        user.write("resolv.conf", "nameserver 127.0.0.153\nsearch nowhere.example room.example\noptions timeout:1\n");
    // In a mount namespace of its own, where that file is the system's.
    let ask = |host: &str| -> Did {
        let script = format!(
            "mount --bind {file} $(realpath /etc/resolv.conf) && exec strongroom-client --patience 0 --allow-http rules"
        );
        let mut command = user.program("unshare");
        command.args(["--mount", "sh", "-c", &script]);
        knowing(&mut command, &console).env("STRONGROOM_URL", format!("http://{host}:{}", console.peer.address.port()));
        did(&mut command)
    };
    for host in ["console.room.example", "console", "long.room.example", "localhost"] {
        assert_eq!(ask(host).well(), "This client has no rules yet.\n", "{host}");
    }
    ask("nobody").badly("the name nobody is not known");
}

//! A small resolver (RFC 1035): addresses of a name by the servers of `/etc/resolv.conf`, over UDP, and over TCP when an
//! answer is too long. It follows the order of `search` and `ndots` of resolv.conf(5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

const A: u16 = 1;
const AAAA: u16 = 28;
/// Server refused, failed, or does not know the name.
const NO_SUCH_NAME: u8 = 3;

/// What is used of resolv.conf(5).
#[derive(Debug, PartialEq)]
pub struct Configuration {
    servers: Vec<SocketAddr>,
    search: Vec<String>,
    ndots: usize,
    timeout: Duration,
    attempts: u32,
}

impl Configuration {
    pub fn of_system() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let mut new = Self { servers: vec![], search: vec![], ndots: 1, timeout: Duration::from_secs(3), attempts: 2 };
        for line in text.lines().map(|line| line.split(['#', ';']).next().unwrap_or_default()) {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => new.servers.extend(words.next().and_then(server)),
                Some("search" | "domain") => new.search = words.map(str::to_owned).collect(),
                Some("options") => words.for_each(|word| new.option(word)),
                _ => {}
            }
        }
        if new.servers.is_empty() {
            new.servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 53)));
        }
        new.servers.truncate(3);
        new
    }

    fn option(&mut self, word: &str) {
        match word.split_once(':').map(|(name, value)| (name, value.parse::<u32>())) {
            Some(("ndots", Ok(number))) => self.ndots = number.min(15) as usize,
            Some(("timeout", Ok(number))) => self.timeout = Duration::from_secs(u64::from(number.clamp(1, 5))),
            Some(("attempts", Ok(number))) => self.attempts = number.clamp(1, 4),
            _ => {}
        }
    }

    /// The full names to ask for, in order.
    fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(absolute) = name.strip_suffix('.') {
            return vec![absolute.to_owned()];
        }
        let mut names: Vec<String> = self.search.iter().map(|suffix| format!("{name}.{suffix}")).collect();
        let place = if name.matches('.').count() >= self.ndots { 0 } else { names.len() };
        names.insert(place, name.to_owned());
        names
    }
}

fn server(text: &str) -> Option<SocketAddr> {
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    match (address.parse().ok()?, zone.and_then(|zone| zone.parse().ok())) {
        (IpAddr::V6(address), Some(zone)) => Some(std::net::SocketAddrV6::new(address, 53, 0, zone).into()),
        (address, _) => Some(SocketAddr::new(address, 53)),
    }
}

/// All addresses of a name, those of IPv4 first.
pub async fn addresses(configuration: &Configuration, name: &str) -> Result<Vec<IpAddr>, String> {
    let mut reason = format!("the name {name} is not known");
    for candidate in configuration.candidates(name) {
        let (four, six) = tokio::join!(ask(configuration, &candidate, A), ask(configuration, &candidate, AAAA));
        let found: Vec<IpAddr> =
            [&four, &six].into_iter().flat_map(|answer| answer.iter().flatten()).copied().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        if let Err(failed) = four.and(six) {
            reason = failed;
        }
    }
    Err(reason)
}

async fn ask(configuration: &Configuration, name: &str, kind: u16) -> Result<Vec<IpAddr>, String> {
    let mut reason = String::new();
    for _ in 0..configuration.attempts {
        for server in &configuration.servers {
            match timeout(configuration.timeout, exchange(*server, name, kind)).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(failed)) => reason = format!("the name server {} answers: {failed}", server.ip()),
                Err(_) => reason = format!("the name server {} does not answer", server.ip()),
            }
        }
    }
    Err(reason)
}

async fn exchange(server: SocketAddr, name: &str, kind: u16) -> Result<Vec<IpAddr>, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|error| error.to_string())?;
    let question = question(id, name, kind).ok_or("no such name can be")?;
    let local: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // Connected, so that only this server's packets arrive.
    let socket = UdpSocket::bind((local, 0)).await.map_err(text)?;
    socket.connect(server).await.map_err(text)?;
    socket.send(&question).await.map_err(text)?;
    let mut buffer = [0; 4096];
    loop {
        let length = socket.recv(&mut buffer).await.map_err(text)?;
        match answer(&question, &buffer[..length]) {
            // Another question's, or garbage.
            None => {}
            Some(Reply::Addresses(found)) => return Ok(found),
            Some(Reply::Failed(code)) => return Err(format!("code {code}")),
            Some(Reply::Truncated) => return over_tcp(server, &question).await,
        }
    }
}

async fn over_tcp(server: SocketAddr, question: &[u8]) -> Result<Vec<IpAddr>, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect(server).await.map_err(text)?;
    let length = u16::try_from(question.len()).map_err(|_| "the name is too long")?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await.map_err(text)?;
    let length = stream.read_u16().await.map_err(text)?;
    let mut bytes = vec![0; usize::from(length)];
    stream.read_exact(&mut bytes).await.map_err(text)?;
    match answer(question, &bytes) {
        Some(Reply::Addresses(found)) => Ok(found),
        _ => Err("an answer that cannot be read".to_owned()),
    }
}

fn question(id: [u8; 2], name: &str, kind: u16) -> Option<Vec<u8>> {
    // One question, recursion desired.
    let mut bytes = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        bytes.push(length);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(1_u16.to_be_bytes());
    (bytes.len() <= 12 + 255 + 4).then_some(bytes)
}

#[derive(Debug, PartialEq)]
enum Reply {
    Addresses(Vec<IpAddr>),
    Truncated,
    Failed(u8),
}

/// `None` when it is no answer to that question.
fn answer(question: &[u8], bytes: &[u8]) -> Option<Reply> {
    let same = bytes.get(..2)? == &question[..2] && bytes.get(2)? & 0x80 != 0;
    let asked = bytes.get(12..question.len())?;
    if !same || number(bytes, 4)? != 1 || !asked.eq_ignore_ascii_case(&question[12..]) {
        return None;
    }
    if bytes[2] & 0x02 != 0 {
        return Some(Reply::Truncated);
    }
    match bytes[3] & 0x0f {
        0 => {}
        NO_SUCH_NAME => return Some(Reply::Addresses(vec![])),
        code => return Some(Reply::Failed(code)),
    }
    let mut found = Vec::new();
    let mut at = question.len();
    for _ in 0..number(bytes, 6)? {
        at = after_name(bytes, at)?;
        let (kind, length) = (number(bytes, at)?, usize::from(number(bytes, at + 8)?));
        let data = bytes.get(at + 10..at + 10 + length)?;
        // An answer may lead over aliases; the server has followed them.
        match kind {
            A => found.push(IpAddr::from(<[u8; 4]>::try_from(data).ok()?)),
            AAAA => found.push(IpAddr::from(<[u8; 16]>::try_from(data).ok()?)),
            _ => {}
        }
        at += 10 + length;
    }
    Some(Reply::Addresses(found))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

/// Behind a name, which may end in a pointer.
fn after_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolv_conf_decides_servers_and_order() {
        let text =
            "nameserver 10.0.0.10 # first\nsearch default.svc.cluster.local svc.cluster.local\noptions ndots:5 x\n";
        let configuration = Configuration::parse(text);
        assert_eq!(configuration.servers, ["10.0.0.10:53".parse().unwrap()]);
        let names = configuration.candidates("strongroom.tools");
        assert_eq!(names[0], "strongroom.tools.default.svc.cluster.local");
        assert_eq!(names[2], "strongroom.tools");
        assert_eq!(Configuration::parse("").candidates("a.b")[0], "a.b");
        assert_eq!(configuration.candidates("a.b."), ["a.b"]);
    }

    #[test]
    fn an_answer_over_an_alias_gives_all_addresses() {
        let question = question([1, 2], "a.example", A).unwrap();
        let mut bytes = question.clone();
        bytes[2] = 0x81;
        bytes[3] = 0x80;
        bytes[7] = 2;
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, b'b', 0xc0, 14]);
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7]);
        let found = answer(&question, &bytes);
        assert_eq!(found, Some(Reply::Addresses(vec!["192.0.2.7".parse().unwrap()])));
        for end in 0..bytes.len() {
            assert_eq!(answer(&question, &bytes[..end]), None, "cut at {end}");
        }
        bytes[0] = 9;
        assert_eq!(answer(&question, &bytes), None, "an answer to another question");
    }
}

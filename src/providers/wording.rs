//! Small parts of the sentences about providers: how one begins, and where an address may lead.

use url::{Host, Url};

use crate::hosts;

/// The host without its port, when it is this machine itself.
pub(super) fn own_machine(host: &str) -> Option<Host> {
    let name = Url::parse(&format!("https://{host}")).ok()?.host()?.to_owned();
    let own = match &name {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => hosts::unwrapped((*address).into()).is_loopback(),
        Host::Domain(name) => hosts::is_own_name(name),
    };
    Some(name).filter(|_| own)
}

/// What to do when nothing answers. `host` may have a port.
pub(super) fn where_it_may_be(host: &str) -> String {
    match own_machine(host) {
        Some(name) => format!(
            "{name} is the machine or container that Strongroom itself runs on. Enter the address at which the server is \
             in your network; if it runs on this machine, check that it is up."
        ),
        _ => "Check the address, and that the service is up.".to_owned(),
    }
}

/// The first letter large, as a sentence begins. A host or an ARN at the start keeps its case: a first word with a dot or
/// a colon is one.
pub(crate) fn capital(text: &str) -> String {
    if text.split(' ').next().is_some_and(|word| word.contains(['.', ':'])) {
        return text.to_owned();
    }
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

//! Random bytes.

/// `N` bytes from the operating system. A machine without randomness cannot keep secrets: stopping is the only answer.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random source always answers once booted");
    bytes
}

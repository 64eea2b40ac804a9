//! What a tool asks.

use std::io::Read;

use super::super::trouble::{Result, Trouble};

/// All of standard input.
pub fn input() -> Result<String> {
    let mut text = String::new();
    let failed = |error| Trouble::Local(format!("cannot read the request: {error}"));
    std::io::stdin().lock().take(1 << 20).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

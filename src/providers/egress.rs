//! Egress
pub struct Egress;

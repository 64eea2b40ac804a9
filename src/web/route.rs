//! Where in the URL tree a request has arrived.

/// The pattern of the route that a request took, for the metrics and for what is carried back into its form.
#[derive(Clone, Copy)]
pub struct Route(pub &'static str);

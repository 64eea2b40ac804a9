//! What lies outside the process, for a call of an integration that a test makes by itself.

use strongroom::integrations::alerts::email::Connections;
use strongroom::integrations::context::Outside;
use strongroom::providers::aws::Sessions;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;
use strongroom::providers::tokens::Tokens;

/// As the process keeps it.
pub struct World {
    pub egress: Egress,
    pub endpoints: Endpoints,
    pub aws: Sessions,
    pub tokens: Tokens,
    pub smtp: Connections,
}

impl World {
    pub fn new(egress: Egress, endpoints: Endpoints) -> Self {
        let aws = Sessions::new(egress.clone(), endpoints.aws().clone());
        let tokens = Tokens::new(egress.clone(), endpoints.clone());
        Self { egress, endpoints, aws, tokens, smtp: Connections::default() }
    }

    pub fn outside(&self) -> Outside<'_> {
        let Self { egress, endpoints, aws, tokens, smtp } = self;
        Outside { egress, endpoints, aws, tokens, smtp }
    }
}

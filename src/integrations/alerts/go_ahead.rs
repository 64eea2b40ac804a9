//! The go-ahead of a message: it is given once the message before it is recorded as sent. Until then a channel may do
//! whatever can be taken back, and no more; so a process that dies leaves at most one message whose fate nobody knows.

use tokio::sync::watch;

use super::Failure;

/// What a channel waits for.
#[derive(Clone, Debug)]
pub struct GoAhead(watch::Receiver<bool>);

/// Gives it. Dropped without that, nothing is sent.
#[derive(Debug)]
pub struct Giver(watch::Sender<bool>);

/// The two ends.
pub fn go_ahead() -> (Giver, GoAhead) {
    let (giver, go_ahead) = watch::channel(false);
    (Giver(giver), GoAhead(go_ahead))
}

impl Giver {
    pub fn give(self) {
        self.0.send_replace(true);
    }
}

impl GoAhead {
    /// Waits for it. The error means that it will not come: the message must not be sent.
    pub async fn given(&self) -> Result<(), Failure> {
        let given = self.0.clone().wait_for(|given| *given).await.map(drop);
        given.map_err(|_| Failure::later("The message before could not be recorded, so this one was not sent."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_sent_when_the_go_ahead_does_not_come() {
        let (giver, go_ahead) = go_ahead();
        giver.give();
        assert!(go_ahead.given().await.is_ok() && go_ahead.given().await.is_ok(), "it stays given");
        let (giver, go_ahead) = super::go_ahead();
        drop(giver);
        assert!(go_ahead.given().await.is_err());
    }
}

use super::*;

const PARTIES: Parties<'static> =
    Parties { server: "mx.example:587", hello: "strongroom", sender: "alerts@example.com" };

/// Replies as servers word them, and what they mean.
#[test]
fn field_s03_replies_are_told_by_their_meaning() {
    let replies: &[(Step, u16, &str, Meaning)] = &[
        (
            Step::Login,
            535,
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit x",
            Meaning::LoginSwitchedOff,
        ),
        (
            Step::TokenLogin,
            535,
            "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. Visit x",
            Meaning::LoginSwitchedOff,
        ),
        (
            Step::Login,
            535,
            "5.7.139 Authentication unsuccessful, basic authentication is disabled.",
            Meaning::PasswordsRefused,
        ),
        (
            Step::Login,
            535,
            "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy.",
            Meaning::PasswordsRefused,
        ),
        (Step::Login, 534, "5.7.9 Application-specific password required. Learn more", Meaning::AppPasswordWanted),
        (Step::Login, 535, "5.7.8 Username and Password not accepted.", Meaning::WrongPassword),
        (Step::Login, 535, "Authentication failed", Meaning::WrongPassword),
        (Step::Login, 454, "4.7.0 Temporary authentication failure", Meaning::PutOff),
        (Step::TokenLogin, 535, "5.7.3 Authentication unsuccessful", Meaning::WrongToken),
        (Step::Sender, 530, "5.7.0 Must issue a STARTTLS command first.", Meaning::EncryptionWanted),
        (Step::Sender, 530, "5.7.57 Client not authenticated to send mail.", Meaning::LoginWanted),
        (
            Step::Letter,
            550,
            "5.7.60 SMTP; Client does not have permissions to send as this sender",
            Meaning::NotThisSender,
        ),
        (
            Step::Letter,
            554,
            "5.2.252 SendAsDenied; a@example.com not allowed to send as b@example.com",
            Meaning::NotThisSender,
        ),
        (
            Step::Recipient,
            553,
            "5.7.1 <a@example.com>: Sender address rejected: not owned by user b",
            Meaning::NotThisSender,
        ),
        (Step::Letter, 554, "Message rejected: Email address is not verified.", Meaning::NotThisSender),
        (Step::Letter, 550, "5.7.26 This mail is unauthenticated", Meaning::SenderUnproven),
        (Step::Recipient, 552, "5.2.2 Mailbox full", Meaning::MailboxFull),
        (Step::Recipient, 452, "4.2.2 The email account that you tried to reach is over quota.", Meaning::MailboxFull),
        (Step::Recipient, 550, "5.2.1 The email account that you tried to reach is disabled.", Meaning::MailboxOff),
        (Step::Letter, 552, "5.3.4 Message size exceeds fixed limit", Meaning::TooLarge),
        (Step::Letter, 552, "no", Meaning::TooLargeOrFull),
        (Step::Recipient, 554, "5.7.1 <a@example.com>: Relay access denied", Meaning::NoRelaying),
        (Step::Letter, 550, "5.7.1 Message contains spam", Meaning::Policy),
        (Step::Recipient, 550, "5.1.1 <a@example.com>: User unknown", Meaning::UnknownRecipient),
        (Step::Recipient, 550, "no such user here", Meaning::UnknownRecipient),
        (Step::Recipient, 450, "4.2.0 Greylisted, try again in 60 seconds", Meaning::PutOff),
        (Step::Recipient, 503, "5.5.1 Bad sequence of commands", Meaning::Other),
        (
            Step::Recipient,
            504,
            "5.5.2 <strongroom>: Helo command rejected: need fully-qualified hostname",
            Meaning::Hello,
        ),
        (Step::Recipient, 450, "4.7.1 <strongroom>: Helo command rejected: Host not found", Meaning::Hello),
        (Step::Greeting, 501, "5.5.4 Invalid domain name", Meaning::Hello),
        (Step::Greeting, 554, "No SMTP service here", Meaning::Away),
        (Step::Letter, 421, "4.3.2 Shutting down", Meaning::Away),
    ];
    for (step, code, words, meaning) in replies {
        let reply = Reply::new(*code, words);
        assert_eq!(reply.meaning(*step), *meaning, "{code} {words}");
        let sentence = reply.told(*step, &PARTIES).to_string();
        assert!(sentence.starts_with("The mail server mx.example:587 ") && sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn field_s01_a_refused_greeting_is_a_refusal_of_the_channel() {
    let reply = Reply::new(504, "5.5.2 <strongroom>: Helo command rejected: need fully-qualified hostname");
    let told = reply.told(Step::Recipient, &PARTIES);
    assert_eq!(told.retry, Retry::ChannelRejected);
    for words in ["name strongroom", "504 5.5.2", "STRONGROOM_SMTP_HELLO", "STRONGROOM_PUBLIC_URL"] {
        assert!(told.sentence.contains(words), "{}", told.sentence);
    }
    assert_eq!(Reply::new(552, "5.2.2 x").told(Step::Recipient, &PARTIES).retry, Retry::MessageRejected);
    assert_eq!(Reply::new(452, "4.2.2 x").told(Step::Recipient, &PARTIES).retry, Retry::Postponed(None));
}

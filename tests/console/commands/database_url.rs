//! DATABASE_URL as operators write it: passwords with any character, and the true reason when nobody is let in.

use std::fs;

use crate::support::binary::Strongroom;
use crate::support::cluster::Cluster;
use crate::support::db::Scratch;
use crate::support::peers::certificates::Authority;
use crate::support::peers::free_port;

fn at(url: String) -> Strongroom {
    Strongroom { url: Some(url), database: None, directory: Scratch::new() }
}

#[actix_web::test]
async fn field_d02_a_password_with_any_character_opens_the_database() {
    let (cluster, address, _) = Cluster::with_passwords();
    cluster.sql("CREATE ROLE appq LOGIN PASSWORD 'p?w&x1'");
    cluster.sql("CREATE DATABASE ownedq OWNER appq");
    let strongroom = at(format!("postgres://appq:p?w&x1@{address}/ownedq"));
    let serving = strongroom.serve();
    serving.ready().await;
    serving.stop();
    strongroom.done(&["verify"]);
    for password in ["a@b", "a/b", "100%", "a:b#c", "sslmode=x", "quo'te", "back\\slash", "über 1"] {
        cluster.sql(&format!("ALTER ROLE appq PASSWORD '{}'", password.replace('\'', "''")));
        let other =
            Strongroom { url: Some(format!("postgres://appq:{password}@{address}/ownedq")), ..at(String::new()) };
        fs::copy(strongroom.keyring(), other.keyring()).expect("the key ring");
        assert_eq!(other.run(&["verify"]).status, 0, "{password}");
    }
}

#[test]
fn field_d03a_a_refused_connection_is_told_by_its_true_reason() {
    let (cluster, address, authority) = Cluster::with_passwords();
    cluster.sql("CREATE ROLE app LOGIN PASSWORD 'app-pw-1'");
    cluster.sql("CREATE ROLE tls_only LOGIN PASSWORD 'app-pw-1'");
    cluster.sql("CREATE DATABASE owned OWNER app");
    let files = Scratch::new();
    let file = |name: &str, text: &str| {
        fs::write(files.path.join(name), text).expect("written");
        files.path.join(name).display().to_string()
    };
    let (own, other) = (file("own.pem", &authority.pem), file("other.pem", &Authority::new().pem));
    let localhost = address.replace("127.0.0.1", "localhost");
    let free = free_port();
    for (rest, status, said) in [
        (format!("app:wrong-pw-9@{address}/owned"), 78, "does not accept the user or the password"),
        (format!("nobody9:app-pw-1@{address}/owned"), 78, "does not accept the user or the password"),
        (format!("app:app-pw-1@{address}/nosuchdb"), 78, "database \"nosuchdb\" does not exist"),
        (format!("app@{address}/owned"), 78, "DATABASE_URL has none"),
        (format!("app:app-pw-1@{address}/owned?sslmode=verify-full"), 78, "sslrootcert="),
        (
            format!("app:app-pw-1@{address}/owned?sslmode=verify-full&sslrootcert={other}"),
            78,
            "not one of the authority",
        ),
        (format!("app:app-pw-1@{address}/owned?sslmode=verify-full&sslrootcert={own}"), 78, "for another host name"),
        (format!("tls_only:app-pw-1@{address}/owned?sslmode=disable"), 78, "rejects connection"),
        (format!("app:app-pw-1@127.0.0.1:{free}/owned"), 1, "nothing listens there"),
        (format!("app:app-pw-1@/owned?host={}", files.path.display()), 1, "nothing listens there"),
        // It gets in, and there is no store yet.
        (format!("app:app-pw-1@{localhost}/owned?sslmode=verify-full&sslrootcert={own}"), 78, "no Strongroom here yet"),
    ] {
        let ran = at(format!("postgres://{rest}")).run(&["verify"]);
        assert_eq!(ran.status, status, "{rest}: {ran:?}");
        assert!(ran.err.contains(said) && ran.err.contains("DATABASE_URL"), "{rest}: {ran:?}");
        assert!(!ran.err.contains("app-pw-1") && !ran.err.contains("wrong-pw-9"), "{rest}: {ran:?}");
    }
}

#[test]
fn field_d03a_a_url_that_cannot_be_read_is_refused_unquoted() {
    for url in ["postgres://u:hunter22@h:port/d", "postgres://u:p@ss/hunter22@h/d", "host=h password=hunter22"] {
        let ran = at(url.to_owned()).run(&["verify"]);
        assert!(ran.status == 78 && ran.err.contains("DATABASE_URL"), "{ran:?}");
        assert!(!ran.err.contains("hunter22"), "{ran:?}");
    }
}

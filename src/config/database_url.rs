//! Owns how the address of a database is written, and what is wrong with one. No fault shows a password, wherever it
//! stands.

use crate::config::servers;

/// How an address is written, for whoever has to be told.
pub const FORM: &str = "postgres://USER@HOST[:PORT][,HOST[:PORT]…]/DATABASE";

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
const USUAL_PORT: u16 = 5432;
const NO_PASSWORD: &str = "must not hold the password: name a file with it in password_file";
const ALLOWED: &str =
    "allowed are target_session_attrs=read-write, options, channel_binding and sslnegotiation";

/// Whether something is meant to be the address of a database.
pub fn is_one(named: &str) -> bool {
    SCHEMES.iter().any(|scheme| named.starts_with(scheme))
}

/// The first thing that keeps this address from being used, as the end of a sentence about it.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn check(url: &str) -> Result<(), String> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or_else(|| format!("must be of the form {FORM}"))?;
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    // A password may hold any of the characters that divide an address: nothing before the last @ is ever shown.
    let (user, address) = match (address.rsplit_once('@'), rest.contains('@')) {
        (Some(parts), _) => parts,
        (None, true) if rest.split('@').next().is_some_and(|before| before.contains(':')) => {
            return Err(NO_PASSWORD.into());
        }
        (None, _) => return Err(format!("must name the user: {FORM}")),
    };
    if user.contains(':') || parameters.split('&').any(|parameter| parameter.starts_with("password=")) {
        return Err(NO_PASSWORD.into());
    }
    if user.is_empty() {
        return Err(format!("must name the user: {FORM}"));
    }
    if user.contains(['/', '?', '#', ' ', '@', ',']) {
        return Err(format!(
            "must be of the form {FORM}; what stands before the last @ is no name of a user"
        ));
    }
    let (hosts, database) = address.split_once('/').unwrap_or((address, ""));
    servers::read(hosts, USUAL_PORT)?;
    database_name(database)?;
    parameters.split('&').filter(|parameter| !parameter.is_empty()).try_for_each(parameter)
}

fn database_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err(format!("must name the database: {FORM}"));
    }
    if name.chars().any(char::is_whitespace) || name.contains("%20") {
        return Err("has a blank in the database's name; make and name one without".into());
    }
    if name.contains(['/', '#']) {
        return Err(format!("must end after the database's name and its parameters: {FORM}"));
    }
    Ok(())
}

fn parameter(parameter: &str) -> Result<(), String> {
    let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let instead = match key {
        "target_session_attrs" if value == "read-write" => return Ok(()),
        "options" => return Ok(()),
        "channel_binding" if ["disable", "prefer", "require"].contains(&value) => return Ok(()),
        "sslnegotiation" if ["postgres", "direct"].contains(&value) => return Ok(()),
        "target_session_attrs" => "a node writes, so it takes read-write alone, and does so by itself",
        "channel_binding" => "it is disable, prefer or require",
        "sslnegotiation" => "it is postgres or direct",
        "sslmode" | "sslrootcert" => {
            "ca_file decides: with it there is TLS and the certificate is checked, without it only this machine is spoken to"
        }
        "connect_timeout" => "set connect_timeout_ms beside url",
        "host" | "hostaddr" | "port" | "user" | "dbname" => "write it into the address itself",
        _ => return Err(format!("has the parameter {}, which is not known; {ALLOWED}", named(key))),
    };
    Err(format!("must not have this parameter {}: {instead}; {ALLOWED}", named(key)))
}

/// A name that was written where a parameter stands, unless it could be something else.
fn named(key: &str) -> &str {
    let plain =
        !key.is_empty() && key.len() <= 40 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if plain { key } else { "behind ?" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_can_be_used_is_taken() {
        for good in [
            "postgres://banyan@db1/banyan",
            "postgresql://b@db1:5432,db2:5432,[::1]/b",
            "postgres://b@%2Frun%2Fpostgresql/b",
            "postgres://b@db1/b?target_session_attrs=read-write&channel_binding=require",
            "postgres://b@db1/b?options=-c%20search_path%3Dsettlement",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn each_mistake_is_told_with_what_to_write() {
        for (url, told) in [
            ("mysql://b@db1/b", "must be of the form postgres://USER@HOST"),
            ("postgres://db1/b", "must name the user"),
            ("postgres://@db1/b", "must name the user"),
            ("postgres://b@/b", "has an empty host"),
            ("postgres://b@db1,,db2/b", "has an empty host"),
            ("postgres://b@db1:99999/b", "from 1 to 65535"),
            ("postgres://b@db1,db2:5432,db1:5432/b", "names db1:5432 twice"),
            ("postgres://b@db1", "must name the database"),
            ("postgres://b@db1/", "must name the database"),
            ("postgres://b@db1/my ledger", "has a blank in the database's name"),
            ("postgres://b@db1/my%20ledger", "has a blank in the database's name"),
            ("postgres://b@db1/b/c", "must end after"),
            ("postgres://b@db1/b?sslmode=require", "sslmode: ca_file decides"),
            ("postgres://b@db1/b?connect_timeout=3", "connect_timeout: set connect_timeout_ms"),
            ("postgres://b@db1/b?target_session_attrs=any", "it takes read-write alone"),
            (
                "postgres://b@db1/b?sslmood=1",
                "the parameter sslmood, which is not known; allowed are target_se",
            ),
        ] {
            let fault = check(url).unwrap_err();
            assert!(fault.contains(told), "{url}: {fault}");
        }
    }

    #[test]
    fn a_password_is_refused_and_never_shown_whatever_is_in_it() {
        for password in ["secret", "se@secret", "se/secret", "se?secret", "se,secret:secret", "se#secret"] {
            let fault = check(&format!("postgres://banyan:{password}@db1/banyan")).unwrap_err();
            assert_eq!(fault, NO_PASSWORD, "{password}");
        }
        for url in ["postgres://b@db1/b?password=secret", "postgres://b@db1/b?secret/x=1", "secret@db1"] {
            assert!(!check(url).unwrap_err().contains("secret"), "{url}");
        }
    }
}

//! Owns `[cache]`: where a gateway's nodes remember together what may be lost.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::reading::Section;
use crate::config::servers;
use crate::config::servers::ServerName;

/// Absent: each node remembers by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSection {
    /// `host:port`, in the order in which they are tried; the first that takes writes is used.
    pub addresses: Vec<String>,
    pub tls: RedisTls,
    pub user: Option<String>,
    pub password_file: Option<PathBuf>,
    /// First part of every key and channel: gateways of other provinces may use the same Redis under another.
    pub namespace: String,
    /// For each address: connecting, TLS and greeting together.
    pub connect_timeout: Duration,
    /// A call that was not answered for so long goes on without Redis.
    pub answer_within: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisTls {
    Off,
    /// The server's certificate must be signed by these authorities.
    On {
        authorities: PathBuf,
    },
}

const USUAL_PORT: u16 = 6379;

/// `written`: whether the file has the section.
pub(super) fn cache(s: &mut Section, written: bool) -> Option<RedisSection> {
    if written && !s.has("url") {
        s.fault("url", "must be set, like rediss://10.1.0.5:6379, or the section left out");
    }
    let url = s.optional_text("url");
    let (authorities, plain) = (s.path("ca_file"), s.flag("plain_network", false));
    let (user, password_file) = (s.optional_text("user"), s.path("password_file"));
    let namespace = s.text("namespace", "banyan");
    let connect_timeout = s.milliseconds("connect_timeout_ms", 10..=10_000, 250);
    let answer_within = s.milliseconds("answer_within_ms", 5..=1_000, 50);
    if !namespace.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        s.fault("namespace", "must be letters, digits, - and _");
    }
    if user.is_some() && password_file.is_none() {
        s.fault("password_file", "must be set with user");
    }
    let url = url?;
    let (over_tls, servers) = match read_url(&url) {
        Ok(read) => read,
        Err(what) => {
            s.fault("url", what);
            return None;
        }
    };
    let tls = match (over_tls, authorities) {
        (true, Some(authorities)) => RedisTls::On { authorities },
        (true, None) => {
            s.fault(
                "ca_file",
                "must be set with rediss://: the authorities that sign the server's certificate",
            );
            return None;
        }
        (false, _) => {
            if !plain && !servers.iter().all(ServerName::is_this_machine) {
                s.fault(
                    "url",
                    "must be rediss:// (TLS) where it leaves this machine, or say plain_network = true",
                );
            }
            RedisTls::Off
        }
    };
    let addresses = servers.iter().map(|server| format!("{}:{}", server.host, server.port)).collect();
    Some(RedisSection { addresses, tls, user, password_file, namespace, connect_timeout, answer_within })
}

/// Whether TLS is spoken, and to whom. Faults never show what may be a password.
fn read_url(url: &str) -> Result<(bool, Vec<ServerName>), String> {
    const EXPECTED: &str = "must be like redis://10.1.0.5:6379,10.1.0.6:6379, or rediss:// for TLS";
    let (over_tls, rest) = match (url.strip_prefix("redis://"), url.strip_prefix("rediss://")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        (None, None) => return Err(EXPECTED.into()),
    };
    if rest.contains('@') {
        return Err("must hold no user or password: set user and password_file".into());
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err("must end after the addresses: databases are not used, set namespace".into());
    }
    Ok((over_tls, servers::read(rest, USUAL_PORT)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reading::read_text;
    use std::path::Path;

    fn read(text: &str) -> Result<Option<RedisSection>, Vec<String>> {
        read_text(text, Path::new("/etc/banyan"), |s| cache(s, !text.is_empty()))
            .map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_a_url_each_node_remembers_by_itself() {
        assert_eq!(read(""), Ok(None));
        for without in ["namespace = \"a\"", "# an empty section"] {
            let faults = read(without).unwrap_err();
            assert!(faults.len() == 1 && faults[0].starts_with("url: must be set"), "{faults:?}");
        }
    }

    #[test]
    fn addresses_are_kept_in_their_order_with_the_usual_port() {
        let section = read("url = \"redis://127.0.0.1,localhost:7000,[::1]:7001/\"").unwrap().unwrap();
        assert_eq!(section.addresses, ["127.0.0.1:6379", "localhost:7000", "[::1]:7001"]);
        assert_eq!((section.tls, section.namespace.as_str()), (RedisTls::Off, "banyan"));
        let section = read("url = \"rediss://redis.example:6380\"\nca_file = \"ca.pem\"").unwrap().unwrap();
        assert_eq!(section.tls, RedisTls::On { authorities: PathBuf::from("/etc/banyan/ca.pem") });
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_or_said_not_to_be() {
        let faults = read("url = \"redis://10.1.0.5\"").unwrap_err();
        assert!(faults[0].starts_with("url: must be rediss://"), "{faults:?}");
        assert!(read("url = \"redis://10.1.0.5\"\nplain_network = true").unwrap().is_some());
        let faults = read("url = \"rediss://10.1.0.5\"").unwrap_err();
        assert!(faults[0].starts_with("ca_file: must be set"), "{faults:?}");
    }

    #[test]
    fn a_password_is_named_and_never_shown() {
        let faults = read("url = \"redis://:topsecret@127.0.0.1\"").unwrap_err();
        assert!(faults[0].contains("password_file") && !faults[0].contains("topsecret"), "{faults:?}");
        assert!(read("url = \"redis://127.0.0.1\"\nuser = \"banyan\"").is_err());
    }

    #[test]
    fn wrong_addresses_are_refused() {
        for bad in
            ["http://127.0.0.1", "redis://", "redis://a,,b", "redis://a:port", "redis://a/0", "redis://::1"]
        {
            assert!(read(&format!("url = \"{bad}\"\nplain_network = true")).is_err(), "{bad}");
        }
        for (bad, told) in
            [("a:0", "from 1 to 65535"), ("a:99999", "from 1 to 65535"), ("a,b,a:6379", "a:6379 twice")]
        {
            let faults = read(&format!("url = \"redis://{bad}\"\nplain_network = true")).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains(told), "{faults:?}");
        }
    }
}

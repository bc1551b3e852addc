//! Owns how the servers of an address are written: `HOST[:PORT][,HOST[:PORT]…]`. Faults show a host or a port at most.

/// One server, with the port that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerName {
    /// As written; an IPv6 address stands in brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl ServerName {
    pub(super) fn is_this_machine(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// The servers in the order in which they are tried; else what is wrong with the list.
pub(super) fn read(list: &str, usual_port: u16) -> Result<Vec<ServerName>, String> {
    let mut servers: Vec<ServerName> = Vec::new();
    for text in list.split(',') {
        let server = one(text, usual_port)?;
        let same =
            |other: &ServerName| other.host.eq_ignore_ascii_case(&server.host) && other.port == server.port;
        if servers.iter().any(same) {
            let ServerName { host, port } = server;
            return Err(format!("names {host}:{port} twice; name each server once"));
        }
        servers.push(server);
    }
    Ok(servers)
}

fn one(text: &str, usual_port: u16) -> Result<ServerName, String> {
    let (host, port) = match text.rsplit_once(':') {
        // The last colon inside brackets is none of a port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    if host.is_empty() {
        return Err(
            "has an empty host; name each server as HOST or HOST:PORT, with a comma between two".into()
        );
    }
    if host.contains(':') && !(host.starts_with('[') && host.ends_with(']')) {
        return Err("has a colon too many; write an IPv6 address in brackets, like [::1]".into());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '%' | ':' | '[' | ']');
    if !host.chars().all(plain) {
        return Err(format!("names the host {host:?}, which is no name of a host"));
    }
    let port = match port {
        None => usual_port,
        Some(text) => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            format!("has the port {text:?} at {host}; a port is a whole number from 1 to 65535")
        })?,
    };
    Ok(ServerName { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_keep_their_order_and_get_the_usual_port() {
        let read = read("db1,10.0.0.7:6000,[::1]:1,[fe80::1]", 5432).unwrap();
        let told: Vec<String> = read.iter().map(|it| format!("{} {}", it.host, it.port)).collect();
        assert_eq!(told, ["db1 5432", "10.0.0.7 6000", "[::1] 1", "[fe80::1] 5432"]);
        let here: Vec<bool> = read.iter().map(ServerName::is_this_machine).collect();
        assert_eq!(here, [false, false, true, false]);
    }

    #[test]
    fn a_list_that_cannot_be_meant_says_what_to_write() {
        for (list, told) in [
            ("", "an empty host"),
            ("a,,b", "an empty host"),
            (":1", "an empty host"),
            ("::1", "in brackets"),
            ("a b", "no name of a host"),
            ("a:port", "from 1 to 65535"),
            ("a:", "from 1 to 65535"),
            ("a:0", "from 1 to 65535"),
            ("a:99999", "the port \"99999\" at a; a port is a whole number from 1 to 65535"),
            ("a,b,A:9", "names A:9 twice"),
        ] {
            let fault = read(list, 9).unwrap_err();
            assert!(fault.contains(told), "{list}: {fault}");
        }
    }
}

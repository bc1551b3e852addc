//! What a gateway's `/metrics` said at one moment.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;

/// A series' name with its labels, as it stands in the text.
pub(crate) type Series = String;

#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) values: BTreeMap<Series, f64>,
    /// Names of metrics that only grow.
    counters: BTreeSet<String>,
}

impl Scrape {
    /// `None` when nobody answers, which Prometheus records as `up` 0.
    pub(crate) fn of(operators: SocketAddr) -> Option<Scrape> {
        let text = get(operators, "/metrics")?;
        Some(Scrape::read(&text))
    }

    fn read(text: &str) -> Scrape {
        let mut scrape = Scrape::default();
        for line in text.lines() {
            if let Some(told) = line.strip_prefix("# TYPE ") {
                let (name, kind) = told.split_once(' ').unwrap();
                if kind == "counter" {
                    scrape.counters.insert(name.to_owned());
                } else if kind == "histogram" {
                    scrape.counters.extend(["bucket", "count", "sum"].map(|part| format!("{name}_{part}")));
                }
            } else if !line.starts_with('#') && !line.is_empty() {
                let (series, value) = line.rsplit_once(' ').unwrap();
                scrape.values.insert(series.to_owned(), value.parse().unwrap());
            }
        }
        scrape
    }

    /// The sum over all series of that name whose labels have these words in them.
    pub(crate) fn sum(&self, name: &str, label: &str) -> f64 {
        let of = |series: &str| name_of(series) == name && series.contains(label);
        self.values.iter().filter(|(series, _)| of(series)).map(|(_, value)| value).sum()
    }

    pub(crate) fn is_counter(&self, series: &str) -> bool {
        self.counters.contains(name_of(series))
    }
}

fn name_of(series: &str) -> &str {
    series.split_once('{').map_or(series, |(name, _)| name)
}

/// The body of an answer, whatever its status.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return Some(body.to_owned());
    }
    let (mut whole, mut rest) = (String::new(), body);
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length.trim(), 16).ok()?;
        whole.push_str(after.get(..length)?);
        rest = after.get(length + 2..)?;
        if length == 0 {
            break;
        }
    }
    Some(whole)
}

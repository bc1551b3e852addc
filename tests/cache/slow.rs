//! A Redis that answers late: how often a call waits for it is counted, not timed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use banyan::cache::Cache as _;
use banyan::cache::Space;
use banyan::cache::redis::event::Event;
use banyan::cache::redis::event::Lost;
use banyan::config::cache::RedisSection;
use banyan::domain::codes::HospitalLevel;
use banyan::sandbox::catalogue::codes;
use banyan::sandbox::stays::Charge;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio::time::sleep_until;

use crate::reader::Reader;
use crate::stage::LATER;
use crate::stage::NOW;
use crate::stage::Node;
use crate::stage::section;
use crate::stage::server;
use crate::stage::shipped;
use crate::support::people::EMPLOYEE;
use crate::support::world::World;

/// Words of what a call waits for. Probes, leases of limits and messages between nodes are asked beside.
const WAITED_FOR: [&str; 4] = ["GET", "GETDEL", "SET", "EVALSHA"];

/// Of another province, where care must be filed; and of her own.
const CHANGSHA: u32 = 430_100;
const GUANGZHOU: u32 = 440_100;
/// Far above every deductible, so that filing makes a difference.
const LARGE: [Charge; 1] = [Charge::new(codes::LABORATORY, 3_000_000, 1)];

/// Stands before a server and hands each request on after a time; answers come back at once.
#[derive(Clone)]
struct Late {
    address: SocketAddr,
    by: Arc<Mutex<Duration>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Late {
    async fn before(server: SocketAddr, by: Duration) -> Late {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let late = Late { address, by: Arc::new(Mutex::new(by)), asked: Arc::default() };
        let each = late.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(each.clone().carry(near, server));
            }
        });
        late
    }

    async fn carry(self, near: TcpStream, server: SocketAddr) {
        let Ok(far) = TcpStream::connect(server).await else { return };
        let ((mut from_node, mut to_node), (mut from_server, mut to_server)) =
            (near.into_split(), far.into_split());
        let (on_the_way, mut arriving) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
        let asking = async {
            let (mut bytes, mut unread) = (vec![0; 64 * 1024], Vec::new());
            while let Ok(count @ 1..) = from_node.read(&mut bytes).await {
                let request = bytes[..count].to_vec();
                unread.extend_from_slice(&request);
                while let Some((command, rest)) = first_command(&unread) {
                    if is_waited_for(&command) {
                        self.asked.lock().unwrap().push(command[0].clone());
                    }
                    unread = rest.to_vec();
                }
                let _gone = on_the_way.send((Instant::now() + *self.by.lock().unwrap(), request));
            }
        };
        let delivering = async {
            while let Some((at, request)) = arriving.recv().await {
                sleep_until(at).await;
                if to_server.write_all(&request).await.is_err() {
                    break;
                }
            }
        };
        // A node that is gone, or a server: then the other learns it.
        tokio::select! {
            () = asking => {}
            () = delivering => {}
            _ = tokio::io::copy(&mut from_server, &mut to_node) => {}
        }
    }

    fn be(&self, by: Duration) {
        *self.by.lock().unwrap() = by;
    }

    /// What somebody has waited for since this was last asked.
    fn waits(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn named_in(&self, section: RedisSection) -> RedisSection {
        RedisSection { addresses: vec![self.address.to_string()], ..section }
    }
}

fn is_waited_for(command: &[String]) -> bool {
    let beside = |part: &String| part.ends_with(":probe") || part.contains(":limit:");
    WAITED_FOR.contains(&command[0].as_str()) && !command.iter().any(beside)
}

/// The parts of the first command that is whole, and what follows it.
fn first_command(bytes: &[u8]) -> Option<(Vec<String>, &[u8])> {
    let (mut parts, mut rest) = (Vec::new(), bytes);
    let mut count = header(&mut rest, b'*')?;
    while count > 0 {
        let length = header(&mut rest, b'$')?;
        parts.push(String::from_utf8_lossy(rest.get(..length)?).into_owned());
        rest = rest.get(length + 2..)?;
        count -= 1;
    }
    Some((parts, rest))
}

fn header(rest: &mut &[u8], kind: u8) -> Option<usize> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let (line, after) = rest.split_at(end);
    assert_eq!(line[0], kind, "a node speaks in arrays of texts");
    *rest = &after[2..];
    Some(std::str::from_utf8(&line[1..]).unwrap().parse().unwrap())
}

#[tokio::test]
async fn each_use_of_a_slow_redis_waits_for_one_answer() {
    const TIMES: usize = 20;
    let server = server();
    let late = Late::before(server.address(), Duration::from_millis(5)).await;
    let mut node = Node::begin(&late.named_in(section(&[])));
    node.is(true).await;
    // What a script is called is learnt with its first use.
    node.redis.cache.count(Space::Other, "n", NOW, LATER).await;
    late.waits();
    for n in 0..TIMES {
        node.put(&format!("key {n}"), "1").await;
        assert_eq!(node.get(&format!("key {n}")).await.as_deref(), Some("1"));
        assert_eq!(node.take(&format!("key {n}")).await.as_deref(), Some("1"));
        node.redis.cache.count(Space::Other, "n", NOW, LATER).await;
    }
    assert_eq!(late.waits().len(), 4 * TIMES);
    assert_eq!(node.changes(), [true], "slow is not gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_waits_for_a_slow_redis_as_often_as_is_documented() {
    let server = server();
    let late = Late::before(server.address(), Duration::from_millis(5)).await;
    let world = World::start_with(|config, _| config.cache = Some(late.named_in(section(&[&server])))).await;
    let insured = world.insure(&EMPLOYEE).await;
    let mut visit = world.visit(&insured, CHANGSHA, HospitalLevel::Three, &LARGE);
    visit.until_discharge().await;
    late.waits();
    assert_eq!(visit.quote().await.code(), "unfiled");
    assert_eq!(late.waits(), ["GET", "SET"], "of an unfiled stay: was it told, and that it is told now");
    visit.quote().await.done();
    assert_eq!(late.waits(), ["GET", "SET"], "the second time: was it told, and what was quoted");
    visit.settle().await.done();
    assert_eq!(late.waits(), ["GET"], "a settlement: what was quoted");
    let mut near = world.visit(&insured, GUANGZHOU, HospitalLevel::Three, &LARGE);
    near.until_discharge().await;
    late.waits();
    near.quote().await.done();
    assert_eq!(late.waits(), ["SET"], "a stay that needs no filing: what was quoted");

    let mut reader = Reader::of(world.app.addresses().persons);
    reader.sign_in(&insured.private.certificate_number).await;
    late.waits();
    reader.get("/me").await;
    assert_eq!(late.waits(), ["GET", "SET"], "a page: whose session, and that it goes on");
    world.is_sound().await;
}

#[tokio::test]
async fn a_redis_slower_than_a_call_waits_is_soon_not_asked_at_all() {
    const CALLS: usize = 500;
    let server = server();
    let late = Late::before(server.address(), Duration::ZERO).await;
    let limits = shipped(&[]);
    let slower = limits.answer_within * 3;
    let mut node = Node::begin(&late.named_in(limits));
    node.is(true).await;
    late.be(slower);
    late.waits();
    for n in 0..CALLS {
        node.put(&format!("key {n}"), "1").await;
    }
    node.is(false).await;
    let late_calls = || node.events().iter().filter(|it| **it == Event::Lost(Lost::Late)).count();
    assert!((1..=3).contains(&late_calls()), "{} calls waited in vain", late_calls());
    assert!(late.waits().len() <= 3, "and no other was even sent");
    let before = late_calls();
    for n in 0..CALLS {
        assert_eq!(node.get(&format!("key {n}")).await.as_deref(), Some("1"), "kept here meanwhile");
    }
    assert_eq!(late_calls(), before, "what counts as gone is not waited for");
    late.be(Duration::ZERO);
    node.is(true).await;
    assert_eq!(node.get("key 1").await.as_deref(), Some("1"));
    assert_eq!(node.changes(), [true, false, true]);
}

#[tokio::test]
async fn a_redis_that_is_slow_from_the_start_is_never_taken_and_costs_no_call_anything() {
    let server = server();
    let limits = shipped(&[]);
    let late = Late::before(server.address(), limits.answer_within * 3 / 2).await;
    // Time enough to connect.
    let patient = RedisSection { connect_timeout: Duration::from_secs(5), ..limits };
    let node = Node::begin(&late.named_in(patient));
    node.redis.tried().await;
    late.waits();
    node.put("a", "1").await;
    assert_eq!(node.get("a").await.as_deref(), Some("1"), "kept here");
    assert_eq!(late.waits(), [""; 0]);
    assert_eq!(node.changes(), [false]);
}

//! Owns what HTTP/1.1 promises to whoever speaks it well, oddly or not at all.

use banyan::transport::Event;
use banyan::transport::Refusal;
use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::Full;
use hyper::StatusCode;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::server::Running;
use crate::server::patient;

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let running = Running::plain(patient());
    let socket = TcpStream::connect(running.address()).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    for turn in 0..200 {
        let said = format!("request {turn}");
        let request = hyper::Request::post("/echo").body(Full::new(Bytes::from(said.clone()))).unwrap();
        let answer = sender.send_request(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), said);
    }
    let opened = running.so_far().await.into_iter().filter(|event| *event == Event::ConnectionOpened).count();
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    let request = |body| format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{body}");
    let all: String = ["a", "b", "c"].map(request).concat();
    line.say(&all).await;
    for body in ["a", "b", "c"] {
        assert_eq!(line.hear().await.unwrap().body, body);
    }
}

#[tokio::test]
async fn a_body_arrives_whole_however_it_was_sent() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n").await;
    assert_eq!(line.hear().await.unwrap().body, "abcdefg");

    let large = "医".repeat(300_000);
    assert_eq!(line.ask("/echo", &large).await.body, large);

    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n").await;
    assert!(line.hear_head().await.unwrap().starts_with("HTTP/1.1 100 "));
    line.say("ok").await;
    assert_eq!(line.hear().await.unwrap().body, "ok");

    assert_eq!(line.ask("/echo", "").await.body, "");
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.stream.set_nodelay(true).unwrap();
    for byte in "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nslow".chars() {
        line.say(byte.encode_utf8(&mut [0; 4])).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(line.hear().await.unwrap().body, "slow");
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_the_connection_goes_on() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.say("HEAD /echo HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(line.hear_head().await.unwrap().starts_with("HTTP/1.1 200 "));
    assert_eq!(line.ask("/echo", "next").await.body, "next");
}

#[tokio::test]
async fn a_client_that_has_closed_its_sending_side_still_gets_its_answer() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.post("/gate", "last").await;
    line.stream.shutdown().await.unwrap();
    running.echo.entered(1).await;
    running.echo.gate.add_permits(1);
    assert_eq!(line.hear().await.unwrap().body, "last");
    assert!(line.is_closed().await);
}

#[tokio::test]
async fn an_old_client_gets_its_answer_and_a_closed_connection() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.0\r\ncontent-length: 3\r\n\r\nold").await;
    assert_eq!(line.hear().await.unwrap().body, "old");
    assert!(line.is_closed().await);
}

#[tokio::test]
async fn what_is_no_request_is_told_so_in_plain_text() {
    let huge_header = format!("POST / HTTP/1.1\r\nx-filler: {}\r\n\r\n", "x".repeat(40_000));
    let many_headers = format!("POST / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(101));
    let long_address = format!("POST /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    let cases = [
        ("not HTTP at all\r\n\r\n", 400, Refusal::Malformed),
        ("POST / HTTP/1.1\r\nbad header\r\n\r\n", 400, Refusal::Malformed),
        ("POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n", 400, Refusal::Malformed),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk\r\n", 400, Refusal::MalformedBody),
        (&huge_header, 431, Refusal::HeaderTooLarge),
        (&many_headers, 431, Refusal::HeaderTooLarge),
        (&long_address, 431, Refusal::HeaderTooLarge),
        ("CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n", 501, Refusal::NoProxying),
    ];
    for (said, status, refusal) in cases {
        let running = Running::plain(patient());
        let mut line = running.connect().await;
        line.say(said).await;
        let heard = line.hear().await.unwrap();
        let start = &said[..said.len().min(40)];
        assert_eq!(heard.status, status, "{start:?}");
        assert!(heard.says_close(), "{start:?}: {heard:?}");
        assert!(heard.head.contains("text/plain; charset=utf-8"), "{start:?}: {heard:?}");
        let (chinese, english) = heard.body.split_once('\n').expect("two lines");
        assert!(chinese.contains('请') && english.is_ascii() && !english.is_empty(), "{start:?}: {heard:?}");
        assert!(line.is_closed().await, "{start:?}");
        running.saw(Event::Refused(refusal)).await;
    }
}

#[tokio::test]
async fn a_body_that_broke_off_is_told_apart_from_one_that_makes_no_sense() {
    let halves = [
        "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf",
        "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
    ];
    for half in halves {
        let running = Running::plain(patient());
        let mut line = running.connect().await;
        line.say(half).await;
        line.stream.shutdown().await.unwrap();
        let heard = line.hear().await.unwrap();
        assert_eq!(heard.status, 400, "{half:?}");
        assert!(heard.says_close() && line.is_closed().await, "{half:?}: {heard:?}");
        running.saw(Event::Refused(Refusal::BodyCutOff)).await;

        let running = Running::plain(patient());
        let mut line = running.connect().await;
        line.say(half).await;
        drop(line);
        running.saw(Event::Refused(Refusal::BodyCutOff)).await;
    }
}

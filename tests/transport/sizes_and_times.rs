//! Owns what happens at each limit of size, time and number.

use banyan::transport::Event;
use banyan::transport::Refusal;
use banyan::transport::Settings;
use std::time::Duration;

use crate::server::Running;
use crate::server::millis;
use crate::server::patient;

fn small() -> Settings {
    Settings { body_bytes_max: 1000, ..patient() }
}

#[tokio::test]
async fn a_body_at_the_limit_passes_and_one_byte_more_is_413() {
    let running = Running::plain(small());
    let mut line = running.connect().await;
    assert_eq!(line.ask("/echo", &"x".repeat(1000)).await.status, 200);
    let heard = line.ask("/echo", &"x".repeat(1001)).await;
    assert_eq!(heard.status, 413);
    assert!(heard.says_close());
    assert!(heard.body.contains("上限"), "{heard:?}");
    assert!(line.is_closed().await);
    running.saw(Event::Refused(Refusal::BodyTooLarge)).await;
}

#[tokio::test]
async fn a_client_in_the_middle_of_ten_megabytes_reads_the_413() {
    let running =
        Running::plain(Settings { body_bytes_max: 1000, linger_timeout: Duration::from_secs(60), ..small() });
    for head in ["content-length: 10000000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n989680\r\n"] {
        let mut line = running.connect().await;
        line.say(&format!("POST /echo HTTP/1.1\r\nhost: x\r\n{head}")).await;
        line.say(&"x".repeat(10_000_000)).await; // all of it, before looking at the answer
        assert_eq!(line.hear().await.unwrap().status, 413, "{head}");
    }
}

#[tokio::test]
async fn who_finds_no_room_is_told_so_behind_his_body_and_may_ask_again_on_the_same_line() {
    let running = Running::plain(Settings { body_bytes_max: 100_000, ..patient() });
    let mut line = running.connect().await;
    for _ in 0..3 {
        let heard = line.ask("/full", &"x".repeat(100_000)).await;
        assert_eq!((heard.status, heard.body.as_str()), (500, "no room"));
        assert!(!heard.says_close());
    }
    assert_eq!(line.ask("/echo", "x").await.body, "x");
    assert_eq!(line.ask("/full", &"x".repeat(100_001)).await.status, 413);
    assert!(line.is_closed().await);
    line = running.connect().await;
    line.say("POST /full HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n186a1\r\n").await;
    line.say(&"x".repeat(100_001)).await;
    assert_eq!(line.hear().await.unwrap().status, 413, "also when its length was not said before");
    line = running.connect().await;
    line.say("POST /full HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n").await;
    let spared = line.hear().await.unwrap();
    assert_eq!((spared.status, spared.body.as_str()), (500, "no room"), "and no 100 before it");
    assert!(spared.says_close());
    line = running.connect().await;
    line.say("POST /full HTTP/1.1\r\nhost: x\r\ncontent-length: 100001\r\n\r\n").await;
    assert_eq!(line.hear().await.unwrap().status, 413, "before any of it has come");
}

#[tokio::test]
async fn long_bodies_have_so_much_room_together_and_no_more() {
    let long = "x".repeat(100_000);
    // For one of them, to the last byte: the first 32 KB of each are free.
    let running = Running::plain(Settings { bodies_bytes_max: 100_000 - 32 * 1024, ..patient() });
    let mut one = running.connect().await;
    let mut other = running.connect().await;
    one.post("/gate", &long).await;
    running.echo.entered(1).await;
    for _ in 0..3 {
        let told = other.ask("/echo", &long).await;
        assert_eq!(told.status, 503);
        assert!(told.body.contains("稍后原样重发") && !told.says_close(), "{told:?}");
    }
    running.saw(Event::Refused(Refusal::NoRoomForBody)).await;
    let (begin, end) = ("x".repeat(20_000), "y".repeat(12_000));
    other.say(&format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 32000\r\n\r\n{begin}")).await;
    other.say(&end).await;
    assert_eq!(
        other.hear().await.unwrap().body,
        begin + &end,
        "short ones go on, in how many pieces they may come"
    );
    let mut asking = running.connect().await;
    asking
        .say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\nexpect: 100-continue\r\n\r\n")
        .await;
    let spared = asking.hear().await.unwrap();
    assert_eq!((spared.status, spared.says_close()), (503, true), "and no 100 before it");
    running.echo.gate.add_permits(1);
    assert_eq!(one.hear().await.unwrap().body, long);
    assert_eq!(other.ask("/echo", &long).await.body, long, "whoever is done makes room");
}

#[tokio::test]
async fn a_body_is_handed_on_whole_however_long_it_is_and_however_it_comes() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    let text: String = (0..200_000).map(|number| format!("{number:06}")).collect();
    // Around what is read at a time, what lies in pages of its own, and far beyond.
    for length in [32_767, 32_769, 262_143, 262_144, 262_145, 1_200_000] {
        let wanted = &text[..length];
        assert!(line.ask("/echo", wanted).await.body == wanted, "{length} bytes, their number said before");
        line.say("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await;
        line.say(&format!("{:x}\r\n{}\r\n", length / 2, &wanted[..length / 2])).await;
        line.say(&format!("{:x}\r\n{}\r\n0\r\n\r\n", length - length / 2, &wanted[length / 2..])).await;
        assert!(line.hear().await.unwrap().body == wanted, "{length} bytes in chunks");
    }
}

#[tokio::test]
async fn bodies_that_stay_away_or_break_off_or_are_too_long_leave_no_room_taken() {
    let long = "x".repeat(100_000);
    let settings = Settings {
        body_timeout: millis(1_000),
        body_bytes_max: 100_000,
        bodies_bytes_max: 100_000,
        ..patient()
    };
    let running = Running::plain(settings);
    let begun = |head: &str| format!("POST /echo HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{}", &long[..90_000]);
    let mut late = running.connect().await;
    late.say(&begun("content-length: 100000")).await;
    assert_eq!(late.hear().await.unwrap().status, 408);
    let mut broken = running.connect().await;
    broken.say(&begun("content-length: 100000")).await;
    drop(broken);
    running.saw(Event::ConnectionClosed).await;
    let mut longer = running.connect().await;
    longer.say("POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n186a1\r\n").await;
    longer.say(&"x".repeat(100_001)).await;
    assert_eq!(longer.hear().await.unwrap().status, 413);
    assert_eq!(running.connect().await.ask("/echo", &long).await.body, long);
}

#[tokio::test]
async fn a_long_body_is_worked_on_apart_and_keeps_to_the_same_rules() {
    let settings = Settings { bulk_bytes: 1_000, request_timeout: millis(300), ..patient() };
    let running = Running::plain(settings);
    let mut line = running.connect().await;
    assert_ne!(line.ask("/thread", &"x".repeat(999)).await.body, "bulk");
    let long = "x".repeat(1_000);
    assert_eq!(line.ask("/thread", &long).await.body, "bulk");
    assert_eq!(line.ask("/echo", &long).await.body, long);
    let panicked = line.ask("/panic", &long).await;
    assert_eq!((panicked.status, panicked.body.as_str()), (500, "panicked"));
    running.saw(Event::Refused(Refusal::Panicked)).await;
    let late = line.ask("/never", &long).await;
    assert_eq!((late.status, late.body.as_str()), (500, "timed out"));
    running.saw(Event::Refused(Refusal::TimedOut)).await;
}

#[tokio::test]
async fn who_gets_no_place_is_told_so_while_all_threads_for_long_bodies_are_at_work() {
    let running = Running::plain(Settings { bulk_bytes: 1_000, ..patient() });
    let long = "x".repeat(1_000);
    let threads = std::thread::available_parallelism().unwrap().get();
    let mut at_work = Vec::new();
    for _ in 0..threads {
        let mut line = running.connect().await;
        line.say(&format!("POST /hold HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{long}")).await;
        at_work.push(line);
    }
    running.echo.entered(u32::try_from(threads).unwrap()).await;
    let told = running.connect().await.ask("/crowd", &long).await;
    assert_eq!((told.status, told.body.as_str()), (500, "no place"));
    running.echo.let_go.set(()).unwrap();
    for line in &mut at_work {
        assert_eq!(line.hear().await.unwrap().body, long);
    }
}

#[tokio::test]
async fn a_client_that_asks_first_is_spared_sending_too_large_a_body() {
    let running = Running::plain(small());
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5000\r\nexpect: 100-continue\r\n\r\n").await;
    assert_eq!(line.hear().await.unwrap().status, 413);
}

#[tokio::test]
async fn a_head_that_stays_away_is_408() {
    let running = Running::plain(Settings { header_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost:").await;
    let heard = line.hear().await.unwrap();
    assert_eq!(heard.status, 408);
    assert!(heard.body.contains("请求头"), "{heard:?}");
    assert!(line.is_closed().await);
    running.saw(Event::Refused(Refusal::HeaderTooSlow)).await;
}

#[tokio::test]
async fn a_second_head_that_stays_away_is_408_too() {
    let running = Running::plain(Settings { header_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    assert_eq!(line.ask("/echo", "first").await.status, 200);
    line.say("POST /echo").await;
    assert_eq!(line.hear().await.unwrap().status, 408);
}

#[tokio::test]
async fn a_body_that_stays_away_is_408() {
    let running = Running::plain(Settings { body_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    line.say("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf").await;
    let heard = line.hear().await.unwrap();
    assert_eq!(heard.status, 408);
    assert!(heard.says_close());
    assert!(heard.body.contains("请求体"), "{heard:?}");
    assert!(line.is_closed().await);
    running.saw(Event::Refused(Refusal::BodyTooSlow)).await;
}

#[tokio::test]
async fn silent_and_idle_connections_are_closed_without_a_word() {
    // The idle limit ends later than the one that the connection began with: the alarm rings twice.
    let running =
        Running::plain(Settings { header_timeout: millis(50), idle_timeout: millis(150), ..patient() });
    assert!(running.connect().await.is_closed().await);
    let mut line = running.connect().await;
    assert_eq!(line.ask("/echo", "once").await.status, 200);
    assert!(line.is_closed().await);
}

#[tokio::test]
async fn a_handler_out_of_time_is_answered_for_by_its_own_hook() {
    let running = Running::plain(Settings { request_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    let heard = line.ask("/never", "").await;
    assert_eq!((heard.status, heard.body.as_str()), (500, "timed out"));
    assert_eq!(line.ask("/echo", "alive").await.body, "alive");
    running.saw(Event::Refused(Refusal::TimedOut)).await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let running = Running::plain(Settings { answer_timeout: millis(50), ..patient() });
    let mut line = running.connect().await;
    line.post("/echo", &"x".repeat(8 * 1024 * 1024)).await; // more than the sockets hold, and never read
    running.saw(Event::AnswerNotTaken).await;
    running.saw(Event::ConnectionClosed).await;
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_request_works() {
    let running = Running::plain(patient());
    let mut line = running.connect().await;
    let heard = line.ask("/panic", "").await;
    assert_eq!((heard.status, heard.body.as_str()), (500, "panicked"));
    assert_eq!(line.ask("/echo", "alive").await.body, "alive");
    running.saw(Event::Refused(Refusal::Panicked)).await;
}

#[tokio::test]
async fn one_connection_over_the_cap_is_closed_and_a_place_comes_free_again() {
    let running = Running::plain(Settings { connections_max: 2, ..patient() });
    let mut first = running.connect().await;
    let mut second = running.connect().await;
    assert_eq!(first.ask("/echo", "1").await.status, 200);
    assert_eq!(second.ask("/echo", "2").await.status, 200);
    assert!(running.connect().await.is_closed().await);
    running.saw(Event::ConnectionOverCap).await;
    drop(first);
    running.saw(Event::ConnectionClosed).await;
    assert_eq!(running.connect().await.ask("/echo", "3").await.status, 200);
    assert_eq!(second.ask("/echo", "still").await.status, 200);
}

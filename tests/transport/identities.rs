//! Owns who a caller is by his certificate, and what becomes of a changed one.

use banyan::transport::Event;
use banyan::transport::Settings;
use banyan::transport::client_certificate::Distrust;
use banyan::transport::client_certificate::Fingerprint;
use banyan::transport::drain::Drained;
use banyan::transport::tls::ClientCertificates;
use banyan::transport::tls::HandshakeFault;
use banyan::transport::tls::ReloadableTls;
use banyan::transport::tls::TlsError;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::KeyPair;
use rustls::HandshakeKind;
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

use crate::certificates::Authority;
use crate::certificates::BOTH_VERSIONS;
use crate::certificates::Identity;
use crate::certificates::Trust;
use crate::certificates::client;
use crate::certificates::client_that_lies;
use crate::certificates::connect_tls;
use crate::certificates::is_refused;
use crate::certificates::self_signed;
use crate::server::Running;
use crate::server::millis;
use crate::server::patient;

#[tokio::test]
async fn the_fingerprint_of_a_clients_certificate_reaches_the_handler() {
    let trust = Trust::new();
    let identity = trust.authority.client();
    let fingerprint = Fingerprint::of(&identity.certificate);
    for version in BOTH_VERSIONS {
        let running = Running::start(patient(), Some(trust.files.load(trust.files.required())));
        let connector = client(trust.authority.roots(), Some(&identity), &[version]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut line = connect_tls(&connector, running.address()).await.unwrap();
            let heard = line.ask("/echo", "who am I").await;
            assert!(heard.head.contains(&format!("x-certificate: {fingerprint}")), "{heard:?}");
            assert_eq!(line.stream.get_ref().1.handshake_kind(), Some(kind), "{version:?}");
        }
    }
}

#[test]
fn a_fingerprint_is_lower_case_hex_of_sha_256() {
    let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Fingerprint::of(b"").as_str(), of_nothing);
}

#[tokio::test]
async fn a_wrong_certificate_fails_the_handshake_and_is_counted_by_its_reason() {
    let trust = Trust::new();
    let stranger = Authority::new("strange").client();
    let expired = trust.authority.issue(ExtendedKeyUsagePurpose::ClientAuth, 2020);
    let for_servers = trust.authority.server();
    let cases = [
        (Some(&stranger), HandshakeFault::UnknownAuthority),
        (Some(&expired), HandshakeFault::OutOfDate),
        (Some(&for_servers), HandshakeFault::BadCertificate),
        (None, HandshakeFault::NoCertificate),
    ];
    let running = Running::start(patient(), Some(trust.files.load(trust.files.required())));
    for (identity, fault) in cases {
        for version in BOTH_VERSIONS {
            let connector = client(trust.authority.roots(), identity, &[version]);
            assert!(is_refused(&connector, running.address()).await, "{fault:?} {version:?}");
            running.saw(Event::HandshakeFailed(fault)).await;
        }
    }
}

#[tokio::test]
async fn where_certificates_are_accepted_a_wrong_one_is_handed_on_as_distrusted_and_never_as_a_certificate() {
    let trust = Trust::new();
    let ours = trust.authority.client();
    let fingerprint = format!("x-certificate: {}", Fingerprint::of(&ours.certificate));
    // An authority that only calls itself ours.
    let stranger = Authority::new("ours").client();
    let itself = self_signed();
    let expired = trust.authority.issue(ExtendedKeyUsagePurpose::ClientAuth, 2020);
    let early = trust.authority.issue_between(ExtendedKeyUsagePurpose::ClientAuth, 3000, 4000);
    let for_servers = trust.authority.server();
    let running = Running::start(patient(), Some(trust.files.load(trust.files.accepted())));
    let cases = [
        (Some(&ours), fingerprint.as_str(), None),
        (None, "", None),
        (Some(&stranger), "x-distrusted: unknown_authority", Some(Distrust::UnknownAuthority)),
        (Some(&itself), "x-distrusted: unknown_authority", Some(Distrust::UnknownAuthority)),
        (Some(&expired), "x-distrusted: expired", Some(Distrust::Expired)),
        (Some(&early), "x-distrusted: not_yet_valid", Some(Distrust::NotYetValid)),
        (Some(&for_servers), "x-distrusted: unfit", Some(Distrust::Unfit)),
    ];
    for (identity, told, distrust) in cases {
        for version in BOTH_VERSIONS {
            let connector = client(trust.authority.roots(), identity, &[version]);
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let mut line = connect_tls(&connector, running.address()).await.unwrap();
                let heard = line.ask("/echo", "who am I").await;
                assert!(heard.head.contains(told), "{told}: {heard:?}");
                assert_eq!(heard.head.contains("x-certificate"), told == fingerprint, "{heard:?}");
                assert_eq!(line.stream.get_ref().1.handshake_kind(), Some(kind), "{told} {version:?}");
                if let Some(why) = distrust {
                    running.saw(Event::CertificateDistrusted(why)).await;
                }
            }
        }
    }
}

/// Its owner's certificate is no secret: whoever shows it must sign with its key.
#[tokio::test]
async fn a_right_certificate_with_another_key_fails_the_handshake() {
    let trust = Trust::new();
    let ours = trust.authority.client();
    let stolen = Identity { key: KeyPair::generate().unwrap(), ..ours };
    let running = Running::start(patient(), Some(trust.files.load(trust.files.accepted())));
    for version in BOTH_VERSIONS {
        let connector = client_that_lies(trust.authority.roots(), &stolen, version);
        assert!(is_refused(&connector, running.address()).await, "{version:?}");
    }
}

#[tokio::test]
async fn an_authority_that_was_taken_out_is_distrusted_where_certificates_are_accepted() {
    let trust = Trust::new();
    let tls = trust.files.load(trust.files.accepted());
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let mut line = connect_tls(&connector, running.address()).await.unwrap();
    assert!(line.ask("/echo", "in").await.head.contains("x-certificate"));

    Authority::new("successor").write(&trust.files.path("clients.pem"));
    tls.reload().unwrap();
    let mut line = connect_tls(&connector, running.address()).await.unwrap();
    let heard = line.ask("/echo", "out").await;
    assert!(heard.head.contains("x-distrusted: unknown_authority"), "{heard:?}");
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_told_where_to_go() {
    let trust = Trust::new();
    let running = Running::start(patient(), Some(trust.files.load(ClientCertificates::Off)));
    let mut line = running.connect().await;
    let heard = line.ask("/echo", "").await;
    assert_eq!(heard.status, 400);
    assert!(heard.body.contains("https://"), "{heard:?}");
    drop(line);
    running.saw(Event::HandshakeFailed(HandshakeFault::NotTls)).await;
}

#[tokio::test]
async fn rubbish_on_a_tls_port_is_no_handshake() {
    let trust = Trust::new();
    let running = Running::start(patient(), Some(trust.files.load(ClientCertificates::Off)));
    running.connect().await.say("\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}").await;
    running.saw(Event::HandshakeFailed(HandshakeFault::NotTls)).await;
}

#[tokio::test]
async fn a_handshake_that_stays_away_is_given_up() {
    let trust = Trust::new();
    let settings = Settings { handshake_timeout: millis(50), ..patient() };
    let running = Running::start(settings, Some(trust.files.load(ClientCertificates::Off)));
    assert!(running.connect().await.is_closed().await);
    running.saw(Event::HandshakeFailed(HandshakeFault::TimedOut)).await;
}

#[tokio::test]
async fn a_reload_changes_the_identity_of_new_connections_only() {
    let trust = Trust::new();
    let tls = trust.files.load(ClientCertificates::Off);
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let old_connector = client(trust.authority.roots(), None, BOTH_VERSIONS);
    let mut old = connect_tls(&old_connector, running.address()).await.unwrap();
    assert_eq!(old.ask("/echo", "old").await.body, "old");

    let successor = Authority::new("successor");
    trust.files.put(&successor.server());
    tls.reload().unwrap();

    assert_eq!(old.ask("/echo", "goes on").await.body, "goes on");
    let unseen = client(trust.authority.roots(), None, BOTH_VERSIONS);
    assert!(is_refused(&unseen, running.address()).await);
    running.saw(Event::HandshakeFailed(HandshakeFault::RefusedByClient)).await;
    let new_connector = client(successor.roots(), None, BOTH_VERSIONS);
    let mut new = connect_tls(&new_connector, running.address()).await.unwrap();
    assert_eq!(new.ask("/echo", "new").await.body, "new");
}

#[tokio::test]
async fn an_authority_that_was_taken_out_is_out_also_for_resumed_sessions() {
    let trust = Trust::new();
    let tls = trust.files.load(trust.files.required());
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let mut line = connect_tls(&connector, running.address()).await.unwrap();
    assert_eq!(line.ask("/echo", "in").await.body, "in");

    Authority::new("successor").write(&trust.files.path("clients.pem"));
    tls.reload().unwrap();
    assert!(is_refused(&connector, running.address()).await);
    running.saw(Event::HandshakeFailed(HandshakeFault::UnknownAuthority)).await;
}

#[tokio::test]
async fn a_bad_new_file_leaves_the_old_identity_in_force_and_is_named() {
    let trust = Trust::new();
    let tls = trust.files.load(trust.files.required());
    let running = Running::start(patient(), Some(Arc::clone(&tls)));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let other_key = trust.authority.server().key.serialize_pem();
    let cases = [
        ("chain.pem", "".to_owned()),
        ("chain.pem", "-----BEGIN CERTIFICATE-----\nMII".to_owned()),
        ("key.pem", "no key".to_owned()),
        ("key.pem", other_key),
        ("clients.pem", "".to_owned()),
    ];
    for (name, content) in cases {
        let path = trust.files.path(name);
        let good = fs::read(&path).unwrap();
        fs::write(&path, &content).unwrap();
        let error = tls.reload().expect_err("a bad file").to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        let mut line = connect_tls(&connector, running.address()).await.unwrap();
        assert_eq!(line.ask("/echo", name).await.body, name);
        fs::write(&path, good).unwrap();
    }
    fs::remove_file(trust.files.path("chain.pem")).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Unreadable { .. })));
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let trust = Trust::new();
    let settings = trust.files.settings(ClientCertificates::Off);
    for mode in [0o640, 0o604, 0o660] {
        trust.files.set_key_mode(mode);
        let error = ReloadableTls::load(settings.clone()).expect_err("exposed").to_string();
        let command = format!("chmod 600 {}", settings.key.display());
        assert!(error.contains(&command) && error.contains(&format!("{mode:04o}")), "{error}");
    }
    trust.files.set_key_mode(0o400);
    assert!(ReloadableTls::load(settings).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_each_get_their_own_answers() {
    const CALLERS: usize = 50;
    let trust = Trust::new();
    let running = Running::start(patient(), Some(trust.files.load(trust.files.required())));
    let connector = client(trust.authority.roots(), Some(&trust.authority.client()), BOTH_VERSIONS);
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (connector, address) = (connector.clone(), running.address());
        callers.spawn(async move {
            let mut line = connect_tls(&connector, address).await.unwrap();
            for turn in 0..40 {
                let said = format!("{caller}.{turn} ").repeat(1 + turn * 100);
                assert_eq!(line.ask("/echo", &said).await.body, said);
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    for _ in 0..CALLERS {
        running.saw(Event::ConnectionClosed).await;
    }
    assert_eq!(running.server.drain(Duration::from_secs(60)).await, Drained { cut: 0 });
}

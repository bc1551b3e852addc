//! What a gateway writes gives nobody away: its ledger and log, its own log lines, its metrics, its refusals.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use banyan::command::sandbox_folder;
use banyan::domain::ids::RegionCode;
use banyan::ledger::codec;
use banyan::ledger::secrets::Secrets;
use banyan::sandbox::folder::Folder;
use banyan::sandbox::folder::Ports;
use banyan::sandbox::his::His;
use banyan::sandbox::his::Line;
use banyan::sandbox::play;
use banyan::sandbox::province::Province;
use banyan::sandbox::province::Size;
use banyan::sandbox::stays;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::Role;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use serde_json::Value;
use serde_json::json;
use sm3::Digest as _;
use sm3::Sm3;
use tempfile::TempDir;

const SEED: u64 = 14;

/// A province, its gateway as a process that logs all it can, and what a hospital sent it.
struct Lived {
    folder: TempDir,
    province: Province,
    log: String,
    metrics: String,
    answers_of_refusals: String,
}

struct Gate {
    process: Child,
    hospitals: String,
    operators: String,
}

impl Gate {
    fn start(settings: &Path) -> Gate {
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.arg("serve").arg("--config").arg(settings).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut address = |start: &str| {
            let line = lines.find_map(|line| line.strip_prefix(start).map(|rest| rest.trim().to_owned()));
            line.expect("it says where it listens")
        };
        let (hospitals, operators) = (address("hospitals"), address("operators"));
        Gate { process, hospitals, operators }
    }

    /// Ends it, and gives everything that it logged.
    fn stop(mut self) -> String {
        assert!(
            Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap().success()
        );
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.process.wait().unwrap().success());
        log
    }
}

fn fetch(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

impl Lived {
    async fn through_a_stay() -> Lived {
        let folder = tempfile::tempdir().unwrap();
        let place = Folder::new(folder.path());
        let today = SystemClock.now().day();
        let province = Province::new(Size { seed: SEED, persons: 42, codes: 20, stays: 1 }, today);
        sandbox_folder::make(&place, &province, Ports::ANY, Arc::new(SystemClock)).await.unwrap();
        let settings = fs::read_to_string(place.settings()).unwrap();
        assert!(settings.contains("level = \"warn\""));
        fs::write(place.settings(), settings.replace("level = \"warn\"", "level = \"trace\"")).unwrap();
        let gate = Gate::start(&place.settings());
        let answers_of_refusals = one_stay(&place, &province, &gate).await;
        let metrics = fetch(&gate.operators);
        assert!(metrics.contains("banyan"), "{metrics}");
        let log = gate.stop();
        let backup = folder.path().join("data/backup");
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.arg("backup").arg("--config").arg(place.settings()).arg("--to").arg(backup);
        assert!(command.output().unwrap().status.success(), "what it wrote is backed up beside it");
        assert!(log.lines().count() > 5, "it logs all it can: {log}");
        Lived { folder, province, log, metrics, answers_of_refusals }
    }

    /// Names, numbers, phones and cards of everybody, and the diagnosis.
    fn markers(&self) -> Vec<String> {
        let insured = self.province.figures.iter().map(|figure| &figure.insured);
        let personal = insured.flat_map(|insured| {
            let private = &insured.private;
            [&private.name, &private.certificate_number, &private.phone, &private.card_number]
                .map(Clone::clone)
        });
        let diagnosis = ["沙盒样本诊断", "SBX.001", "一号楼二单元", "老朋友病"].map(str::to_owned);
        personal.filter(|text| text.len() > 5).chain(diagnosis).collect()
    }
}

/// A whole stay, and messages that are refused, each full of personal data.
async fn one_stay(place: &Folder, province: &Province, gate: &Gate) -> String {
    let figure = province.figures.iter().find(|figure| figure.role == Role::Local).unwrap();
    let hospital = province.hospitals.iter().find(|h| h.institution.region.0 / 100 == 4407).unwrap();
    let today = province.today;
    let when = stays::Visit { hospital, admitted: today.plus_days(-15), discharged: today.plus_days(-1) };
    let stay = stays::stay(&figure.insured, &when, &KNEE, figure.insured.person.number());
    let code = hospital.institution.code.clone();
    let (certificate, key) = place.identity(code.as_str());
    let [certificate, key, authority] =
        [certificate, key, place.authority()].map(|file| fs::read_to_string(file).unwrap());
    let address =
        gate.hospitals.strip_prefix("https://").unwrap().split('/').next().unwrap().parse().unwrap();
    let line = Line::new(address, &authority, Some((&certificate, &key))).unwrap();
    let region = RegionCode::parse(&stay.mdtrtarea_admdvs).unwrap();
    let his = His::new(code, &stay.fixmedins_name, region, line, || SystemClock.now());
    let insured = play::insured_region(&stay);
    let send = async |infno: &str, input: Value| his.call(infno, insured, input).await.unwrap();
    let private = &figure.insured.private;
    let mut refusals = String::new();
    for (infno, input) in [
        (
            "1101",
            json!({ "data": { "mdtrt_cert_type": "02", "mdtrt_cert_no": private.certificate_number, "psn_name": "一号楼二单元", "certno": private.phone } }),
        ),
        (
            "2401",
            json!({ "mdtrtinfo": { "psn_no": private.name, "begntime": private.certificate_number, "adm_diag_dscr": "老朋友病" }, "diseinfo": [{ "diag_name": "老朋友病", "diag_code": private.card_number }] }),
        ),
        (
            "2301",
            json!({ "feedetl": [{ "feedetl_sn": private.phone, "mdtrt_id": private.name, "psn_no": private.certificate_number }] }),
        ),
        (private.phone.as_str(), json!({ "data": { "psn_name": private.name } })),
    ] {
        refusals += &send(infno, input).await.err_msg;
        refusals += "\n";
    }
    assert!(send("1101", play::identify(&stay)).await.ok());
    let admitted = send("2401", play::admit(&stay)).await;
    assert!(admitted.ok(), "{}", admitted.err_msg);
    let mdtrt_id = admitted.output["result"]["mdtrt_id"].as_str().unwrap().to_owned();
    assert!(send("2301", play::upload(&stay, &mdtrt_id, &stay.lines)).await.ok());
    assert!(send("2402", play::discharge(&stay, &mdtrt_id)).await.ok());
    refusals
}

/// Forms in which a text may lie in a file: as it is, as UTF-16, and as base64 at each of three alignments.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let wide: Vec<u16> = text.encode_utf16().collect();
    let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        text.as_bytes().to_vec(),
        wide.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
        wide.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
        hexadecimal.to_uppercase().into_bytes(),
        hexadecimal.into_bytes(),
    ];
    forms.extend((0..3).map(|skip| base64_within(&text.as_bytes()[skip..])));
    forms
}

/// What stands in a base64 text wherever these bytes begin at a multiple of three: whole groups only.
fn base64_within(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.as_chunks::<3>().0.iter();
    groups
        .flat_map(|[a, b, c]| {
            let bits = u32::from(*a) << 16 | u32::from(*b) << 8 | u32::from(*c);
            [18, 12, 6, 0].map(|shift| DIGITS[usize::try_from(bits >> shift & 63).unwrap()])
        })
        .collect()
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Long bodies are packed in the file: what they hold must be searched as it is read.
fn unpacked(ledger: &Path) -> Vec<u8> {
    let db = rusqlite::Connection::open(ledger).unwrap();
    let mut bodies =
        db.prepare("SELECT body FROM record WHERE body NOT LIKE '{%' AND body NOT LIKE '[%'").unwrap();
    let bodies = bodies.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let plain: Vec<String> = bodies.map(|body| codec::plain(&body.unwrap()).unwrap().into_owned()).collect();
    assert!(!plain.is_empty());
    plain.concat().into_bytes()
}

#[tokio::test]
async fn nothing_of_a_person_stands_in_clear_in_what_a_gateway_writes() {
    let lived = Lived::through_a_stay().await;
    let markers = lived.markers();
    assert!(markers.len() > 30, "{markers:?}");
    let root = lived.folder.path();
    let written = files_below(&root.join("data")).into_iter().chain(files_below(&root.join("keys")));
    let files: Vec<(String, Vec<u8>)> =
        written.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    assert!(files.iter().any(|(name, _)| name.ends_with("ledger.db")));
    let told = [("its log", &lived.log), ("its metrics", &lived.metrics)];
    let told = told.map(|(name, text)| (name.to_owned(), text.clone().into_bytes()));
    let unpacked = ("the unpacked bodies of its records".to_owned(), unpacked(&root.join("data/ledger.db")));
    for (name, bytes) in files.into_iter().chain(told).chain([unpacked]) {
        for marker in &markers {
            for form in forms(marker) {
                assert!(memchr::memmem::find(&bytes, &form).is_none(), "{marker} stands in {name}");
            }
        }
    }
    // A refusal goes back to who sent the value; it still tells no more of it than the field's name.
    for marker in ["一号楼二单元", "老朋友病"] {
        assert!(!lived.answers_of_refusals.contains(marker), "{}", lived.answers_of_refusals);
    }
}

/// A thief of the ledger without its keys tries every identity number of a birth year of one county.
#[tokio::test]
async fn without_the_key_no_dictionary_of_identity_numbers_matches_a_look_up_hash() {
    let folder = tempfile::tempdir().unwrap();
    let place = Folder::new(folder.path());
    let today = SystemClock.now().day();
    let province = Province::new(Size { seed: SEED, persons: 42, codes: 20, stays: 1 }, today);
    sandbox_folder::make(&place, &province, Ports::ANY, Arc::new(SystemClock)).await.unwrap();
    let db = rusqlite::Connection::open(folder.path().join("data/ledger.db")).unwrap();
    let mut kept = db.prepare("SELECT hash FROM credential").unwrap();
    let kept = kept.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let kept: std::collections::HashSet<Vec<u8>> = kept.map(Result::unwrap).collect();
    assert!(kept.len() > 50);
    let known = &province.figures[0].insured.private.certificate_number;
    let year = known[6..10].to_owned();
    let numbers = (1..=12)
        .flat_map(|month| (1..=31).flat_map(move |day| (0..1000).map(move |serial| (month, day, serial))));
    let mut tried = 0;
    let mut met = false;
    for (month, day, serial) in numbers {
        let number = with_check_digit(&format!("{}{year}{month:02}{day:02}{serial:03}", &known[..6]));
        met |= number == *known;
        for text in [number.clone(), format!("01{number}"), format!("identity{number}")] {
            let digest: [u8; 32] = Sm3::digest(text.as_bytes()).into();
            assert!(!kept.contains(&digest[..16]) && !kept.contains(&digest[..]), "{text}");
            tried += 1;
        }
    }
    assert!(met && tried > 1_000_000, "the dictionary holds the number that is there");
    // With the key it is found at once: the dictionary fails for want of the key, not of the number.
    let secrets = Secrets::open_in(&folder.path().join("keys")).unwrap();
    let credential = banyan::ledger::credential::Credential::IdentityNumber(known.clone());
    let (_, hash) = banyan::ledger::key::credential_hash(&secrets.lookup, &credential);
    assert!(kept.contains(&hash[..]));
}

/// GB 11643: the eighteenth digit of an identity number.
fn with_check_digit(seventeen: &str) -> String {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        seventeen.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{seventeen}{}", char::from(b"10X98765432"[usize::try_from(sum % 11).unwrap()]))
}

//! Fills a sandbox folder: the province is written as files and taken in by the same import that a province uses.

use std::io::Write;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use crate::app::Addresses;
use crate::app::open_ledger;
use crate::command::Exit;
use crate::command::import;
use crate::command::keys::make::make_without_asking;
use crate::command::serve;
use crate::command::serve::CALL_PATH;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::protocol::files::kind::Kind;
use crate::sandbox::folder::Folder;
use crate::sandbox::folder::Ports;
use crate::sandbox::folder::write;
use crate::sandbox::province::Province;
use crate::sandbox::province::Size;
use crate::sandbox::province::file_name;
use crate::sandbox::story::Role;
use crate::service::seams::Clock;
use crate::vault::key_file;

/// Codes per catalogue and written stays of a sandbox.
const CODES: u64 = 400;
const STAYS: u64 = 200;

pub fn size(seed: u64, persons: u64) -> Size {
    Size { seed, persons, codes: CODES, stays: STAYS }
}

/// Makes the folder unless it is made already; gives its settings file.
pub async fn make_once(
    path: &Path,
    size: Size,
    clock: Arc<dyn Clock>,
    out: &mut (dyn Write + Send),
) -> Result<PathBuf, String> {
    let folder = Folder::new(path);
    if !folder.is_made() {
        let province = Province::new(size, clock.now().day());
        let written =
            writeln!(out, "Making a sandbox province of {} insured in {} …", size.persons, path.display());
        written.and_then(|()| out.flush()).map_err(|cause| cause.to_string())?;
        make(&folder, &province, Ports::USUAL, clock).await?;
    }
    Ok(folder.settings())
}

/// Makes a folder with everything that a gateway needs, and fills its ledger.
pub async fn make(
    folder: &Folder,
    province: &Province,
    ports: Ports,
    clock: Arc<dyn Clock>,
) -> Result<(), String> {
    let institutions: Vec<_> = province.hospitals.iter().map(|h| h.institution.code.clone()).collect();
    folder.make(&institutions, province.today, ports).map_err(|cause| told(&cause))?;
    if !folder.lookup_key().exists() {
        key_file::make(&folder.lookup_key()).map_err(|cause| told(&cause))?;
    }
    make_keys(folder, clock.as_ref())?;
    province
        .write(&folder.province(), &mut |_| {})
        .map_err(|cause| format!("{} cannot be written: {cause}", folder.province().display()))?;
    fill(folder, clock).await?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, ports.hospital)).to_string();
    write(&folder.first_call(), &first_call(folder, province, &at), 0o644).map_err(|cause| told(&cause))?;
    folder.mark_made().map_err(|cause| told(&cause))
}

/// Master key and key store, unless an interrupted start has left them.
fn make_keys(folder: &Folder, clock: &dyn Clock) -> Result<(), String> {
    let config = Gateway::read(&folder.settings()).map_err(|faults| faults.to_string())?;
    if config.keys.store.exists() {
        return Ok(());
    }
    make_without_asking(&config.keys, clock.now().0).map(|_| ()).map_err(|cause| told(&cause))
}

/// Imports every file of the province into the ledger of the folder's settings.
pub async fn fill(folder: &Folder, clock: Arc<dyn Clock>) -> Result<(), String> {
    let config = Gateway::read(&folder.settings()).map_err(|faults| faults.to_string())?;
    let ledger = open_ledger(&config, Arc::clone(&clock)).map_err(|cause| told(&cause))?;
    let connected = import::Connected { ledger, clock, operator: "sandbox".to_owned(), progress: false };
    for kind in Kind::ALL {
        let arguments = import::Arguments {
            file: folder.province().join(file_name(kind)),
            kind,
            source: if kind == Kind::Persons { "register" } else { "sandbox" }.to_owned(),
            config: folder.settings(),
            ledger: None,
            keys: None,
            yes: true,
            dry_run: false,
            differences: None,
            json: false,
        };
        let report = import::import(&arguments, &connected, &|_| true).await.map_err(|cause| told(&cause))?;
        if report.exit_code() != Exit::Done {
            let mut text = Vec::new();
            report.write_text(&mut text).map_err(|cause| cause.to_string())?;
            return Err(format!(
                "the sandbox's own {kind} file was refused:\n{}",
                String::from_utf8_lossy(&text)
            ));
        }
    }
    Ok(())
}

/// A call of 1101 by the hospital that treats the person of the story at home, to `at`.
fn first_call(folder: &Folder, province: &Province, at: &str) -> String {
    let Some(figure) = province.figures.iter().find(|figure| figure.role == Role::Local) else {
        return String::new();
    };
    let code = &figure.stay.fixmedins_code;
    let message = json!({
        "infno": "1101",
        "msgid": format!("{code}{}0900000001", province.today.number()),
        "mdtrtarea_admvs": figure.insured.person.pool.to_string(),
        "insuplc_admdvs": "",
        "recer_sys_code": "YBXT",
        "infver": "V1.0",
        "opter_type": "1",
        "opter": "0001",
        "opter_name": "收费处",
        "inf_time": format!("{} 09:00:00", province.today),
        "fixmedins_code": code,
        "fixmedins_name": "",
        "input": {"data": {
            "mdtrt_cert_type": "02",
            "mdtrt_cert_no": figure.insured.private.certificate_number,
            "psn_cert_type": "01",
        }},
    });
    let (certificate, key) = folder.identity(code);
    format!(
        "curl --silent --cacert {} --cert {} --key {} https://{at}{CALL_PATH} --data '{message}'",
        folder.authority().display(),
        certificate.display(),
        key.display(),
    )
}

/// The addresses, and one call that works as it stands.
pub fn tell(path: &Path, at: &Addresses, out: &mut dyn Write) -> std::io::Result<()> {
    serve::tell(at, out)?;
    if let Some(call) = point(&Folder::new(path).first_call(), at.hospital) {
        writeln!(out, "\nAsk who a person is (1101), as her hospital does:\n")?;
        writeln!(out, "{call}\n")?;
    }
    out.flush()
}

/// The first call, to where hospitals are listened to now: the settings may say another port than when the folder was made.
/// The file follows where it can be written.
fn point(file: &Path, hospital: SocketAddr) -> Option<String> {
    let kept = std::fs::read_to_string(file).ok()?;
    let (before, rest) = kept.split_once("https://")?;
    let (_, after) = rest.split_once('/')?;
    let call = format!("{before}https://{hospital}/{after}");
    if call != kept {
        let _as_it_was = write(file, &call, 0o644);
    }
    Some(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_goes_to_where_hospitals_are_listened_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("first-call.txt");
        assert_eq!(point(&file, ([127, 0, 0, 1], 1).into()), None, "there is none");
        std::fs::write(&file, "curl https://ADDRESS/fsi/api --data '{}'").unwrap();
        for port in [8443, 18443] {
            let call = format!("curl https://127.0.0.1:{port}/fsi/api --data '{{}}'");
            assert_eq!(point(&file, ([127, 0, 0, 1], port).into()).as_ref(), Some(&call));
            assert_eq!(std::fs::read_to_string(&file).unwrap(), call);
        }
    }
}

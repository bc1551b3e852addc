//! Verifying one receipt, without any ledger.

use std::fs::File;
use std::io;
use std::io::Read as _;
use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::app::secrets;
use crate::command::Console;
use crate::command::Exit;
use crate::command::begin::stop;
use crate::command::told;
use crate::command::verify::Arguments;
use crate::command::verify::keys_of;
use crate::config::gateway::Gateway;
use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::Instant;
use crate::domain::ids::SettlementId;
use crate::domain::record::Body;
use crate::ledger::codec;
use crate::ledger::seal::receipt::RECEIPT_BYTES_MAX;
use crate::ledger::seal::receipt::Receipt;
use crate::vault::signing::PublicKey;

pub(super) fn run(arguments: &Arguments, file: &Path, console: &mut Console) -> io::Result<Exit> {
    let keys = match keys(arguments) {
        Ok(keys) => keys,
        Err(why) => return stop(console, Exit::BadInput, &why),
    };
    let text = match read(file) {
        Ok(text) => text,
        Err(cause) => {
            return stop(console, Exit::CannotReach, &format!("{} cannot be read: {cause}", file.display()));
        }
    };
    let proven = Receipt::parse(&text).and_then(|receipt| receipt.prove(&keys).map(|()| receipt));
    match proven {
        Ok(receipt) => report(arguments, &receipt, console),
        Err(why) if arguments.json => {
            let object = json!({ "proven": false, "why": why.to_string() });
            console.say(&object.to_string()).map(|()| Exit::Refused)
        }
        Err(why) => stop(console, Exit::Refused, &format!("{} {why}", file.display())),
    }
}

fn keys(arguments: &Arguments) -> Result<Vec<PublicKey>, String> {
    if let Some(path) = &arguments.key {
        return keys_of(path);
    }
    let config = Gateway::read(&arguments.config).map_err(|faults| {
        format!("name the public key with --key FILE, or a gateway's settings with --config\n{faults}")
    })?;
    secrets(&config).map(|secrets| secrets.keys.public_keys()).map_err(|cause| told(&cause))
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.take(RECEIPT_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// What the record says of money; of a reversal the negative, as its hospital was told.
fn facts(receipt: &Receipt) -> Option<(&'static str, SettlementId, Breakdown)> {
    match codec::decode_body(&receipt.record.kind, &receipt.record.body).ok()? {
        Body::Settled(settled) => Some(("settled 结算", settled.id, settled.breakdown)),
        Body::Reversed(reversal) => {
            Some(("reversed 撤销", reversal.id, reversal.settlement.breakdown.negated()))
        }
        Body::Revived(revival) => Some(("revived 恢复", revival.id, revival.settlement.breakdown)),
        _ => None,
    }
}

fn report(arguments: &Arguments, receipt: &Receipt, console: &mut Console) -> io::Result<Exit> {
    let (record, anchor) = (&receipt.record, &receipt.anchor);
    let at = Instant(record.at_ms).moment().to_string();
    let facts = facts(receipt);
    if arguments.json {
        let money = facts.as_ref().map_or(Value::Null, |(_, id, b)| {
            json!({
                "setl_id": id.to_string(),
                "medfee_sumamt": b.medfee_sumamt.to_string(),
                "fund_pay_sumamt": b.fund_pay_sumamt.to_string(),
                "acct_pay": b.acct_pay.to_string(),
                "psn_cash_pay": b.psn_cash_pay.to_string(),
            })
        });
        let object = json!({
            "proven": true,
            "kind": record.kind,
            "recorded_at": at,
            "institution": record.institution,
            "person": record.person,
            "msgid": record.msgid,
            "anchor": anchor.number,
            "key": anchor.key,
            "settlement": money,
        });
        return console.say(&object.to_string()).map(|()| Exit::Done);
    }
    console.say(&format!("✓ was recorded {at} (anchor {}, key {})", anchor.number, anchor.key))?;
    console.say(&format!(
        "  hospital {}  person {}  msgid {}",
        record.institution, record.person, record.msgid
    ))?;
    if let Some((what, id, b)) = facts {
        console.say(&format!("  {what}  setl_id {id}"))?;
        let amounts = [
            ("医疗费总额 the whole bill", b.medfee_sumamt),
            ("基金支付 paid by the funds", b.fund_pay_sumamt),
            ("个人账户 personal account", b.acct_pay),
            ("个人现金 cash", b.psn_cash_pay),
        ];
        for (name, amount) in amounts {
            console.say(&format!("  {amount:>14}  {name}"))?;
        }
    }
    console.say("  whether it still stands, only the gateway can say")?;
    Ok(Exit::Done)
}

//! Owns how keys are shown: what there is, and the public halves. Never a secret.

use serde_json::Value;
use serde_json::json;

use crate::command::Console;
use crate::command::Exit;
use crate::command::keys::failed::Failed;
use crate::config::gateway::KeysSection;
use crate::domain::calendar::Instant;
use crate::vault::key_store::Inventory;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::SigningKeyInfo;
use crate::vault::signing::PublicKey;

pub fn list(keys: &KeysSection, as_json: bool, console: &mut Console) -> Result<Exit, Failed> {
    let inventory = KeyStore::from_settings(keys)?.inventory();
    if as_json {
        console.say(&to_json(&inventory).to_string())?;
    } else {
        print(&inventory, keys, console)?;
    }
    Ok(Exit::Done)
}

fn print(inventory: &Inventory, keys: &KeysSection, console: &mut Console) -> Result<(), Failed> {
    console.say(&format!("key store   {}, made {}", keys.store.display(), time(inventory.made_ms)))?;
    console.say(&format!("master key  {}", inventory.master))?;
    console.say(&format!("\n{:<18}{:<11}{:<18}made", "signing key", "state", "wrapped by"))?;
    for key in &inventory.signing {
        let (state, master) = (key.state.name(), key.master.as_deref().unwrap_or("-"));
        console.say(&format!("{:<18}{state:<11}{master:<18}{}", key.id, time(key.made_ms)))?;
    }
    console.say(&format!(
        "\n{:<10}{:<9}{:<8}{:<11}{:<18}made",
        "data key", "class", "month", "state", "wrapped by"
    ))?;
    for key in &inventory.data {
        let (class, state, master) =
            (key.class.name(), key.state.name(), key.master.as_deref().unwrap_or("-"));
        console.say(&format!(
            "{:<10}{class:<9}{:<8}{state:<11}{master:<18}{}",
            key.number,
            key.month,
            time(key.made_ms)
        ))?;
    }
    if inventory.data.is_empty() {
        console.say("none yet: the first is made when the first is needed")?;
    }
    Ok(())
}

fn time(ms: i64) -> String {
    Instant(ms).moment().to_string()
}

fn to_json(inventory: &Inventory) -> Value {
    let signing = inventory.signing.iter().map(|key| {
        json!({
            "id": key.id,
            "state": key.state.name(),
            "made_ms": key.made_ms,
            "public": key.public,
            "master": key.master,
        })
    });
    let data = inventory.data.iter().map(|key| {
        json!({
            "number": key.number,
            "class": key.class.name(),
            "month": key.month,
            "state": key.state.name(),
            "made_ms": key.made_ms,
            "master": key.master,
        })
    });
    json!({
        "master": inventory.master,
        "made_ms": inventory.made_ms,
        "signing_keys": signing.collect::<Vec<_>>(),
        "data_keys": data.collect::<Vec<_>>(),
    })
}

/// Prints the public halves, the oldest first.
pub fn export(
    keys: &KeysSection,
    id: Option<&str>,
    as_json: bool,
    console: &mut Console,
) -> Result<Exit, Failed> {
    let store = KeyStore::from_settings(keys)?;
    let public = store.public_keys();
    let infos = store.inventory().signing;
    let wanted: Vec<(&PublicKey, &SigningKeyInfo)> =
        public.iter().zip(&infos).filter(|(key, _)| id.is_none_or(|id| key.id() == id)).collect();
    if let (Some(id), true) = (id, wanted.is_empty()) {
        return Err(Failed::NoSuchSigningKey { id: id.to_owned() });
    }
    console.tell(&format!("This prints the public half of {} signing keys; nothing secret.", wanted.len()));
    if as_json {
        let all: Vec<Value> = wanted.into_iter().map(|(key, info)| public_json(key, info)).collect();
        console.say(&Value::from(all).to_string())?;
        return Ok(Exit::Done);
    }
    for (key, info) in wanted {
        console.say(&format!("{} {}, made {}", key.id(), info.state.name(), time(info.made_ms)))?;
        console.say(key.to_pem().trim_end())?;
    }
    Ok(Exit::Done)
}

fn public_json(key: &PublicKey, info: &SigningKeyInfo) -> Value {
    json!({
        "id": key.id(),
        "state": info.state.name(),
        "made_ms": info.made_ms,
        "algorithm": "SM2 over SM3, distinguishing id 1234567812345678",
        "public": key.to_hex(),
        "pem": key.to_pem(),
    })
}

//! `banyan trace`: tells the story of one message from the ledger, without personal data.

use std::io;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use serde_json::json;

use crate::app::to_read;
use crate::command::Exit;
use crate::command::exit_of_start;
use crate::command::serve::complain;
use crate::command::told;
use crate::config::gateway::Gateway;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::service::seams::Clock;
use crate::service::story::Ended;
use crate::service::story::NextStep;
use crate::service::story::Story;
use crate::service::story::Told;

/// Tell what became of a message: when, by whom, what was decided and why, what undid it, what to do next.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:
  banyan trace H440704000022026112409000001 --config my-province/gateway.toml

Exit codes: 0 told, 1 the ledger knows no such message (it never arrived, or was refused: send it again), 2 wrong
arguments or settings, 3 the ledger cannot be read.")]
pub struct Arguments {
    /// 发送方报文ID, as the hospital sent it.
    #[arg(value_parser = |text: &str| MessageId::parse(text))]
    pub msgid: MessageId,
    /// Only messages of this institution.
    #[arg(long, value_parser = |text: &str| InstitutionCode::parse(text))]
    pub institution: Option<InstitutionCode>,
    /// The gateway's settings; names the ledger and the look-up key.
    #[arg(long, default_value = "gateway.toml")]
    pub config: PathBuf,
    /// One JSON array on standard output.
    #[arg(long)]
    pub json: bool,
}

pub async fn run(arguments: &Arguments, clock: Arc<dyn Clock>, out: &mut (dyn Write + Send)) -> Exit {
    let config = match Gateway::read(&arguments.config) {
        Ok(config) => config,
        Err(faults) => return complain(&faults.to_string(), Exit::BadInput),
    };
    let service = match to_read(&config, clock).await {
        Ok(service) => service,
        Err(cause) => return complain(&told(&cause), exit_of_start(&cause)),
    };
    let stories = match service.story(&arguments.msgid, arguments.institution.as_ref()).await {
        Ok(stories) => stories,
        Err(cause) => return complain(&told(&cause), Exit::CannotReach),
    };
    let written =
        if arguments.json { write_json(&stories, out) } else { write_text(arguments, &stories, out) };
    match written {
        Err(_) => Exit::CannotReach,
        Ok(()) if stories.is_empty() => Exit::Refused,
        Ok(()) => Exit::Done,
    }
}

fn write_json(stories: &[Story], out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<Value> = stories.iter().map(json_of).collect();
    writeln!(out, "{}", Value::from(all))
}

fn json_of(story: &Story) -> Value {
    let (ended, by) = match &story.ended {
        None => (Value::Null, Value::Null),
        Some(Ended::Undone(by)) => (json!("undone"), deed_json(by)),
        Some(Ended::Fenced(by)) => (json!("fenced"), deed_json(by)),
    };
    json!({
        "institution": story.key.institution.as_str(),
        "infno": format!("{:04}", story.key.transaction),
        "msgid": story.key.message.as_str(),
        "deed": story.deed.as_ref().map(deed_json),
        "ended": ended,
        "ended_by": by,
        "next": next_code(story.next),
    })
}

fn deed_json(deed: &Told) -> Value {
    json!({
        "recorded_at": deed.at.moment().to_string(),
        "received_at": deed.received_at.moment().to_string(),
        "operator": deed.operator,
        "inf_refmsgid": deed.reference,
        "mdtrt_id": deed.stay.as_ref().map(ToString::to_string),
        "setl_id": deed.settlement.as_ref().map(ToString::to_string),
        "warn_msg": deed.warning,
        "facts": deed.facts,
    })
}

fn next_code(next: NextStep) -> &'static str {
    match next {
        NextStep::Nothing => "nothing",
        NextStep::SendUnderNewId => "send-under-new-msgid",
    }
}

fn write_text(arguments: &Arguments, stories: &[Story], out: &mut dyn Write) -> io::Result<()> {
    if stories.is_empty() {
        writeln!(out, "The ledger knows no message {}.", arguments.msgid)?;
        return writeln!(
            out,
            "It never arrived, or it was refused and changed nothing: send it again under the same msgid."
        );
    }
    stories.iter().try_for_each(|story| write_story(story, out))
}

fn write_story(story: &Story, out: &mut dyn Write) -> io::Result<()> {
    let key = &story.key;
    writeln!(
        out,
        "Message {} · transaction {:04} · institution {}",
        key.message, key.transaction, key.institution
    )?;
    match &story.deed {
        None => writeln!(out, "  was never done")?,
        Some(deed) => write_deed("done", deed, out)?,
    }
    match &story.ended {
        None => {}
        Some(Ended::Undone(by)) => write_deed("undone", by, out)?,
        Some(Ended::Fenced(by)) => write_deed("fenced off before it was done", by, out)?,
    }
    let next = match story.next {
        NextStep::Nothing => {
            "It stands. Sent again under the same msgid it gets the same answer, byte for byte."
        }
        NextStep::SendUnderNewId => "It does not stand. If it is still wanted, send it under a new msgid.",
    };
    writeln!(out, "  next     {next}")
}

fn write_deed(what: &str, deed: &Told, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {what}")?;
    writeln!(out, "    received {}, recorded {}", deed.received_at.moment(), deed.at.moment())?;
    writeln!(out, "    by       operator {}, answered under {}", deed.operator, deed.reference)?;
    let ids = [
        ("stay", deed.stay.as_ref().map(ToString::to_string)),
        ("setl_id", deed.settlement.as_ref().map(ToString::to_string)),
    ];
    for (name, id) in ids.into_iter().filter_map(|(name, id)| Some((name, id?))) {
        writeln!(out, "    {name:<8} {id}")?;
    }
    deed.facts.iter().try_for_each(|fact| writeln!(out, "    · {fact}"))?;
    if deed.warning.is_empty() { Ok(()) } else { writeln!(out, "    warned   {}", deed.warning) }
}

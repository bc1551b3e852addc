//! Owns what is asked when a batch found its facts otherwise: who moved, in one round trip for all of them.

use std::collections::HashMap;
use std::collections::HashSet;

use tokio_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use crate::domain::calendar::Instant;
use crate::ledger::key::turned;
use crate::ledger::postgres::batch::Pending;
use crate::ledger::postgres::batch::own_messages;
use crate::ledger::postgres::statements::Statements;
use crate::ledger::prepared::Guard;
use crate::ledger::prepared::PreparedStay;
use crate::ledger::whole;

#[derive(Debug)]
pub(super) struct Looked {
    /// Places in the gathered batch of deeds whose facts moved; they are no longer among the pending.
    pub(super) moved: Vec<usize>,
    /// Whether a deed that reads its stay alone is now about a newer version of its person.
    pub(super) newer: bool,
}

/// Takes out of the deeds those whose facts moved, and brings the rest up to date.
pub(super) async fn look(
    client: &Client,
    statements: &Statements,
    deeds: &mut Vec<Pending<'_>>,
) -> Result<Looked, Error> {
    let buckets: Vec<i64> = deeds.iter().map(|pending| pending.deed.bucket.get().into()).collect();
    let persons: Vec<&str> = deeds.iter().map(|pending| pending.deed.person.as_str()).collect();
    // A deed without a stay asks for one that nobody has.
    let stay =
        |pending: &Pending<'_>| pending.deed.stay.as_ref().map_or("", |stay| stay.id.as_str()).to_owned();
    let stays: Vec<String> = deeds.iter().map(stay).collect();
    let mut messages = Messages::default();
    for (n, pending) in deeds.iter().enumerate() {
        for (key, _) in own_messages(pending.deed) {
            messages.bucket.push(pending.deed.bucket.get().into());
            messages.msgid.push(turned(&key.message));
            messages.institution.push(key.institution.as_str().to_owned());
            messages.infno.push(key.transaction.into());
            messages.person.push(pending.deed.person.clone());
            messages.n.push(whole(n as u64 + 1));
        }
    }
    let m = &messages;
    let persons = async { client.query(&statements.persons_now, &[&buckets, &persons]).await };
    let stays = async { client.query(&statements.stays_now, &[&buckets, &stays]).await };
    let known = async {
        let asked: &[&(dyn ToSql + Sync)] = &[&m.bucket, &m.msgid, &m.institution, &m.infno, &m.person, &m.n];
        client.query(&statements.messages_now, asked).await
    };
    let (persons, stays, known) = tokio::try_join!(persons, stays, known)?;
    let persons: HashMap<i64, (u64, Instant)> = persons
        .iter()
        .map(|row| (row.get(0), (row.get::<_, i64>(1).unsigned_abs(), Instant(row.get(2)))))
        .collect();
    let stays: HashMap<i64, (i64, String)> =
        stays.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let known: HashSet<i64> = known.iter().map(|row| row.get(0)).collect();

    let (mut moved, mut newer, mut n) = (Vec::new(), false, 0);
    deeds.retain_mut(|pending| {
        n += 1;
        let now = persons.get(&n).copied().unwrap_or_default();
        let person_stands = match &pending.deed.guard {
            Guard::Person { version, .. } => *version == now.0,
            // The deed read her stay alone; but she must be there.
            Guard::StayOnly => now.0 > 0,
        };
        let stay = pending.deed.stay.as_ref();
        let stay_stands = stay.is_none_or(|stay| stands(stay, stays.get(&n), &pending.deed.person));
        let stands = person_stands && stay_stands && !known.contains(&n);
        if stands {
            newer |= pending.seen != now;
            pending.seen = now;
        } else {
            moved.push(pending.at);
        }
        stands
    });
    Ok(Looked { moved, newer })
}

fn stands(stay: &PreparedStay, found: Option<&(i64, String)>, person: &str) -> bool {
    match found {
        None => stay.version == 0,
        Some((version, whose)) => *version == whole(stay.version) && whose == person,
    }
}

#[derive(Default)]
struct Messages {
    bucket: Vec<i64>,
    msgid: Vec<String>,
    institution: Vec<String>,
    infno: Vec<i64>,
    person: Vec<String>,
    n: Vec<i64>,
}

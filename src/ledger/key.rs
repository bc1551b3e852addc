//! Owns how persons, credentials and ids become keys of rows.

use crate::domain::ids::Bucket;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::ledger::credential::Credential;
use crate::vault::lookup::LookupKey;

/// Length of a kept credential hash: no two of a nation's credentials share 16 bytes.
const CREDENTIAL_HASH: usize = 16;

/// Where all that belongs to a person lies: the first 12 bits of a keyed hash of her.
pub fn bucket_of(key: &LookupKey, person: &PersonKey) -> Bucket {
    let pool = person.pool.0.to_be_bytes();
    first_bits(&key.hash("person", &[&pool, person.number().as_bytes()]))
}

/// Bucket and hash of a credential.
pub fn credential_hash(key: &LookupKey, credential: &Credential) -> (Bucket, [u8; CREDENTIAL_HASH]) {
    let (kind, number) = credential.parts();
    let whole = key.hash("credential", &[kind.as_bytes(), number.as_bytes()]);
    let mut hash = [0; CREDENTIAL_HASH];
    hash.copy_from_slice(&whole[..CREDENTIAL_HASH]);
    (first_bits(&hash), hash)
}

fn first_bits(hash: &[u8]) -> Bucket {
    let bits = u16::from(hash[0]) << 4 | u16::from(hash[1]) >> 4;
    Bucket::new(bits).expect("twelve bits are below 4096")
}

/// The person as rows name her: `440700/…`.
pub fn person_text(person: &PersonKey) -> String {
    format!("{}/{}", person.pool, person.number())
}

/// Reads [`person_text`] back.
pub fn person_of(text: &str) -> Option<PersonKey> {
    let (pool, number) = text.split_once('/')?;
    PersonKey::parse(RegionCode::parse(pool).ok()?, number).ok()
}

/// Characters of a hospital's code, with which the ids of its messages begin.
const CODE: usize = 12;

/// An id of a message as rows are kept by it: what it begins with, the hospital's code, stands last.
pub fn turned(message: &MessageId) -> String {
    let (code, rest) = split_at(message.as_str(), CODE);
    [rest, code].concat()
}

/// Reads [`turned`] back.
pub fn unturned(text: &str) -> String {
    let (rest, code) = split_at(text, text.chars().count().saturating_sub(CODE));
    [code, rest].concat()
}

/// Behind so many characters, or at the end.
fn split_at(text: &str, characters: usize) -> (&str, &str) {
    text.split_at(text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at))
}

/// The settlement month (yyyymm) in which an id of this century was made; its settlement may have got a later one.
pub fn month_of_id(id: &str) -> Option<i64> {
    const CENTURY: i64 = 200_000;
    let head = id.get(..4).filter(|head| head.bytes().all(|byte| byte.is_ascii_digit()))?;
    head.parse::<i64>().ok().map(|month| CENTURY + month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::key_file::Secret;

    #[test]
    fn a_person_reads_back_from_her_rows() {
        let person = PersonKey::parse(RegionCode(440_700), "44/07").unwrap();
        assert_eq!(person_of(&person_text(&person)), Some(person));
        for bad in ["440700", "44070/1", "440700/", "x/1"] {
            assert_eq!(person_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_turned_message_reads_back_whatever_its_id() {
        let usual = MessageId::parse("H44070300001202611261303480007").unwrap();
        assert_eq!(turned(&usual), "202611261303480007H44070300001");
        for id in [usual.as_str(), "1", "123456789012", "1234567890123", "报文编号一二三四五六七八九十🏥x"]
        {
            assert_eq!(unturned(&turned(&MessageId::parse(id).unwrap())), id);
        }
    }

    #[test]
    fn an_id_tells_the_month_in_which_it_was_made() {
        assert_eq!(month_of_id("2611260959590011Z141Z300000A7F"), Some(202_611));
        for bad in ["", "261", "就诊", "+611260959"] {
            assert_eq!(month_of_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn buckets_are_the_first_twelve_bits_and_differ_by_key() {
        assert_eq!(first_bits(&[0xAB, 0xCD]).to_string(), "ABC");
        let person = PersonKey::parse(RegionCode(440_700), "1").unwrap();
        let keys = [1, 2].map(|byte| LookupKey::new(&Secret::new([byte; 32])));
        assert_ne!(bucket_of(&keys[0], &person), bucket_of(&keys[1], &person));
        let (bucket, hash) = credential_hash(&keys[0], &Credential::Card("1".into()));
        assert_eq!(bucket, first_bits(&hash));
        assert_ne!(hash, credential_hash(&keys[0], &Credential::IdentityNumber("1".into())).1);
    }
}

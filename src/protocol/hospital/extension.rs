//! Owns the extension field (扩展字段 `exp_content`): JSON as text or as an object, where regions put what
//! decides something.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::Deserializer;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde_json::value::RawValue;

use crate::protocol::hospital::raw::is_same_name;

/// Fields of the tables that clients also send inside the extension.
pub(crate) const LIFTED: [&str; 2] = ["er_flag", "ttp_resp"];

/// The raw values of a member, each time it occurs; none when the content is not a JSON object.
pub(crate) fn member(content: &str, wire: &str) -> Vec<String> {
    let members: Members<'_> = serde_json::from_str(content).unwrap_or_default();
    let named = members.0.into_iter().filter(|(key, _)| is_same_name(wire, key));
    named.map(|(_, raw)| raw.get().to_owned()).collect()
}

/// All members of an object in their order, also those that occur twice.
#[derive(Debug, Default)]
struct Members<'m>(Vec<(Cow<'m, str>, &'m RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_occurrence_of_a_member_is_found() {
        assert_eq!(member(r#"{"er_flag":"1","x":{"er_flag":2},"erFlag":0}"#, "er_flag"), ["\"1\"", "0"]);
        for none in ["", "[]", "text", "{\"er_flag\"", "{}"] {
            assert_eq!(member(none, "er_flag"), [""; 0], "{none}");
        }
    }
}

//! Owns the three shapes that kept values have: structs by field names, enums by words, identifiers as text.

/// A struct as a JSON object. `= default` leaves a field out while it has its default, `as "module"` names the module
/// that writes and reads a field.
macro_rules! object {
    ($type:ident { $($field:ident : $kind:ty $(= $mark:ident)? $(as $with:literal)?),* $(,)? }) => {
        const _: () = {
            #[derive(serde::Serialize)]
            struct Written<'a> {
                $(
                    $(#[serde($mark, skip_serializing_if = "crate::ledger::codec::is_default")])?
                    $(#[serde(with = $with)])?
                    $field: &'a $kind,
                )*
            }

            #[derive(serde::Deserialize)]
            struct Read {
                $(
                    $(#[serde($mark)])?
                    $(#[serde(with = $with)])?
                    $field: $kind,
                )*
            }

            impl serde::Serialize for $type {
                fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    serde::Serialize::serialize(&Written { $($field: &self.$field),* }, to)
                }
            }

            impl<'de> serde::Deserialize<'de> for $type {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    let read: Read = serde::Deserialize::deserialize(from)?;
                    Ok($type { $($field: read.$field),* })
                }
            }

            #[cfg(test)]
            impl crate::ledger::codec::sample::Sample for $type {
                fn sample(chance: &mut crate::ledger::codec::sample::Chance) -> Self {
                    $type { $($field: crate::ledger::codec::sample::Sample::sample(chance)),* }
                }
            }
        };
    };
}

/// An enum without data as a word.
macro_rules! word {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(match self {
                    $($type::$variant => $word,)*
                })
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::ledger::codec::shapes::text(from, stringify!($type), |word| match word {
                    $($word => Some($type::$variant),)*
                    _ => None,
                })
            }
        }

        #[cfg(test)]
        impl crate::ledger::codec::sample::Sample for $type {
            fn sample(chance: &mut crate::ledger::codec::sample::Chance) -> Self {
                *crate::ledger::codec::sample::one_of(chance, &[$($type::$variant),*])
            }
        }
    };
}

/// An enum with data as an object with one field, named after the variant.
macro_rules! tagged {
    ($type:ident { $($variant:ident = $word:literal { $($field:ident : $kind:ty),* $(,)? }),* $(,)? }) => {
        const _: () = {
            #[derive(serde::Serialize)]
            enum Written<'a> {
                $(#[serde(rename = $word)] $variant { $($field: &'a $kind),* },)*
            }

            #[derive(serde::Deserialize)]
            enum Read {
                $(#[serde(rename = $word)] $variant { $($field: $kind),* },)*
            }

            impl serde::Serialize for $type {
                fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    let written = match self {
                        $($type::$variant { $($field),* } => Written::$variant { $($field),* },)*
                    };
                    serde::Serialize::serialize(&written, to)
                }
            }

            impl<'de> serde::Deserialize<'de> for $type {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    Ok(match <Read as serde::Deserialize>::deserialize(from)? {
                        $(Read::$variant { $($field),* } => $type::$variant { $($field),* },)*
                    })
                }
            }

            #[cfg(test)]
            impl crate::ledger::codec::sample::Sample for $type {
                fn sample(chance: &mut crate::ledger::codec::sample::Chance) -> Self {
                    use crate::ledger::codec::sample::Sample;
                    let each: &[fn(&mut crate::ledger::codec::sample::Chance) -> $type] =
                        &[$(|chance| $type::$variant { $($field: Sample::sample(chance)),* }),*];
                    crate::ledger::codec::sample::one_of(chance, each)(chance)
                }
            }
        };
    };
}

/// A type as text or number: `to` gives what is kept, `from` reads it back.
macro_rules! plain {
    ($type:ident : $kept:ty, $to:expr, $from:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let kept: $kept = ($to as fn(&$type) -> $kept)(self);
                serde::Serialize::serialize(&kept, to)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let kept = <$kept as serde::Deserialize>::deserialize(from)?;
                ($from as fn($kept) -> Option<$type>)(kept)
                    .ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($type))))
            }
        }
    };
}

/// An identifier as text.
macro_rules! identifier {
    ($($type:ident),* $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                crate::ledger::codec::shapes::text(from, stringify!($type), |text| $type::parse(text).ok())
            }
        }

        #[cfg(test)]
        impl crate::ledger::codec::sample::Sample for $type {
            fn sample(chance: &mut crate::ledger::codec::sample::Chance) -> Self {
                let text = crate::ledger::codec::sample::identifier(chance);
                $type::parse(&text).expect("a sampled identifier is one")
            }
        }
    )*};
}

/// Reads a text without copying it first.
pub(super) fn text<'de, D, T>(from: D, what: &'static str, read: fn(&str) -> Option<T>) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
{
    from.deserialize_str(Text { what, read })
}

struct Text<T> {
    what: &'static str,
    read: fn(&str) -> Option<T>,
}

impl<T> serde::de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the text of a {}", self.what)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).ok_or_else(|| E::custom(format_args!("{text:?} is no {}", self.what)))
    }
}

//! Owns the shapes that kept values have: structs by field names or as lists, enums by words, identifiers as text.

/// A struct as a JSON object. `= default` leaves a field out while it has its default, `as "module"` names the module
/// that reads a field.
macro_rules! object {
    ($type:ident { $($field:ident : $kind:ty $(= $mark:ident)? $(as $with:literal)?),* $(,)? }) => {
        readable!($type { $($field: $kind $(= $mark)? $(as $with)?),* });

        impl crate::ledger::codec::text::Keep for $type {
            fn keep(&self, to: &mut crate::ledger::codec::text::Text) {
                to.object(|to| {
                    $(if true $(&& !crate::ledger::codec::text::left_out::$mark(&self.$field))? {
                        to.field(concat!("\"", stringify!($field), "\":"), &self.$field);
                    })*
                });
            }
        }
    };
}

/// A struct as a JSON list of its fields, in this order for ever. `= default` at the end leaves fields out from the last
/// one on, while they have their defaults.
macro_rules! row {
    ($type:ident { $($field:ident : $kind:ty $(= $mark:ident)? $(as $with:literal)?),* $(,)? }) => {
        readable!($type { $($field: $kind $(= $mark)? $(as $with)?),* });

        impl crate::ledger::codec::text::Keep for $type {
            fn keep(&self, to: &mut crate::ledger::codec::text::Text) {
                to.list(|to| {
                    let mut needed = to.end();
                    $(
                        to.item(&self.$field);
                        if true $(&& !crate::ledger::codec::text::left_out::$mark(&self.$field))? {
                            needed = to.end();
                        }
                    )*
                    to.cut(needed);
                });
            }
        }
    };
}

/// A struct read from an object or a list of its fields.
macro_rules! readable {
    ($type:ident { $($field:ident : $kind:ty $(= $mark:ident)? $(as $with:literal)?),* $(,)? }) => {
        const _: () = {
            #[derive(serde::Deserialize)]
            struct Read {
                $(
                    $(#[serde($mark)])?
                    $(#[serde(with = $with)])?
                    $field: $kind,
                )*
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
        impl crate::ledger::codec::text::Keep for $type {
            fn keep(&self, to: &mut crate::ledger::codec::text::Text) {
                to.string(match self {
                    $($type::$variant => $word,)*
                });
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

/// An enum with data as a JSON list: the word of the variant, then its fields.
macro_rules! tagged {
    ($type:ident { $($variant:ident = $word:literal { $($field:ident : $kind:ty),* $(,)? }),* $(,)? }) => {
        impl crate::ledger::codec::text::Keep for $type {
            fn keep(&self, to: &mut crate::ledger::codec::text::Text) {
                to.list(|to| match self {
                    $($type::$variant { $($field),* } => {
                        to.item($word);
                        $(to.item($field);)*
                    })*
                });
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Tagged;

                impl<'de> serde::de::Visitor<'de> for Tagged {
                    type Value = $type;

                    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                        f.write_str(concat!("the list of a ", stringify!($type)))
                    }

                    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<$type, A::Error> {
                        use crate::ledger::codec::shapes::next;
                        let word: std::borrow::Cow<'de, str> = next(&mut list)?;
                        match &*word {
                            $($word => Ok($type::$variant { $($field: next::<$kind, A>(&mut list)?),* }),)*
                            _ => Err(serde::de::Error::custom(concat!("not a ", stringify!($type)))),
                        }
                    }
                }

                from.deserialize_seq(Tagged)
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
}

/// The next item of a list that must have one.
pub(super) fn next<'de, T, A>(list: &mut A) -> Result<T, A::Error>
where
    T: serde::Deserialize<'de>,
    A: serde::de::SeqAccess<'de>,
{
    list.next_element()?.ok_or_else(|| serde::de::Error::custom("the list is too short"))
}

/// A type as text or number: `to` gives what is kept, `from` reads it back.
macro_rules! plain {
    ($type:ident : $kept:ty, $to:expr, $from:expr) => {
        impl crate::ledger::codec::text::Keep for $type {
            fn keep(&self, to: &mut crate::ledger::codec::text::Text) {
                let kept: $kept = ($to as fn(&$type) -> $kept)(self);
                crate::ledger::codec::text::Keep::keep(&kept, to);
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
        impl crate::ledger::codec::text::Keep for $type {
            fn keep(&self, to: &mut crate::ledger::codec::text::Text) {
                to.string(self.as_str());
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

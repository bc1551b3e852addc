//! Owns what a column is: its name, its Chinese aliases, whether it must be there, whether it is personal.

use crate::service::import::source::Authority;
use crate::service::import::source::Subject;

/// Whether a file may come without the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be there, and filled in every row.
    Key,
    /// It must be there when the source owns it; a row may leave it empty.
    Expected,
    Optional,
}

/// Whether faults may show what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Open,
    Personal,
}

/// One column of one kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spec {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub need: Need,
    pub seen: Seen,
    /// What it is about, where that decides who may bring it.
    pub subject: Option<Subject>,
}

impl Spec {
    /// Whether a file of that authority may say it. Without an authority (other kinds than persons) everything.
    pub fn allowed(&self, authority: Option<Authority>) -> bool {
        match (authority, self.subject) {
            (Some(authority), Some(subject)) => authority.owns(subject),
            (Some(_) | None, _) => true,
        }
    }

    pub fn is_called(&self, heading: &str) -> bool {
        heading.eq_ignore_ascii_case(self.name) || self.aliases.contains(&heading)
    }
}

/// The columns of one kind of file, as an enum.
pub trait Column: Copy + 'static {
    const ALL: &'static [Spec];
    /// Where the column stands in `ALL`.
    fn at(self) -> usize;
}

/// Declares the columns of a kind: `Variant = "name" ["alias", …] Need Seen Subject?`.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$note:meta])* $column:ident = $wire:literal [$($alias:literal),*] $need:ident $seen:ident $($subject:ident)?;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$note])* $column),* }

        impl $crate::protocol::files::columns::Column for $name {
            const ALL: &'static [$crate::protocol::files::columns::Spec] = &[
                $($crate::protocol::files::columns::Spec {
                    name: $wire,
                    aliases: &[$($alias),*],
                    need: $crate::protocol::files::columns::Need::$need,
                    seen: $crate::protocol::files::columns::Seen::$seen,
                    subject: columns!(@subject $($subject)?),
                }),*
            ];

            fn at(self) -> usize {
                self as usize
            }
        }
    };
    (@subject) => { None };
    (@subject $subject:ident) => { Some($crate::service::import::source::Subject::$subject) };
}
pub(crate) use columns;

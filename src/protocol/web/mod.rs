//! Owns what all pages share: routes, one layout, forms, sessions, the headers that protect a browser, error pages.
//!
//! Everything works with scripts off, and no page asks anything of another host: the policy in `headers` forbids it.

pub mod answer;
pub mod error;
pub mod exchange;
pub mod figures;
pub mod form;
pub mod headers;
pub mod icon;
pub mod layout;
pub mod router;
pub mod session;
pub mod style;
pub mod token;
pub mod words;

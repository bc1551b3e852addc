use crate::domain::money::Fen;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineSplit {
    pub class_c: Fen,
    pub over_limit: Fen,
    pub first_pay: Fen,
    pub in_scope: Fen,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {}
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueEntry {}

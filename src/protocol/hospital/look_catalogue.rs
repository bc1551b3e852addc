//! 1312 and 1316–1319: pages of the catalogue of the place of care.

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::ids::RegionCode;
use crate::protocol::hospital::tables::catalogue as tables;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::told;
use crate::protocol::hospital::upload::charge_level;
use crate::protocol::hospital::writer::Object;
use crate::service::look_catalogue::CataloguePage;
use crate::service::look_catalogue::CatalogueQuery;
use crate::telemetry::metrics::Outcome;

/// Who made a row and when: the catalogue does not hold it.
const MAKER: [&str; 8] =
    ["rid", "updt_time", "crter_id", "crter_name", "crte_time", "crte_optins_no", "opter_id", "opter_name"];

/// 目录自付比例类别: paid first by herself.
const FIRST_PAY: &str = "10";

/// 1312.
pub(super) fn items(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let (row, keys) = (turn.message.one::<tables::Items>(), &tables::ITEMS);
    let query = CatalogueQuery {
        code: told(row.get(&keys.hilist_code)),
        name: told(row.get(&keys.hilist_name)),
        charge_level: told(row.get(&keys.chrgitm_lv)),
        charge_category: row.get(&keys.med_chrgitm_type).and_then(|code| code.parse().ok()),
        list_type: row.get(&keys.list_type).and_then(|code| code.parse().ok()),
        restricted: row.get(&keys.lmt_used_flag),
        ..page(row.get(&keys.query_date), row.get(&keys.page_num), row.get(&keys.page_size))
    };
    answer(turn, &query, |row, place, today, entry| {
        let item = &entry.item;
        row.text("hilist_code", &entry.code).text("hilist_name", &item.name).shown("insu_admdvs", place);
        row.day("begndate", entry.from).maybe_day("enddate", entry.to);
        row.text("med_chrgitm_type", &format!("{:02}", item.charge_category));
        row.text("chrgitm_lv", charge_level(item.charge_level)).flag("lmt_used_flag", item.restricted);
        row.shown("list_type", item.list_type);
        row.nulls(&["med_use_flag", "matn_used_flag", "hilist_use_type", "lmt_cpnd_type", "wubi", "pinyin"]);
        row.null("memo");
        write_end(row, place, entry, today);
    })
}

/// 1316: items are mapped under the national code itself.
pub(super) fn matches(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let (row, keys) = (turn.message.one::<tables::Matches>(), &tables::MATCHES);
    let query = CatalogueQuery {
        code: told(row.get(&keys.hilist_code)),
        list_type: row.get(&keys.list_type).and_then(|code| code.parse().ok()),
        ..page(row.get(&keys.query_date), row.get(&keys.page_num), row.get(&keys.page_size))
    };
    answer(turn, &query, |row, place, today, entry| {
        row.day("begndate", entry.from).shown("list_type", entry.item.list_type);
        row.shown("insu_admdvs", place).text("med_list_codg", &entry.code);
        row.text("hilist_code", &entry.code).null("memo").maybe_day("enddate", entry.to);
        write_end(row, place, entry, today);
    })
}

/// 1317: what a hospital calls an item is not registered here; its lines bring both codes.
pub(super) fn institution_matches(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let (row, keys) = (turn.message.one::<tables::InstitutionMatches>(), &tables::INSTITUTION_MATCHES);
    let query = page(row.get(&keys.query_date), row.get(&keys.page_num), row.get(&keys.page_size));
    let empty = CataloguePage {
        place: turn.message.envelope.place_of_care,
        rows: Vec::new(),
        total: 0,
        page: query.page.max(1),
        page_size: query.page_size.max(1),
    };
    Ok(turn.answer(|output| {
        write_paging(output, &empty);
        output.list("data", [(); 0], |_, ()| {});
    }))
}

/// 1318.
pub(super) fn price_limits(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let (row, keys) = (turn.message.one::<tables::PriceLimits>(), &tables::PRICE_LIMITS);
    let query = CatalogueQuery {
        code: told(row.get(&keys.hilist_code)),
        limited_only: true,
        ..page(row.get(&keys.query_date), row.get(&keys.page_num), row.get(&keys.page_size))
    };
    answer(turn, &query, |row, place, today, entry| {
        row.text("hilist_code", &entry.code).nulls(&["hilist_lmtpric_type", "overlmt_dspo_way"]);
        row.shown("insu_admdvs", place).day("begndate", entry.from).maybe_day("enddate", entry.to);
        row.maybe_decimal("hilist_pric_uplmt_amt", entry.item.price_limit, 6).null("tabname");
        write_end(row, place, entry, today);
    })
}

/// 1319.
pub(super) fn first_pay_rates(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let (row, keys) = (turn.message.one::<tables::FirstPayRates>(), &tables::FIRST_PAY_RATES);
    let query = CatalogueQuery {
        code: told(row.get(&keys.hilist_code)),
        ..page(row.get(&keys.query_date), row.get(&keys.page_num), row.get(&keys.page_size))
    };
    answer(turn, &query, |row, place, today, entry| {
        let person = entry.person.map(|person| person.to_string());
        row.text("hilist_code", &entry.code).maybe_text("selfpay_prop_psn_type", person.as_deref());
        row.text("selfpay_prop_type", FIRST_PAY).shown("insu_admdvs", place);
        row.day("begndate", entry.from).maybe_day("enddate", entry.to);
        row.decimal("selfpay_prop", entry.item.self_pay.0, 4).null("tabname");
        write_end(row, place, entry, today);
    })
}

fn page(day: Option<Moment>, number: i64, size: i64) -> CatalogueQuery {
    let positive = |number: i64| usize::try_from(number).unwrap_or(1);
    CatalogueQuery {
        day: day.map(Moment::day),
        page: positive(number),
        page_size: positive(size),
        ..CatalogueQuery::default()
    }
}

fn answer(
    turn: &mut Turn<'_, '_>,
    query: &CatalogueQuery,
    mut write: impl FnMut(&mut Object<'_>, RegionCode, Day, &CatalogueEntry),
) -> Result<Outcome, NotDone> {
    let (caller, today) = (turn.caller(), turn.service.today());
    let page = turn.service.look_at_catalogue(&caller, query)?;
    Ok(turn.answer(|output| {
        write_paging(output, &page);
        output.list("data", &page.rows, |row, entry| write(row, page.place, today, entry));
    }))
}

/// What ends every row.
fn write_end(row: &mut Object<'_>, place: RegionCode, entry: &CatalogueEntry, today: Day) {
    let in_force = entry.from <= today && entry.to.is_none_or(|to| today <= to);
    row.flag("vali_flag", in_force).nulls(&MAKER).nulls(&["opt_time", "optins_no"]);
    row.shown("poolarea_no", place);
}

/// The paging fields straight in `output`. Rows are counted from 1.
fn write_paging(output: &mut Object<'_>, page: &CataloguePage) {
    let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let pages = page.total.div_ceil(page.page_size.max(1));
    let before = page.page.saturating_sub(1).saturating_mul(page.page_size);
    let first = if page.rows.is_empty() { 0 } else { before + 1 };
    let last = if page.rows.is_empty() { 0 } else { before + page.rows.len() };
    output.boolean("firstPage", page.page <= 1).boolean("lastPage", page.page >= pages);
    output.whole("size", whole(page.rows.len())).whole("startRow", whole(first)).whole("endRow", whole(last));
    output.whole("pageSize", whole(page.page_size)).whole("pageNum", whole(page.page));
    output.whole("recordCounts", whole(page.total)).whole("pages", whole(pages));
}

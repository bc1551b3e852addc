//! Owns what a month looks like on a terminal.

use std::io;
use std::io::Write;

use crate::command::clear::Report;
use crate::domain::clearing::Totals;
use crate::domain::money::Fen;
use crate::protocol::center::behind;
use crate::protocol::center::month::MonthView;
use crate::service::month::Behind;

/// A row: its name, then figures.
type Row = (String, Vec<String>);

pub(super) fn write(report: &Report, settlements: bool, out: &mut dyn Write) -> io::Result<()> {
    let view = &report.view;
    writeln!(out, "{} 清算 clearing month · 金额单位：元 amounts in yuan", view.month)?;
    if let Some((zh, en)) = view.state.hint() {
        writeln!(out, "{zh}{en}")?;
    }
    if report.month_is_empty {
        return writeln!(out, "本月没有结算。Nothing was settled in this month. Σ = 0.00");
    }
    if settlements {
        rows_behind(&report.behind, out)?;
    } else {
        figures(view, out)?;
    }
    let (zh, en) =
        if view.is_balanced() { ("账目平衡", "balanced") } else { ("账目不平", "NOT balanced") };
    writeln!(out, "\n全月各区净额之和 net positions of the whole month: Σ = {}  {zh} {en}", view.imbalance)?;
    if settlements {
        return Ok(());
    }
    writeln!(
        out,
        "一个数字由哪些结算组成 the settlements behind a figure: --settlements --region CODE --institution CODE"
    )
}

fn figures(view: &MonthView, out: &mut dyn Write) -> io::Result<()> {
    let regions = view.regions.iter().map(|row| {
        let at = row.position;
        (format!("{} {}", row.code, row.name), amounts(&[at.owed, at.owes, at.net()]))
    });
    table("统筹区 region", &["应收 owed to it", "应付 it owes", "净额 net"], regions.collect(), out)?;
    let pairs = view.pairs.iter().map(|row| {
        let name = format!("{} {} → {} {}", row.home, row.home_name, row.care, row.care_name);
        (name, with_counts(&row.totals, &[row.totals.owed(), row.net]))
    });
    let head = ["结算 settled", "撤销 reversed", "应付 owed", "轧差 net of both"];
    table("参保地 → 就医地 insured → care", &head, pairs.collect(), out)?;
    let head = ["结算 settled", "撤销 reversed", "总费用 bills", "基金 funds", "账户 accounts", "应付 owed"];
    let hospitals = |local: bool| {
        let rows = view.hospitals.iter().filter(move |row| row.is_local() == local);
        rows.map(|row| {
            let t = &row.totals;
            let name = format!("{} {} ← {} {}", row.code, row.name, row.home, row.home_name);
            (name, with_counts(t, &[t.medfee, t.fund, t.account, t.owed()]))
        })
    };
    table("医院 ← 参保地 hospital ← insured", &head, hospitals(false).collect(), out)?;
    table("统筹区内就医（不跨区） care at home, crosses no border", &head, hospitals(true).collect(), out)
}

fn rows_behind(rows: &[Behind], out: &mut dyn Write) -> io::Result<()> {
    let lines = rows.iter().map(|behind| {
        let row = &behind.row;
        let name = format!("{} {}", behind.id, behind.at.moment());
        let mut cells = vec![behind::code(behind.kind()).to_owned()];
        cells.extend([row.insured_pool.to_string(), row.care_pool.to_string(), row.institution.to_string()]);
        cells.extend(amounts(&[row.medfee, row.fund, row.account, row.owed(), row.cash]));
        (name, cells)
    });
    let head = [
        "类型 kind",
        "参保地 insured",
        "就医地 care",
        "医院 hospital",
        "总费用 bill",
        "基金 funds",
        "账户 account",
        "应付 owed",
        "现金 cash",
    ];
    table("结算ID 时间 settlement, time", &head, lines.collect(), out)?;
    let count = rows.len();
    match behind::owed(rows) {
        (Some(across), Some(at_home)) => writeln!(
            out,
            "{count} 笔 rows, 跨统筹区应付 owed across pools {across}, 统筹区内支付 paid at home {at_home}"
        ),
        (None, Some(at_home)) => {
            writeln!(out, "{count} 笔 rows, 统筹区内支付（不跨区）paid at home, owed to nobody {at_home}")
        }
        (across, None) => {
            writeln!(out, "{count} 笔 rows, 应付合计 owed in all {}", across.unwrap_or(Fen::ZERO))
        }
    }
}

fn with_counts(totals: &Totals, figures: &[Fen]) -> Vec<String> {
    let mut cells = vec![totals.settlements.to_string(), totals.reversals.to_string()];
    cells.extend(amounts(figures));
    cells
}

fn amounts(figures: &[Fen]) -> Vec<String> {
    figures.iter().map(ToString::to_string).collect()
}

/// Names to the left, figures to the right, each column as wide as its widest cell. Nothing where there are no rows.
fn table(first: &str, head: &[&str], rows: Vec<Row>, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let names = rows.iter().map(|(name, _)| width(name)).chain([width(first)]).max().unwrap_or(0);
    let widths: Vec<usize> = (head.iter().enumerate())
        .map(|(at, title)| {
            let cells = rows.iter().map(|(_, cells)| width(&cells[at]));
            cells.chain([width(title)]).max().unwrap_or(0)
        })
        .collect();
    let mut line = |name: &str, cells: &mut dyn Iterator<Item = &str>| {
        write!(out, "{name}{:1$}", "", names - width(name))?;
        for (cell, whole) in cells.zip(&widths) {
            write!(out, "  {:1$}{cell}", "", whole - width(cell))?;
        }
        writeln!(out)
    };
    line(first, &mut head.iter().copied())?;
    rows.iter().try_for_each(|(name, cells)| line(name, &mut cells.iter().map(String::as_str)))
}

/// Columns on a terminal: a Chinese character takes two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{2e80}' { 2 } else { 1 }).sum()
}

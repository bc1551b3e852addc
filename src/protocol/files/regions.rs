//! Owns the file of the region table: every code with its parent, its pool and its clearing agency.

use crate::domain::region::Region;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::write_last_day;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;

columns! {
    /// The columns of a regions file.
    RegionColumn {
        Code = "admdvs" ["医保区划", "区划代码"] Key Open;
        Name = "admdvs_name" ["区划名称", "医保区划名称"] Key Open;
        Parent = "parent_admdvs" ["上级区划"] Expected Open;
        Pool = "poolarea_no" ["统筹区", "统筹区编码"] Key Open;
        Agency = "clr_optins" ["清算经办机构"] Key Open;
        From = "begndate" ["开始日期"] Key Open;
        To = "enddate" ["结束日期"] Optional Open;
    }
}

use RegionColumn as C;

pub(crate) fn read(header: &Header, row: &Row, findings: &mut Findings) -> Option<Region> {
    let before = findings.faults.count();
    let mut cells = Cells::new(header, row, findings);
    let (code, name) = (cells.region(C::Code), cells.text(C::Name, 200));
    let parent = cells.region(C::Parent);
    let (pool, clearing_agency) = (cells.region(C::Pool), cells.region(C::Agency));
    let interval = cells.interval(C::From, C::To);
    if parent.is_some() && parent == code {
        cells.fault(C::Parent, "expected another region than the row's own, or nothing for a province");
    }
    if findings.faults.count() > before {
        return None;
    }
    let (from, to) = interval?;
    Some(Region {
        code: code?,
        name: name?,
        parent,
        pool: pool?,
        clearing_agency: clearing_agency?,
        from,
        to,
    })
}

/// The row that reads back as this region, in the order of `RegionColumn::ALL`.
pub fn write(region: &Region) -> Vec<String> {
    vec![
        region.code.to_string(),
        region.name.clone(),
        region.parent.map(|parent| parent.to_string()).unwrap_or_default(),
        region.pool.to_string(),
        region.clearing_agency.to_string(),
        region.from.to_string(),
        write_last_day(region.to),
    ]
}

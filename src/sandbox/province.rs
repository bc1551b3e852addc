//! Owns the whole of a sandbox province and its files: the very files that `banyan import` reads, written as a stream.

use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::io::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::domain::calendar::Day;
use crate::domain::region::Region;
use crate::protocol::files::balances;
use crate::protocol::files::catalogue as catalogue_file;
use crate::protocol::files::filings as filings_file;
use crate::protocol::files::institutions as institutions_file;
use crate::protocol::files::kind::Kind;
use crate::protocol::files::persons;
use crate::protocol::files::recognitions;
use crate::protocol::files::regions as regions_file;
use crate::protocol::files::year;
use crate::sandbox::catalogue::PLACES;
use crate::sandbox::catalogue::entries;
use crate::sandbox::filings;
use crate::sandbox::geography::regions;
use crate::sandbox::institutions::Hospital;
use crate::sandbox::institutions::hospitals;
use crate::sandbox::population::Population;
use crate::sandbox::stays::Stay;
use crate::sandbox::stays::Stays;
use crate::sandbox::story::Figure;
use crate::sandbox::story::figures;

/// What makes a province: the same four give the same files, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Size {
    pub seed: u64,
    /// Insured over all 21 pools, the people of the story apart.
    pub persons: u64,
    /// Codes in the catalogue of each place of care.
    pub codes: u64,
    /// Stays written into `stays.jsonl`, at most.
    pub stays: u64,
}

/// The province of a seed, as it is on a day.
#[derive(Clone, Debug)]
pub struct Province {
    pub size: Size,
    pub today: Day,
    pub regions: Vec<Region>,
    pub hospitals: Vec<Hospital>,
    pub population: Population,
    pub figures: Vec<Figure>,
}

/// What a file is called and how many entries it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Written {
    pub file: String,
    pub rows: u64,
}

/// Written beside the files, so that a folder says what it is.
#[derive(Serialize)]
struct Manifest<'a> {
    what: &'static str,
    size: Size,
    today: String,
    files: &'a [Written],
}

/// Where the stays are written, a JSON object a line.
pub const STAYS_FILE: &str = "stays.jsonl";
/// Where the people of the story are written.
pub const STORY_FILE: &str = "story.jsonl";

/// Name of the file of a kind.
pub fn file_name(kind: Kind) -> String {
    format!("{kind}.csv")
}

impl Province {
    pub fn new(size: Size, today: Day) -> Province {
        let regions = regions();
        let hospitals = hospitals(size.seed, today, &regions);
        let population = Population::new(size.seed, size.persons, today, &regions);
        let figures = figures(today, &hospitals);
        Province { size, today, regions, hospitals, population, figures }
    }

    /// Stays of the population, as many as the insured allow. Those of the story are with their figures.
    pub fn stays(&self) -> impl Iterator<Item = Stay> + '_ {
        let Province { size, today, population, hospitals, .. } = self;
        Stays { seed: size.seed, today: *today, population, hospitals }.iter()
    }

    /// Writes every file of the province into a folder, and tells after each thousand entries how far it is.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Path, progress: &mut dyn FnMut(u64)) -> io::Result<Vec<Written>> {
        std::fs::create_dir_all(folder)?;
        let mut written = Vec::new();
        for kind in Kind::ALL {
            written.push(self.write_kind(folder, kind, progress)?);
        }
        written.push(self.write_stays(folder)?);
        written.push(self.write_story(folder)?);
        self.write_manifest(folder, &written)?;
        Ok(written)
    }

    /// Writes the file of one kind into a folder that is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_kind(
        &self,
        folder: &Path,
        kind: Kind,
        progress: &mut dyn FnMut(u64),
    ) -> io::Result<Written> {
        let mut sheet = Out::create(folder, kind)?;
        match kind {
            Kind::Regions => sheet.all(self.regions.iter().map(regions_file::write))?,
            Kind::Institutions => {
                sheet.all(self.hospitals.iter().map(|h| institutions_file::write(&h.institution)))?;
            }
            Kind::Catalogue => sheet.all(self.catalogue_rows())?,
            Kind::Persons => self.write_persons(&mut sheet, progress)?,
            Kind::Recognitions => sheet.all(self.recognition_rows())?,
            Kind::Balances => sheet.all(self.balance_rows())?,
            Kind::Year => sheet.all(self.year_rows())?,
            Kind::Filings => sheet.all(self.filing_rows())?,
        }
        sheet.finish()
    }

    fn held(&self) -> impl Iterator<Item = &Figure> {
        self.figures.iter().filter(|figure| figure.held)
    }

    fn catalogue_rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        PLACES.into_iter().flat_map(|place| {
            entries(self.size.seed, place, self.size.codes)
                .map(move |entry| catalogue_file::write(place, &entry))
        })
    }

    fn write_persons(&self, sheet: &mut Out, progress: &mut dyn FnMut(u64)) -> io::Result<()> {
        for figure in self.held() {
            let insured = &figure.insured;
            sheet.all(persons::write(&insured.person, &insured.private, &insured.register).into_iter())?;
        }
        for (done, insured) in (1..).zip(self.population.iter()) {
            sheet.all(persons::write(&insured.person, &insured.private, &insured.register).into_iter())?;
            if done % 1000 == 0 {
                progress(done);
            }
        }
        Ok(())
    }

    fn recognition_rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let story = self.held().map(|figure| figure.insured.clone());
        let insured = story.chain(self.population.iter()).filter(|i| !i.register.recognitions.is_empty());
        insured.flat_map(|insured| {
            let rows = insured.register.recognitions.iter();
            rows.map(|recognition| recognitions::write(&insured.person, recognition)).collect::<Vec<_>>()
        })
    }

    fn balance_rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let story = self.held().filter_map(|figure| figure.balance.clone());
        let rest = (0..self.population.len()).filter_map(|number| self.population.balance(number));
        story.chain(rest).map(|entry| balances::write(&entry))
    }

    fn year_rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let story = self.held().flat_map(|figure| figure.year.clone());
        let rest = (0..self.population.len()).flat_map(|number| self.population.year(number));
        story.chain(rest).map(|entry| year::write(&entry))
    }

    fn filing_rows(&self) -> impl Iterator<Item = Vec<String>> + '_ {
        let story = self.held().filter_map(|figure| figure.filing.clone());
        let filed = (0..self.population.len()).filter(|number| filings::is_filed(self.size.seed, *number));
        let rest = filed.filter_map(|number| {
            filings::filing(self.size.seed, number, self.today, &self.population.insured(number))
        });
        story.chain(rest).map(|entry| filings_file::write(&entry))
    }

    fn write_stays(&self, folder: &Path) -> io::Result<Written> {
        let wanted = usize::try_from(self.size.stays).unwrap_or(usize::MAX);
        write_lines(folder, STAYS_FILE, self.stays().take(wanted))
    }

    fn write_story(&self, folder: &Path) -> io::Result<Written> {
        #[derive(Serialize)]
        struct Line<'a> {
            role: &'static str,
            held: bool,
            stay: &'a Stay,
        }
        let lines = self.figures.iter().map(|figure| Line {
            role: figure.role.name(),
            held: figure.held,
            stay: &figure.stay,
        });
        write_lines(folder, STORY_FILE, lines)
    }

    fn write_manifest(&self, folder: &Path, files: &[Written]) -> io::Result<()> {
        let manifest = Manifest {
            what: "synthetic: no person, institution or figure in these files is real",
            size: self.size,
            today: self.today.to_string(),
            files,
        };
        let text = serde_json::to_string_pretty(&manifest)?;
        std::fs::write(folder.join("sandbox.json"), text + "\n")
    }
}

fn write_lines<T: Serialize>(
    folder: &Path,
    name: &str,
    lines: impl Iterator<Item = T>,
) -> io::Result<Written> {
    let mut file = BufWriter::new(File::create(folder.join(name))?);
    let mut rows = 0;
    for line in lines {
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")?;
        rows += 1;
    }
    file.flush()?;
    Ok(Written { file: name.to_owned(), rows })
}

/// A CSV file being written.
struct Out {
    name: String,
    writer: csv::Writer<File>,
    rows: u64,
}

impl Out {
    fn create(folder: &Path, kind: Kind) -> io::Result<Out> {
        let name = file_name(kind);
        let mut writer = csv::Writer::from_path(folder.join(&name))?;
        writer.write_record(kind.header())?;
        Ok(Out { name, writer, rows: 0 })
    }

    fn all(&mut self, rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
        for row in rows {
            self.writer.write_record(row)?;
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Written> {
        self.writer.flush()?;
        Ok(Written { file: self.name, rows: self.rows })
    }
}

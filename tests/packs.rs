//! Every shipped pack loads and its own cases come out; what a pack may not say is refused with its place and reason.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

use banyan::config::packs;
use banyan::config::packs::Mode;
use banyan::config::packs::PackSet;
use banyan::domain::ids::RegionCode;

fn set(folder: &str) -> PackSet {
    packs::load_set(Path::new(folder)).unwrap_or_else(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", told.join("\n"))
    })
}

/// Fenced blocks of a page in order: (what stands behind the fence, text).
fn fences(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((kind.to_owned(), body.join("\n") + "\n"));
        }
    }
    blocks
}

fn readme() -> Vec<(String, String)> {
    fences(&fs::read_to_string("config/packs/README.md").unwrap())
}

/// All examples of the page, one after the other, are one pack.
fn readme_pack() -> String {
    readme().into_iter().filter(|(kind, _)| kind == "toml").map(|(_, text)| text + "\n").collect()
}

/// Faults of a text as `path: message`.
fn faults(text: &str) -> Vec<String> {
    match packs::read(text) {
        Ok(_) => Vec::new(),
        Err(faults) => faults
            .iter()
            .map(|fault| {
                if fault.path.is_empty() {
                    fault.message.clone()
                } else {
                    format!("{}: {}", fault.path, fault.message)
                }
            })
            .collect(),
    }
}

#[test]
fn every_shipped_pack_holds_its_cases() {
    for (folder, count) in [("config/packs", 2), ("config/packs/sandbox", 4)] {
        let set = set(folder);
        assert_eq!(set.files().len(), count, "{folder}");
        for file in set.files() {
            assert!(file.cases.len() >= 3, "{} has too few cases", file.pack.region());
            assert_eq!(packs::run_cases(file), [], "{}", file.pack.name());
        }
    }
}

#[test]
fn the_examples_of_the_readme_are_a_pack_that_holds_its_cases() {
    let text = readme_pack();
    assert_eq!(faults(&text), Vec::<String>::new());
    let file = packs::read(&text).unwrap();
    assert_eq!(file.cases.len(), 2);
    assert_eq!(packs::run_cases(&file), []);
}

#[test]
fn the_mistakes_of_the_readme_give_the_errors_of_the_readme() {
    let (pack, blocks) = (readme_pack(), readme());
    let mistakes: Vec<_> = blocks.windows(2).filter(|pair| pair[0].0 == "diff").collect();
    assert!(mistakes.len() >= 12);
    for pair in mistakes {
        let line = |sign: char| pair[0].1.lines().find_map(|line| line.strip_prefix(sign)).unwrap();
        assert!(pack.contains(line('-')), "{} is not in the page", line('-'));
        let wrong = pack.replacen(line('-'), line('+'), 1);
        let told = faults(&wrong);
        let expected: Vec<&str> = pair[1].1.lines().collect();
        assert_eq!(told, expected, "{}", line('+'));
    }
}

#[test]
fn all_faults_of_a_pack_are_told_at_once_with_their_lines() {
    let text = "region = \"4407\"\nname = \"\"\nstatus = \"official\"\n[[year_start]]\nfrom = 2024-02-30\n";
    let told = packs::read(text).unwrap_err();
    assert_eq!(told.len(), 1, "not even TOML: {told:?}");
    let text = text.replace("2024-02-30", "\"2024-02-30\"");
    let told: Vec<String> = packs::read(&text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 1: region: is \"4407\": expected a region code of six digits such as \"440700\"",
            "line 2: name: is \"\": expected some text in quotes",
            "line 4: year_start[1].source: is missing: document, number and article that say so",
            "line 4: year_start[1].trust: is missing: \"official\", \"second-hand\", \"fair\", \"low\" or \"synthetic\"",
            "line 4: year_start[1].starts: is missing: the first day of the benefit year as month-day, such as \"01-01\" or \"07-01\"",
            "line 5: year_start[1].from: is \"2024-02-30\": expected a day of the calendar from 1900 to 2199, such as 2024-07-01",
        ]
    );
}

#[test]
fn what_a_pack_may_not_say_is_refused() {
    let pack = readme_pack();
    let table: &[(&str, &str, &str)] = &[
        ("status = \"synthetic\" ", "status = \"official\" ", "year_start[1].trust: is not official"),
        ("trust = \"synthetic\"\n", "trust = \"official\"\n", "year_start[1].checked_on: is missing"),
        (
            "basis = \"year\"",
            "basis = \"month\"",
            "resident.deductible[1].basis: is \"month\": expected one of",
        ),
        (
            "basis = \"year\"",
            "basis = \"year\"\nadmission_factors = [\"1\"]",
            "resident.deductible[1].admission_factors: belongs",
        ),
        (
            "admission_factors = [\"1.00\", \"0.50\"]",
            "admission_factors = []",
            "employee.deductible[1].admission_factors: is empty",
        ),
        (
            "admission_factors = [\"1.00\", \"0.50\"]",
            "admission_factors = [\"-1\"]",
            "employee.deductible[1].admission_factors[1]: is",
        ),
        (
            "all = \"800.00\"",
            "all = \"800.00\"\nlevel1 = \"1.00\"",
            "employee.deductible[2].level1: stands beside all",
        ),
        ("level2 = \"82%\"\n", "", "resident.ratios[1].level2: is missing: a value for each of level1"),
        (
            "retired_bonus = \"3%\"",
            "retired_bonus = \"3%\"\nretired = { all = \"90%\" }",
            "employee.ratios[1].retired_bonus: says the same",
        ),
        (
            "{ to = \"50000.00\", ratio = \"60%\" }",
            "{ to = \"500000.00\", ratio = \"60%\" }",
            "resident.serious_illness[1].tiers: the edge",
        ),
        (
            "category = \"extreme_hardship\"",
            "category = \"poor\"",
            "resident.serious_illness[1].categories[1].category: is \"poor\"",
        ),
        (
            "matn_type = 5, ratio = \"80%\"",
            "matn_type = 5, ratio = \"80%\", fixed = \"1.00\"",
            "maternity[1].rows[3].matn_type: needs exactly one",
        ),
        (
            "matn_type = 5",
            "matn_type = 1",
            "maternity: kind of maternity care 1 has two rows (block from 2024-07-01)",
        ),
        ("insutype = 410", "insutype = 310", "work_injury: insurance code 310 belongs to a basic scheme"),
        (
            "pays = [\"first_pay\", \"in_scope\"]",
            "pays = [\"everything\"]",
            "employee.account[1].pays[1]: is \"everything\"",
        ),
        (
            "{ insutype = 310, med_type = 52 }",
            "{ insutype = 310 }",
            "maternity[1].claims[2].med_type: is missing: without it every claim of insutype 310 would be maternity",
        ),
        (
            "{ insutype = 310, med_type = 52 }",
            "{ insutype = 390 }",
            "maternity[1].claims[2].med_type: is missing: without it every claim of insutype 390 would be maternity",
        ),
        (
            "[\"1.00\", \"0.50\"]",
            "[\"100\", \"50\"]",
            "employee.deductible[1].admission_factors[2]: is \"50\": expected a factor from 0 to 10",
        ),
        (
            "deductible_factor = \"1.5\"",
            "deductible_factor = \"150\"",
            "employee.filing[1].unfiled.deductible_factor: is \"150\": expected a factor from 0 to 10",
        ),
        (
            "{ from_age = 80, bonus",
            "{ from_age = 70, bonus",
            "employee.ratios[1].age_bonuses: holds two bonuses from the age of 70: keep one",
        ),
        (
            "temporary_months = 6",
            "temporary_months = 0",
            "filing_terms[1].temporary_months: is 0: a temporary filing would have ended before it begins",
        ),
        (
            "retired_reduction = \"100.00\"",
            "retired_reduction = \"550.00\"",
            "employee.deductible[1].retired_reduction: takes 550.00 off the deductible of 500.00 (primary)",
        ),
        (
            "retired_reduction = \"100.00\"",
            "retired_reduction = { level1 = \"0.00\", level2 = \"601.00\", level3 = \"0.00\" }",
            "employee.deductible[1].retired_reduction: takes 601.00 off the deductible of 600.00 (level2)",
        ),
        (
            "start = \"12000.00\"",
            "start = \"60000.00\"",
            "resident.serious_illness[1].start: is 60000.00, above the end of the first tier at 50000.00",
        ),
        ("[[resident.ratios]]", "[[resident.oth]]", "resident.oth: oth_pay is work injury's alone"),
        ("[[resident.ratios]]", "[[resident.rates]]", "resident.rates: is not a key here"),
        ("why = ", "wy = ", "cases[1].wy: is not a key here: did you mean why?"),
        ("hifp_pay = \"13943.00\"", "hifp = \"13943.00\"", "cases[1].expect.hifp: is not a key here"),
        (
            "admission = 2025-03-02",
            "admission = 2025-04-02",
            "cases[1].stay.discharge: is 2025-03-16, before",
        ),
    ];
    for (right, wrong, expected) in table {
        assert!(pack.contains(right), "{right} is not in the page");
        let told = faults(&pack.replacen(right, wrong, 1));
        assert!(told.iter().any(|fault| fault.starts_with(expected)), "{wrong}: {told:#?}");
    }
}

#[test]
fn a_fault_is_told_once_and_not_as_something_missing_too() {
    let pack = readme_pack();
    for (right, wrong, only) in [
        (
            "admission_factors = [\"1.00\", \"0.50\"]",
            "admission_factors = [\"x\"]",
            "employee.deductible[1].admission_factors[1]: is \"x\"",
        ),
        (
            "    { ratio = \"80%\" },\n",
            "    { ratio = \"80\" },\n",
            "resident.serious_illness[1].tiers[3].ratio: is \"80\"",
        ),
        (
            "tiers = [{ ratio = \"85%\" }]",
            "tiers = \"85%\"",
            "resident.serious_illness[1].categories[1].tiers: is \"85%\": expected a table",
        ),
        ("refused = \"not-recognised\"", "expect = \"refused\"", "cases[2].expect: is \"refused\""),
        (
            "{ matn_type = 1, fixed",
            "{ matn_type = 300, fixed",
            "maternity[1].rows[1].matn_type: is 300: expected a 生育类别 from 1 to 99",
        ),
    ] {
        assert!(pack.contains(right), "{right} is not in the page");
        let told = faults(&pack.replacen(right, wrong, 1));
        assert!(matches!(&told[..], [one] if one.starts_with(only)), "{wrong}: {told:#?}");
    }
}

#[test]
fn a_stay_before_the_rules_is_told_which_block_begins_last() {
    let text = readme_pack().replacen("from = 2024-07-01\nstarts", "from = 2025-04-01\nstarts", 1);
    let file = packs::read(&text).unwrap();
    let told: Vec<String> = packs::run_cases(&file).into_iter().map(|fault| fault.message).collect();
    let block = "begin on 2025-04-01 with year_start, after 2025-03-16";
    assert!(told.iter().any(|message| message.contains(block)), "{told:?}");
}

#[test]
fn a_parameter_that_must_be_set_is_missed() {
    let pack = readme_pack();
    let cut = pack.find("[[filing_terms]]").unwrap()..pack.find("[[stays]]").unwrap();
    let without = format!("{}{}", &pack[..cut.start], &pack[cut.end..]);
    assert_eq!(faults(&without), ["filing_terms: must be set"]);
}

#[test]
fn a_case_that_comes_out_otherwise_is_told() {
    let pack = readme_pack();
    let run = |text: &str| -> Vec<String> {
        packs::run_cases(&packs::read(text).unwrap()).into_iter().map(|fault| fault.message).collect()
    };
    let table: &[(&str, &str, &str)] = &[
        ("hifp_pay = \"13943.00\"", "hifp_pay = \"13943.01\"", "hifp_pay is 13943.00, expected 13943.01"),
        ("admissions = 1,", "admissions = 2,", "after.admissions is 1, expected 2"),
        ("burden = \"6057.00\" }", "burden = \"0.00\" }", "after.burden is 6057.00, expected 0.00"),
        (
            "benefit_level = \"referral\"",
            "benefit_level = \"local\"",
            "benefit_level is referral, expected local",
        ),
        (
            "hifp_pay = \"13943.00\"",
            "hifp_pay = \"13943.00\"\npool_rate = \"83%\"",
            "pool_rate is 0.73, expected 0.83",
        ),
        (
            "refused = \"not-recognised\"",
            "refused = \"unfiled\"",
            "is refused with not-recognised, expected unfiled: ",
        ),
    ];
    for (right, wrong, expected) in table {
        let told = run(&pack.replacen(right, wrong, 1));
        assert!(matches!(&told[..], [one] if one.starts_with(expected)), "{wrong}: {told:?}");
    }
}

#[test]
fn a_set_loads_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    assert!(packs::load_set(folder.path()).is_err(), "an empty folder is no set");
    write("440700.toml", &readme_pack());
    write("notes.txt", "no pack");
    assert_eq!(set(folder.path().to_str().unwrap()).files().len(), 1);

    write("copy.toml", &readme_pack());
    let twice = packs::load_set(folder.path()).unwrap_err();
    assert!(twice[0].faults[0].message.contains("keep one pack for each region"), "{twice:?}");

    write("copy.toml", &readme_pack().replace("440700", "440701").replace("900.00", "x"));
    let faulty = packs::load_set(folder.path()).unwrap_err();
    assert_eq!(faulty.len(), 1);
    assert!(faulty[0].to_string().contains("copy.toml:"), "{}", faulty[0]);
}

#[test]
fn the_hash_follows_the_text() {
    let (pack, other) = (readme_pack(), readme_pack() + "# a remark\n");
    let hash = |text: &str| packs::read(text).unwrap().pack.hash().to_string();
    assert_eq!(hash(&pack), hash(&pack));
    assert_ne!(hash(&pack), hash(&other));
    // The example of GB/T 32905-2016, A.1.
    let abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(&*packs::content_hash("abc"), abc);
}

#[test]
fn production_takes_official_packs_and_those_allowed_by_name() {
    let set = set("config/packs");
    assert_eq!(packs::admit(&set, Mode::Sandbox, &[]), Ok(()));
    let refused = packs::admit(&set, Mode::Production, &[RegionCode(440_700)]).unwrap_err();
    assert_eq!(refused.iter().map(|pack| pack.region).collect::<Vec<_>>(), [RegionCode(440_100)]);
    assert_eq!(packs::admit(&set, Mode::Production, &[RegionCode(440_100), RegionCode(440_700)]), Ok(()));

    let folder = tempfile::tempdir().unwrap();
    let official = readme_pack().replace("status = \"synthetic\"", "status = \"official\"");
    let official = official.replace("trust = \"synthetic\"", "trust = \"official\"\nchecked_on = 2026-11-24");
    fs::write(folder.path().join("440700.toml"), official).unwrap();
    let set = packs::load_set(folder.path()).unwrap();
    assert_eq!(packs::admit(&set, Mode::Production, &[]), Ok(()));
    assert_eq!(packs::unverified(&set), []);
}

#[test]
fn numbers_that_nobody_verified_are_listed() {
    let open = packs::unverified(&set("config/packs"));
    let trust = |region: u32, parameter: &str| -> Vec<&str> {
        let of =
            open.iter().filter(|value| value.region == RegionCode(region) && value.parameter == parameter);
        of.map(|value| value.trust).collect()
    };
    assert_eq!(trust(440_700, "employee.ratios"), ["low"]);
    assert_eq!(trust(440_700, "maternity"), ["second-hand", "second-hand"]);
    assert_eq!(trust(440_100, "employee.deductible"), ["low", "low"]);
}

//! Every page, on a phone and at a desk: it fits, it can be read and used, it asks nobody else for anything.
//!
//! With `BANYAN_PICTURES=DIR` each page is also stored there as it was seen.

use std::net::SocketAddr;
use std::path::PathBuf;

use banyan::sandbox::story::Role;
use serde_json::Value;
use serde_json::json;

use crate::browser::Browser;
use crate::browser::Screen;
use crate::browser::Scripts;
use crate::browser::visit;
use crate::world::World;

/// Tells what is wrong with a page for somebody who does not see well, or uses a keyboard, or a small screen.
const FAULTS: &str = include_str!("faults.js");

struct Look {
    browser: Browser,
    screen: Screen,
    home: String,
    faults: Vec<String>,
}

impl Look {
    fn new(browser: Browser, screen: Screen, address: SocketAddr) -> Look {
        Look { browser, screen, home: format!("http://{address}/"), faults: Vec::new() }
    }

    async fn at(&mut self, name: &str, path: &str) {
        self.browser.open(path).await;
        self.here(name).await;
    }

    /// Looks at the page that the browser shows.
    async fn here(&mut self, name: &str) {
        let found = self.browser.ask(FAULTS).await;
        let said = found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap());
        self.faults.extend(said.map(|fault| format!("{name} ({}): {fault}", self.screen.name())));
        self.browser.darken(true).await;
        let found = self.browser.ask(FAULTS).await;
        let said = found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap());
        let contrast = said.filter(|fault| fault.starts_with("contrast"));
        self.faults.extend(contrast.map(|fault| format!("{name} ({}, dark): {fault}", self.screen.name())));
        self.browser.darken(false).await;
        let resources = self.browser.requests().await;
        let elsewhere = resources.iter().filter(|url| !url.starts_with(&self.home));
        self.faults.extend(elsewhere.map(|url| format!("{name} asks for {url}")));
        if let Some(folder) = std::env::var_os("BANYAN_PICTURES") {
            let file = PathBuf::from(folder).join(format!("{name}-{}.png", self.screen.name()));
            std::fs::write(file, self.browser.picture().await).unwrap();
        }
    }

    fn end(self) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }
}

async fn persons(screen: Screen) {
    let world = World::start().await;
    let address = world.persons;
    let numbers = [Role::LongTerm, Role::Unfiled, Role::InProvince, Role::CivilServant, Role::Assisted]
        .map(|role| world.number(role).to_owned());
    visit(address, screen, Scripts::On, async move |browser| {
        let mut look = Look::new(browser, screen, address);
        let [long_term, unfiled, in_province, in_hospital, assisted] = numbers;
        look.at("sign-in", "/sign-in").await;
        look.browser.follow("main button").await;
        look.here("sign-in-fault").await;
        look.at("signed-out", "/me").await;
        look.browser.fill("#number", &long_term).await;
        look.browser.follow("main button").await;
        look.here("code").await;
        look.browser.fill("#code", "12").await;
        look.browser.follow("main button").await;
        look.here("code-fault").await;
        look.at("not-found", "/nowhere").await;

        look.browser.sign_in(&long_term).await;
        look.here("claims").await;
        look.browser.follow(".card a").await;
        look.here("claim").await;
        look.at("filings", "/me/filings").await;
        look.browser.follow(".card a").await;
        look.here("filing-end").await;
        look.at("filing-form", "/me/filings/new").await;
        look.browser.follow("main button").await;
        look.here("filing-form-faults").await;

        look.browser.sign_in(&unfiled).await;
        look.browser.follow(".card a").await;
        look.here("claim-unfiled").await;
        look.at("filings-none", "/me/filings").await;

        look.browser.sign_in(&in_province).await;
        look.here("claims-two").await;
        look.browser.follow(".card:last-child a").await;
        look.here("claim-last").await;

        look.browser.sign_in(&in_hospital).await;
        look.browser.follow(".card a").await;
        look.here("claim-in-hospital").await;

        look.browser.sign_in(&assisted).await;
        look.browser.follow(".card a").await;
        look.here("claim-assisted").await;
        look.end();
    })
    .await;
}

async fn center(screen: Screen) {
    let world = World::start().await;
    let address = world.center;
    visit(address, screen, Scripts::On, async move |browser| {
        let mut look = Look::new(browser, screen, address);
        look.at("month", "/center/months/202611").await;
        look.at("month-empty", "/center/months/202001").await;
        look.at("month-wrong", "/center/months?month=november").await;
        look.at("region", "/center/months/202611/440700").await;
        look.at("pair", "/center/months/202611/440700/430100").await;
        look.browser.follow("th a").await;
        look.here("settlements").await;
        look.browser.follow("th a").await;
        look.here("settlement").await;
        look.end();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_pages_fit_a_phone() {
    persons(Screen::Phone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_pages_fit_a_desk() {
    persons(Screen::Desk).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_centers_pages_fit_a_phone() {
    center(Screen::Phone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_centers_pages_fit_a_desk() {
    center(Screen::Desk).await;
}

/// The judge is judged: a page that has every fault is found to have them.
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_page_is_found_to_be_bad() {
    let world = World::start().await;
    visit(world.persons, Screen::Phone, Scripts::On, async move |browser| {
        let page = "data:text/html,<body style='background:white'><h1>a</h1><h3>b</h3><p style='color:silver'>pale</p>\
                    <input><a href='x'></a><p id=i></p><p id=i></p><div style='width:3000px'>wide</div><a href='%23none'>to nothing</a>";
        browser.open_elsewhere(page).await;
        let found = browser.ask(FAULTS).await;
        let found: Vec<&str> = found.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for kind in ["wide", "language", "title", "heading", "contrast", "label", "empty link", "id", "#none"] {
            assert!(found.iter().any(|fault| fault.contains(kind)), "{kind} in {}", json!(found));
        }
    })
    .await;
}

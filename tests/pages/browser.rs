//! A real browser: chromedriver on a free port, Chromium with a profile of its own, both gone when the visit ends.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::Client;
use fantoccini::ClientBuilder;
use fantoccini::Locator;
use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::wd::WebDriverCompatibleCommand;
use hyper::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;
use url::ParseError;
use url::Url;

/// Keys, as the driver names them.
const ENTER: &str = "\u{e007}";
const DOWN: &str = "\u{e015}";

/// For one step of a visit, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// For all of it: a driver that hangs ends the test, not the day.
const WHOLE_VISIT: Duration = Duration::from_secs(240);

/// What a page is looked at with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// 390 by 844 points, as most phones of today.
    Phone,
    /// 1280 by 900.
    Desk,
}

impl Screen {
    pub(crate) fn size(self) -> (u32, u32) {
        match self {
            Screen::Phone => (390, 844),
            Screen::Desk => (1280, 900),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Screen::Phone => "phone",
            Screen::Desk => "desk",
        }
    }
}

/// Whether pages may run scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scripts {
    On,
    Off,
}

pub(crate) struct Browser {
    client: Client,
    home: String,
    screen: Screen,
    scripts: Scripts,
}

/// Runs a visit in a browser that knows pages of that address, and closes the browser however the visit ends. Leaves
/// the visit out, and says so, where `BANYAN_NO_BROWSER` is set.
pub(crate) async fn visit<F>(
    address: SocketAddr,
    screen: Screen,
    scripts: Scripts,
    visit: impl FnOnce(Browser) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    if std::env::var_os("BANYAN_NO_BROWSER").is_some() {
        let name = std::thread::current().name().unwrap_or("a test").to_owned();
        // Past the capture of test output: what was left out must be seen.
        let _ = writeln!(std::io::stderr(), "{name}: left out, BANYAN_NO_BROWSER is set");
        return;
    }
    let profile = tempfile::tempdir().unwrap();
    let driver = Driver::start(&profile);
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities(&profile, screen, scripts))
        .connect(&format!("http://127.0.0.1:{}", driver.port))
        .await
        .unwrap();
    let browser = Browser { client: client.clone(), home: format!("http://{address}"), screen, scripts };
    let ended = tokio::time::timeout(WHOLE_VISIT, tokio::spawn(visit(browser))).await;
    let ended = ended.expect("the driver hangs");
    client.close().await.unwrap();
    drop(driver);
    if let Err(broken) = ended {
        std::panic::resume_unwind(broken.into_panic());
    }
}

fn capabilities(profile: &TempDir, screen: Screen, scripts: Scripts) -> Capabilities {
    let folder = profile.path().join("profile");
    let (width, height) = screen.size();
    let mut arguments: Vec<String> = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        // A click comes at once after scrolling to its place.
        "--force-prefers-reduced-motion",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--user-data-dir={}", folder.display()));
    arguments.push(format!("--window-size={width},{height}"));
    let mut options = json!({ "args": arguments });
    if screen == Screen::Phone {
        let metrics =
            json!({ "width": width, "height": height, "pixelRatio": 2.0, "mobile": true, "touch": true });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    if scripts == Scripts::Off {
        options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
    }
    let all = json!({
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "performance": "ALL" },
        "timeouts": { "implicit": 0, "pageLoad": PATIENCE.as_millis(), "script": PATIENCE.as_millis() },
    });
    let Value::Object(all) = all else { unreachable!("an object was written") };
    all
}

struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// It takes a free port of IPv4 and then the same of IPv6, which somebody else may have: then it ends, and another is
    /// started.
    fn start(folder: &TempDir) -> Driver {
        const STARTS_MAX: usize = 5;
        let mut told = Vec::new();
        for _ in 0..STARTS_MAX {
            match Driver::try_start(folder) {
                Ok(driver) => return driver,
                Err(lines) => told.extend(lines),
            }
        }
        panic!("chromedriver tells no port: {told:?}");
    }

    fn try_start(folder: &TempDir) -> Result<Driver, Vec<String>> {
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .env("TMPDIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver: install chromium and chromium-driver, or set BANYAN_NO_BROWSER=1");
        let mut told = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                let port = port.trim_end_matches('.').parse().expect("a port");
                return Ok(Driver { child, port });
            }
            told.push(line);
        }
        child.wait().expect("it has ended");
        Err(told)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A command of Chromium's own: the standard has no way to see a whole page, or which requests went out.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    pub(crate) async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.home)).await.unwrap();
    }

    /// A page by its whole address.
    pub(crate) async fn open_elsewhere(&self, address: &str) {
        self.client.goto(address).await.unwrap();
    }

    pub(crate) async fn title(&self) -> String {
        self.client.title().await.unwrap()
    }

    /// Where the browser stands, without the address of the server.
    pub(crate) async fn path(&self) -> String {
        let url = self.client.current_url().await.unwrap();
        url.as_str().strip_prefix(&self.home).unwrap_or(url.as_str()).to_owned()
    }

    /// What a reader sees of the page.
    pub(crate) async fn text(&self) -> String {
        self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap()
    }

    pub(crate) async fn text_of(&self, css: &str) -> String {
        self.client.find(Locator::Css(css)).await.unwrap().text().await.unwrap()
    }

    /// Presses what leads nowhere else: a box to tick, or a link inside the page.
    pub(crate) async fn tick(&self, css: &str) {
        self.press(self.find(Locator::Css(css)).await, " ").await;
    }

    pub(crate) async fn jump(&self, css: &str) {
        self.press(self.find(Locator::Css(css)).await, ENTER).await;
    }

    /// Presses what leads to another page, and waits for that page.
    pub(crate) async fn follow(&self, css: &str) {
        self.leave_by(self.find(Locator::Css(css)).await).await;
    }

    pub(crate) async fn follow_link(&self, words: &str) {
        let xpath = format!("//a[contains(., '{words}')]");
        self.leave_by(self.find(Locator::XPath(&xpath)).await).await;
    }

    async fn find(&self, what: Locator<'_>) -> Element {
        self.client.find(what).await.unwrap_or_else(|cause| panic!("{what:?}: {cause}"))
    }

    async fn is_whole(&self) -> bool {
        let state = self.client.execute("return document.readyState", Vec::new()).await;
        state.is_ok_and(|state| state == "complete")
    }

    /// By mouse or finger. With scripts off by keyboard: after a click the driver waits for a timer of the page, and
    /// there timers stand still.
    async fn press(&self, element: Element, key: &str) {
        match self.scripts {
            Scripts::On => element.click().await.unwrap(),
            Scripts::Off => element.send_keys(key).await.unwrap(),
        }
    }

    /// A click is answered before the page that it leads to is there.
    async fn leave_by(&self, way: Element) {
        let page = self.find(Locator::Css("html")).await;
        self.press(way, ENTER).await;
        let left = async {
            while page.tag_name().await.is_ok() {}
            // Between two pages the driver has nobody to ask.
            while !self.is_whole().await {}
        };
        tokio::time::timeout(PATIENCE, left).await.expect("the click leads to another page");
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses from a list by keyboard: the next line after the one that is chosen.
    pub(crate) async fn choose_next(&self, css: &str) {
        self.find(Locator::Css(css)).await.send_keys(DOWN).await.unwrap();
    }

    /// The value of an expression of the page's own language.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Signs in by the code that the sandbox shows.
    pub(crate) async fn sign_in(&self, number: &str) {
        self.open("/sign-in").await;
        self.fill("#number", number).await;
        self.follow("main button").await;
        let code = self.text_of(".sandbox-code").await;
        self.fill("#code", &code).await;
        self.follow("main button").await;
        assert_eq!(self.path().await, "/me");
    }

    /// Every address that was asked for since the last time, whatever became of it.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let wanted = Own { path: "se/log", body: json!({ "type": "performance" }) };
        let log = self.client.issue_cmd(wanted).await.unwrap();
        let messages = log.as_array().unwrap().iter().map(|entry| {
            serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap()["message"].clone()
        });
        messages
            .filter(|message| message["method"] == "Network.requestWillBeSent")
            .map(|message| message["params"]["request"]["url"].as_str().unwrap().to_owned())
            // The browser's own first page comes from the browser itself.
            .filter(|url| !url.starts_with("chrome:") && !url.starts_with("data:"))
            .collect()
    }

    /// As a reader sees it who has asked for dark pages.
    pub(crate) async fn darken(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let body = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.client.issue_cmd(Own { path: "goog/cdp/execute", body }).await.unwrap();
    }

    /// A PNG of the whole page, not of the part that a screen shows.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let height = self.ask("return document.documentElement.scrollHeight").await;
        self.pretend(json!(height)).await;
        let picture = self.client.screenshot().await.unwrap();
        self.pretend(json!(self.screen.size().1)).await;
        picture
    }

    async fn pretend(&self, height: Value) {
        let mobile = self.screen == Screen::Phone;
        let scale = if mobile { 2 } else { 1 };
        let metrics = json!({ "width": self.screen.size().0, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        let body = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.client.issue_cmd(Own { path: "goog/cdp/execute", body }).await.unwrap();
    }
}

//! Signing in: a number, then a one-time code; and signing out.

use std::sync::Arc;

use hyper::StatusCode;
use maud::Markup;
use maud::html;
use sm3::Digest as _;
use sm3::Sm3;

use crate::domain::ids::RegionCode;
use crate::protocol::person::PersonFace;
use crate::protocol::person::one_time_code;
use crate::protocol::person::one_time_code::CodeSender;
use crate::protocol::person::one_time_code::Delivery;
use crate::protocol::person::one_time_code::NoCode;
use crate::protocol::person::one_time_code::Wrong;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Faults;
use crate::protocol::web::form::Form;
use crate::protocol::web::form::Said;
use crate::protocol::web::layout::Field;
use crate::protocol::web::layout::faults_on_top;
use crate::protocol::web::layout::field;
use crate::protocol::web::session;
use crate::protocol::web::token;
use crate::protocol::web::words::both;
use crate::protocol::web::words::pair;
use crate::protocol::wire;
use crate::service::sign_in::Named;
use crate::transport::Answer;

/// How long a sign-in that was begun may take.
const BEGUN_SECONDS: i64 = 1_800;

impl PersonFace {
    pub(super) async fn start(&self, x: Exchange) -> Result<Answer, PageError> {
        let signed_in = self.session(&x).await.is_ok();
        Ok(answer::see(if signed_in { "/me" } else { "/sign-in" }))
    }

    pub(super) fn ask_to_sign_in(&self) -> Answer {
        answer::see("/sign-in?again=1")
    }

    pub(super) async fn show_sign_in(&self, x: Exchange) -> Result<Answer, PageError> {
        let begun = self.browser(&x).map_or_else(token::secret, str::to_owned);
        let query = x.query();
        let page = self.number_page(&begun, &Form::default(), &Faults::default(), query.has("again"));
        let mut answer = answer::page(StatusCode::OK, page);
        answer::add_cookie(&mut answer, &self.cookies().set("begun", &begun, BEGUN_SECONDS));
        Ok(answer)
    }

    pub(super) async fn take_number(&self, x: Exchange) -> Result<Answer, PageError> {
        let browser = self.begun(&x)?;
        self.count_attempt(&x)?;
        let form = x.form();
        let number = as_registered(form.get("number"));
        let (faults, pool) = self.check_number(&form, &number);
        if !faults.is_empty() {
            return Ok(self.number_again(browser, &form, &faults));
        }
        let named = self.service.persons_named(&number, pool).await?;
        match &self.settings.delivery {
            Delivery::Shown if named.is_empty() => {
                let mut faults = Faults::default();
                faults.tell(
                    "number",
                    "演示数据中没有这个号码；人员编号还需选择参保地",
                    "no person of the sandbox has this number; a person number needs its region too",
                );
                Ok(self.number_again(browser, &form, &faults))
            }
            delivery => self.give_code(browser, &number, named.first(), delivery).await,
        }
    }

    async fn give_code(
        &self,
        browser: &str,
        number: &str,
        named: Option<&Named>,
        delivery: &Delivery,
    ) -> Result<Answer, PageError> {
        let key = named.map(|person| &person.key);
        let code = one_time_code::issue(&*self.service.cache, browser, number, key, self.now())
            .await
            .map_err(|NoCode::TooMany| PageError::TooMany { retry_after_ms: 15 * 60_000 })?;
        match (delivery, named) {
            (Delivery::NotConnected, _) => return Err(no_sender()),
            (Delivery::Sent(sender), Some(person)) if !person.phone.is_empty() => {
                send(Arc::clone(sender), person.phone.clone(), code);
            }
            (Delivery::Sent(_) | Delivery::Shown, _) => {}
        }
        Ok(answer::see("/sign-in/code"))
    }

    pub(super) async fn show_code(&self, x: Exchange) -> Result<Answer, PageError> {
        let Some(browser) = self.browser(&x) else { return Ok(answer::see("/sign-in")) };
        let page = self.code_page(browser, None).await;
        Ok(answer::page(StatusCode::OK, page))
    }

    pub(super) async fn take_code(&self, x: Exchange) -> Result<Answer, PageError> {
        let browser = self.begun(&x)?;
        self.count_attempt(&x)?;
        let typed = as_registered(x.form().get("code"));
        let now = self.now();
        match one_time_code::check(&*self.service.cache, browser, &typed, now).await {
            Ok(person) => {
                self.end_session(&x).await;
                let session = session::begin(&*self.service.cache, person, now).await;
                let mut answer = answer::see("/me");
                let seconds = session::WHOLE_MS / 1000;
                answer::add_cookie(&mut answer, &self.cookies().set("session", &session.name, seconds));
                answer::add_cookie(&mut answer, &self.cookies().clear("begun"));
                Ok(answer)
            }
            Err(wrong) => {
                let page = self.code_page(browser, Some(wrong)).await;
                Ok(answer::page(StatusCode::UNPROCESSABLE_ENTITY, page))
            }
        }
    }

    pub(super) async fn sign_out(&self, x: Exchange) -> Result<Answer, PageError> {
        self.sender(&x).await?;
        self.end_session(&x).await;
        let mut answer = answer::see("/sign-in");
        answer::add_cookie(&mut answer, &self.cookies().clear("session"));
        Ok(answer)
    }

    async fn end_session(&self, x: &Exchange) {
        if let Some(name) = x.cookie(&self.cookies().name("session")) {
            session::end(&*self.service.cache, name, self.now()).await;
        }
    }

    /// The secret name of a browser that has begun to sign in.
    fn browser<'x>(&self, x: &'x Exchange) -> Option<&'x str> {
        let name = x.cookie(&self.cookies().name("begun"))?;
        let ours = name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit());
        ours.then_some(name)
    }

    /// The same for a form, which must come from our page in that browser.
    fn begun<'x>(&self, x: &'x Exchange) -> Result<&'x str, PageError> {
        let browser = self.browser(x).ok_or(PageError::Forged)?;
        let genuine = x.same_origin() && token::same(x.form().get("token"), &form_token(browser));
        if genuine { Ok(browser) } else { Err(PageError::Forged) }
    }

    fn count_attempt(&self, x: &Exchange) -> Result<(), PageError> {
        let by_address = self.attempts.count(&format!("address {}", x.peer().network()));
        by_address.map_err(|shed| PageError::TooMany { retry_after_ms: shed.retry_after_ms })
    }

    fn check_number(&self, form: &Form, number: &str) -> (Faults, Option<RegionCode>) {
        let mut faults = Faults::default();
        if number.is_empty() {
            faults.tell(
                "number",
                "请输入身份证号、社保卡号或人员编号",
                "enter your identity, card or person number",
            );
        } else if number.chars().count() > 30 || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
            faults.tell(
                "number",
                "号码只能是字母和数字，最多30位",
                "the number has letters and digits only, at most 30",
            );
        }
        let pool = RegionCode::parse(form.get("pool")).ok();
        if form.has("pool") && pool.is_none() {
            faults.tell("pool", "请从列表中选择参保地", "choose the insured region from the list");
        }
        (faults, pool)
    }

    fn number_again(&self, browser: &str, form: &Form, faults: &Faults) -> Answer {
        let page = self.number_page(browser, form, faults, false);
        answer::page(StatusCode::UNPROCESSABLE_ENTITY, page)
    }

    fn number_page(&self, browser: &str, form: &Form, faults: &Faults, again: bool) -> Markup {
        let number = Field {
            name: "number",
            label: Said::new("身份证号、社保卡号或人员编号", "Identity, card or person number"),
            hint: Some(Said::new(
                "使用人员编号时请选择参保地。",
                "With a person number, choose the insured region too.",
            )),
        };
        let pool = Field {
            name: "pool",
            label: Said::new("参保地（可不选）", "Insured region (optional)"),
            hint: None,
        };
        let content = html! {
            (faults_on_top(faults))
            @if again { div.panel.warn role="status" { p { (pair(
                "您尚未登录，或因15分钟未操作已自动退出。",
                "You are not signed in, or were signed out after 15 minutes without use.")) } } }
            h1 { (pair("登录查询", "Sign in")) }
            p.lead { (pair(
                "查询您的异地就医结算：谁付了多少、为什么、以后怎么做。",
                "See your settlements away from home: who paid what, why, and what to do next.")) }
            @if matches!(self.settings.delivery, Delivery::NotConnected) { (no_sender_panel()) }
            form method="post" action="/sign-in" novalidate {
                input type="hidden" name="token" value=(form_token(browser));
                (field(&number, faults, html! {
                    input id="number" name="number" type="text" autocomplete="username" autocapitalize="characters"
                        spellcheck="false" maxlength="30" value=(form.get("number"))
                        aria-describedby=[number.described_by(faults)] aria-invalid=[number.invalid(faults)];
                }))
                (field(&pool, faults, html! {
                    select id="pool" name="pool" aria-describedby=[pool.described_by(faults)] aria-invalid=[pool.invalid(faults)] {
                        option value="" { "不清楚 Not sure" }
                        @for (code, name) in self.pools() {
                            option value=(code) selected[form.get("pool") == code] { (name) }
                        }
                    }
                }))
                button type="submit" { (pair("获取验证码", "Get a code")) }
            }
        };
        self.outside(&Said::new("登录", "Sign in"), content)
    }

    async fn code_page(&self, browser: &str, wrong: Option<Wrong>) -> Markup {
        let faults = &wrong.map(code_faults).unwrap_or_default();
        let dead = matches!(wrong, Some(Wrong::AskAnew));
        let shown = match self.settings.delivery {
            Delivery::Shown => one_time_code::waiting(&*self.service.cache, browser, self.now()).await,
            Delivery::Sent(_) | Delivery::NotConnected => None,
        };
        let code = Field {
            name: "code",
            label: Said::new("6位验证码", "Six-digit code"),
            hint: (!dead).then(|| Said::new("5分钟内有效。", "Valid for five minutes.")),
        };
        let content = html! {
            (faults_on_top(faults))
            h1 { (pair("输入验证码", "Enter the code")) }
            @if let Some(shown) = &shown {
                div.panel.warn {
                    p { (pair(
                        "演示环境不发短信，验证码直接显示在这里，因此并不能证明您的身份：",
                        "This sandbox sends no messages. The code is shown here, so it proves nothing:")) }
                    p.sandbox-code { (shown) }
                }
            } @else if matches!(self.settings.delivery, Delivery::Sent(_)) {
                p.lead { (pair(
                    "如果该号码在参保登记中，验证码已发送到登记的手机。",
                    "If the number is in the register, a code was sent to the phone registered there.")) }
            }
            form method="post" action="/sign-in/code" novalidate {
                input type="hidden" name="token" value=(form_token(browser));
                (field(&code, faults, html! {
                    input.code id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code"
                        maxlength="12" aria-describedby=[code.described_by(faults)] aria-invalid=[code.invalid(faults)];
                }))
                button type="submit" { (pair("登录", "Sign in")) }
            }
            p { a href="/sign-in" { (pair("重新获取验证码", "Get another code")) } }
        };
        self.outside(&Said::new("验证码", "Code"), content)
    }

    /// Pools that this gateway holds, by code.
    fn pools(&self) -> Vec<(String, String)> {
        let (reference, today) = (self.service.reference.load(), self.service.today());
        let mut codes: Vec<RegionCode> = reference.packs.keys().copied().collect();
        codes.sort();
        codes.into_iter().map(|code| (code.to_string(), reference.regions.name(code, today))).collect()
    }
}

/// A number as registers have it: a phone's keyboard may type full-width digits, and people part long numbers by blanks.
fn as_registered(typed: &str) -> String {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    wire::half_width(typed.into()).to_uppercase()
}

/// Sent beside the answer: an answer that waited for the carrier would tell that the number names somebody.
fn send(sender: Arc<dyn CodeSender>, phone: String, code: String) {
    tokio::spawn(async move {
        if let Err(cause) = sender.send(&phone, &code).await {
            tracing::warn!(%cause, "a one-time code was not sent");
        }
    });
}

/// Stands in the forms of a sign-in: what another site cannot know, since it cannot read the cookie.
fn form_token(browser: &str) -> String {
    token::hex(&Sm3::digest(format!("sign-in form {browser}").as_bytes())[..16])
}

fn code_faults(wrong: Wrong) -> Faults {
    let mut faults = Faults::default();
    match wrong {
        Wrong::Again { tries_left } => faults.tell(
            "code",
            format!("验证码不正确，还可以再试{tries_left}次"),
            format!("the code is not right; tries left: {tries_left}"),
        ),
        Wrong::AskAnew => {
            faults.tell("code", "验证码已失效，请重新获取", "the code is no longer valid; get another one");
        }
    }
    faults
}

fn no_sender() -> PageError {
    PageError::NotHere(no_sender_said())
}

fn no_sender_said() -> Said {
    Said::new(
        "尚未接通短信验证码，暂不能在此登录。请携带身份证到参保地医保经办窗口查询。",
        "No sender of one-time codes is connected yet, so nobody can sign in here. \
         Ask at the office of your insured region with your identity card.",
    )
}

fn no_sender_panel() -> Markup {
    html! { div.panel.warn role="note" { p { (both(&no_sender_said())) } } }
}

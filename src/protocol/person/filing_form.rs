//! The form by which she files for care elsewhere herself.

use hyper::StatusCode;
use maud::Markup;
use maud::html;
use sm3::Digest as _;
use sm3::Sm3;

use crate::domain::calendar::Day;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::filing_change::FilingRefusal;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::RegionCode;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::FilingPrivate;
use crate::domain::record::MessageKey;
use crate::domain::reference::Reference;
use crate::domain::refusal::Refusal;
use crate::protocol::person::PersonFace;
use crate::protocol::person::names;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Faults;
use crate::protocol::web::form::Form;
use crate::protocol::web::form::Said;
use crate::protocol::web::layout::Field;
use crate::protocol::web::layout::fault_line;
use crate::protocol::web::layout::faults_on_top;
use crate::protocol::web::layout::field;
use crate::protocol::web::session::Session;
use crate::protocol::web::token;
use crate::protocol::web::words::both;
use crate::protocol::web::words::day_zh;
use crate::protocol::web::words::pair;
use crate::service::call::Call;
use crate::service::error::ServiceError;
use crate::service::file::Desk;
use crate::service::file::MakeFiling;
use crate::transport::Answer;

/// What she may file herself; a referral comes from a hospital, an emergency needs no filing.
const CATEGORIES: [FilingCategory; 4] = [
    FilingCategory::OtherTemporary,
    FilingCategory::LongTermResident,
    FilingCategory::LongTermRetiree,
    FilingCategory::LongTermWorker,
];

/// Stands for her as the sender of messages; the message is the form, so that sending it twice files once.
const SENDER: &str = "PERSON";
/// Filings key as 2501 does, whoever makes them.
const TRANSACTION: u16 = 2501;
const RECIPE: u8 = 1;

/// The form, read and found whole.
struct Wish {
    category: FilingCategory,
    target: RegionCode,
    from: Option<Day>,
    to: Option<Day>,
    phone: String,
    message: MessageId,
}

impl PersonFace {
    pub(super) async fn show_filing_form(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        Ok(self.form_page(&session, &x.query(), &Faults::default(), StatusCode::OK))
    }

    pub(super) async fn take_filing(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.sender(&x).await?;
        let form = x.form();
        let wish = match read(&form) {
            Ok(wish) => wish,
            Err(faults) => return Ok(self.form_again(&session, &form, &faults)),
        };
        if wish.category == FilingCategory::LongTermRetiree && self.is_at_work(&session).await? {
            let mut faults = Faults::default();
            faults.tell(
                "category",
                "您登记为在职人员，不能办理退休安置；请选择长期居住或常驻异地工作",
                "you are registered as working: choose long-term resident or posted elsewhere",
            );
            return Ok(self.form_again(&session, &form, &faults));
        }
        match self.make(&session, wish).await {
            Ok(id) => Ok(answer::see(&format!("/me/filings?made={id}"))),
            Err(ServiceError::Refused(refusal)) => match told(&refusal) {
                Some(faults) => Ok(self.form_again(&session, &form, &faults)),
                None => Err(ServiceError::Refused(refusal).into()),
            },
            Err(ServiceError::KeyReused { .. }) => {
                let mut faults = Faults::default();
                faults.tell(
                    "category",
                    "这张表单已经提交过，没有再办；如果要另办一条，请再按一次提交",
                    "this form was sent before, so nothing was filed anew; to file once more, send it again",
                );
                Ok(self.form_again(&session, &form.without("message"), &faults))
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Insured as an employee today, and not retired.
    async fn is_at_work(&self, session: &Session) -> Result<bool, PageError> {
        let (seen, today) = (self.seen(session).await?, self.service.today());
        Ok(seen.register.coverage("310", today).is_some_and(|row| !row.retired()))
    }

    async fn make(&self, session: &Session, wish: Wish) -> Result<String, ServiceError> {
        let call = self.call(session, &wish);
        let long_term = wish.category.is_long_term();
        let order = MakeFiling {
            person: session.person.clone(),
            category: wish.category,
            target: wish.target,
            from: wish.from,
            to: wish.to,
            proof: if long_term { FilingProof::Commitment } else { FilingProof::Documents },
            by: Desk::Person,
            private: FilingPrivate { phone: wish.phone, ..FilingPrivate::default() },
        };
        let answered = self.service.make_filing(&call, order).await?;
        Ok(match &answered.record.body {
            Body::FilingMade(filing) => filing.id.to_string(),
            _ => String::new(),
        })
    }

    fn call(&self, session: &Session, wish: &Wish) -> Call {
        let days = [wish.from, wish.to].map(|day| day.map_or(0, Day::number));
        let content = format!("{} {} {days:?} {}", wish.category.code(), wish.target, wish.phone);
        self.call_of(session, TRANSACTION, &wish.message, &content)
    }

    /// A form of hers as a message: sending it twice does it once.
    pub(super) fn call_of(
        &self,
        session: &Session,
        transaction: u16,
        form: &MessageId,
        content: &str,
    ) -> Call {
        Call {
            key: MessageKey {
                institution: InstitutionCode::parse(SENDER).expect("a plain word"),
                transaction,
                message: named(session, form),
            },
            insured_region: Some(session.person.pool),
            content: ContentHash { recipe: RECIPE, digest: Sm3::digest(content.as_bytes()).into() },
            reference: String::new(),
            received_at: self.now(),
            operator: "person".into(),
            writer: 1,
            noted: String::new(),
            words: |_| String::new(),
        }
    }

    fn form_again(&self, session: &Session, form: &Form, faults: &Faults) -> Answer {
        self.form_page(session, form, faults, StatusCode::UNPROCESSABLE_ENTITY)
    }

    fn form_page(&self, session: &Session, form: &Form, faults: &Faults, status: StatusCode) -> Answer {
        let reference = self.service.reference.load();
        let today = self.service.today();
        let message = if form.has("message") {
            form.get("message").to_owned()
        } else {
            token::secret()[..30].to_owned()
        };
        let content = html! {
            p { a href="/me/filings" { "‹ " (pair("我的备案", "My filings")) } }
            (faults_on_top(faults))
            h1 { (pair("办理异地就医备案", "File for care elsewhere")) }
            form method="post" action="/me/filings" novalidate {
                input type="hidden" name="token" value=(session.form_token);
                input type="hidden" name="message" value=(message);
                (categories(form, faults))
                (places(form, faults, &reference, today, session.person.pool))
                (days(form, faults, today))
                (phone(form, faults))
                (commitment(form, faults))
                button type="submit" { (pair("提交备案", "File")) }
            }
        };
        let page = self.inside(session, "/me/filings", &Said::new("办理备案", "File"), content);
        answer::page(status, page)
    }
}

/// A form's name is hers alone: one that somebody else has sent, and that a link brought here, is another message.
fn named(session: &Session, form: &MessageId) -> MessageId {
    let (pool, number) = (session.person.pool, session.person.number());
    let digest = Sm3::digest(format!("{pool} {number} {form}").as_bytes());
    MessageId::parse(&token::hex(&digest[..15])).expect("30 digits")
}

fn read(form: &Form) -> Result<Wish, Faults> {
    let mut faults = Faults::default();
    let category = FilingCategory::from_code(form.get("category")).filter(|c| CATEGORIES.contains(c));
    if category.is_none() {
        faults.tell("category", "请选择备案类型", "choose the kind of filing");
    }
    let target = RegionCode::parse(form.get("target")).ok();
    if target.is_none() {
        faults.tell("target", "请选择就医地", "choose the place of care");
    }
    let (from, to) = (form.day("from"), form.day("to"));
    for (name, day) in [("from", from), ("to", to)] {
        if form.has(name) && day.is_none() {
            faults.tell(name, "日期请写成2026-11-24的样子", "write the day like 2026-11-24");
        }
    }
    if form.get("phone").chars().count() > 20 {
        faults.tell("phone", "电话最多20个字符", "the phone number has at most 20 characters");
    }
    if !form.get("phone").chars().all(|c| c.is_ascii_digit() || "+-() ".contains(c)) {
        faults.tell("phone", "电话只能包含数字", "a phone number has digits only");
    }
    let long_term = category.is_some_and(FilingCategory::is_long_term);
    if long_term && !form.has("commitment") {
        faults.tell("commitment", "长期备案需要您勾选承诺", "a long-term filing needs your promise");
    }
    let message = MessageId::parse(form.get("message")).ok();
    match (category, target, message) {
        (Some(category), Some(target), Some(message)) if faults.is_empty() => {
            Ok(Wish { category, target, from, to, phone: form.get("phone").to_owned(), message })
        }
        (.., None) if faults.is_empty() => {
            faults.tell(
                "category",
                "表单不完整，请重新打开此页",
                "the form is incomplete; open this page again",
            );
            Err(faults)
        }
        _ => Err(faults),
    }
}

/// A refusal that she can do something about, at its field.
pub(super) fn told(refusal: &Refusal) -> Option<Faults> {
    let mut faults = Faults::default();
    let (field, zh, en) = match refusal {
        Refusal::Filing(cause) => filing_told(cause),
        Refusal::FilingPlaceUnknown { .. } => {
            ("target", "请选择一个城市或直辖市".to_owned(), "choose a city or a municipality".to_owned())
        }
        Refusal::FilingNotInsured { day } => (
            "from",
            format!("您在{}没有参保，请先咨询参保地", day_zh(*day)),
            format!("nothing insures you on {day}; ask your insured region"),
        ),
        _ => return None,
    };
    faults.tell(field, zh, en);
    Some(faults)
}

fn filing_told(cause: &FilingRefusal) -> (&'static str, String, String) {
    let (field, zh) = match cause {
        FilingRefusal::BackDated { made_on, .. } => {
            ("from", format!("备案不能追溯，请选择{}或以后", day_zh(*made_on)))
        }
        FilingRefusal::EndsBeforeItBegins { .. } => ("to", "结束日期不能早于开始日期".to_owned()),
        FilingRefusal::TargetIsHome { .. } => {
            ("target", "这里就是您的参保地，在参保地就医不需要备案".to_owned())
        }
        FilingRefusal::ReferralByHerself | FilingRefusal::ReferralFromElsewhere { .. } => {
            ("category", "转诊备案由参保地医院办理；您可以选择其他临时外出就医".to_owned())
        }
        FilingRefusal::LongTermStands { id } => {
            ("category", format!("您已有一条长期备案（{id}）仍然有效，不能再办第二条"))
        }
        FilingRefusal::ReferralStands { id, .. } => {
            ("category", format!("这个就医地已有转院备案（备案号{id}），无需再次办理"))
        }
        FilingRefusal::Locked { first_day, .. } => {
            ("category", format!("长期备案在{}以后才能变更或结束", day_zh(*first_day)))
        }
        FilingRefusal::Used { admitted } => {
            ("from", format!("{}的住院已按这条备案结算，请选择更晚的日期", day_zh(*admitted)))
        }
        FilingRefusal::EndBackDated { today } => ("from", format!("不能早于今天（{}）", day_zh(*today))),
        FilingRefusal::AlreadyEnded { from } => ("category", format!("这条备案已于{}结束", day_zh(*from))),
        FilingRefusal::NotLongTerm => ("category", "只有长期备案可以变更；请办理新的临时备案".to_owned()),
    };
    (field, zh, cause.to_string())
}

fn categories(form: &Form, faults: &Faults) -> Markup {
    let chosen = form.get("category");
    html! {
        fieldset.wrong[faults.of("category").is_some()] aria-describedby=[faults.of("category").map(|_| "category-fault")] {
            legend { (pair("备案类型", "Kind of filing")) }
            (fault_line("category", faults))
            p.hint { (pair(
                "转诊备案由参保地医院办理；急诊抢救无需备案，由医院标明。",
                "A referral is filed by a hospital of your region; an emergency needs no filing, the hospital marks it.")) }
            @for (at, category) in CATEGORIES.into_iter().enumerate() {
                @let id = if at == 0 { "category".to_owned() } else { format!("category-{}", category.code()) };
                div.choice {
                    input type="radio" id=(id) name="category" value=(category.code()) checked[chosen == category.code()];
                    label for=(id) {
                        (both(&names::category(category)))
                        span.hint { br; (both(&hint(category))) }
                    }
                }
            }
        }
    }
}

fn hint(category: FilingCategory) -> Said {
    match category {
        FilingCategory::LongTermRetiree => Said::new(
            "退休后到外地定居的；凭您的承诺办理",
            "settled elsewhere after retirement; on your word",
        ),
        FilingCategory::LongTermResident => Said::new(
            "在外地长期居住生活的，例如随子女居住；凭您的承诺办理",
            "living elsewhere for long, with your children for example; on your word",
        ),
        FilingCategory::LongTermWorker => Said::new(
            "由单位派到外地长期工作的；凭您的承诺办理",
            "sent elsewhere to work by your employer for long; on your word",
        ),
        FilingCategory::Referral | FilingCategory::Emergency | FilingCategory::OtherTemporary => {
            Said::new("临时到外地看病，没有转诊", "going elsewhere for care, without a referral")
        }
    }
}

fn places(form: &Form, faults: &Faults, reference: &Reference, today: Day, home: RegionCode) -> Markup {
    let chosen = form.get("target");
    let target = Field {
        name: "target",
        label: Said::new("就医地", "Place of care"),
        hint: Some(Said::new(
            "整个城市的定点医院都适用。",
            "It covers every designated hospital of the city.",
        )),
    };
    field(
        &target,
        faults,
        html! {
            select id="target" name="target" aria-describedby=[target.described_by(faults)] aria-invalid=[target.invalid(faults)] {
                option value="" { "请选择 Choose" }
                @for (province, cities) in by_province(reference, today, home) {
                    optgroup label=(province) {
                        @for (code, name) in cities {
                            option value=(code) selected[chosen == code] { (name) }
                        }
                    }
                }
            }
        },
    )
}

/// Province → its cities, or itself where it is a municipality. Home is left out: it needs no filing.
fn by_province(reference: &Reference, today: Day, home: RegionCode) -> Vec<(String, Vec<(String, String)>)> {
    let in_force = |from: Day, to: Option<Day>| from <= today && to.is_none_or(|to| today <= to);
    let mut rows: Vec<_> = reference.regions.rows().filter(|row| in_force(row.from, row.to)).collect();
    rows.sort_by_key(|row| row.code);
    let provinces = rows.iter().filter(|row| row.parent.is_none());
    let of_province = |province: RegionCode| {
        let cities = rows.iter().filter(|row| row.parent == Some(province) && row.code != home);
        cities.map(|row| (row.code.to_string(), row.name.clone())).collect::<Vec<_>>()
    };
    let places = provinces.map(|province| {
        let itself = vec![(province.code.to_string(), province.name.clone())];
        let cities = if is_municipality(province.code) { itself } else { of_province(province.code) };
        (province.name.clone(), cities)
    });
    places.filter(|(_, cities)| !cities.is_empty()).collect()
}

/// 直辖市 by GB/T 2260: Beijing, Tianjin, Shanghai, Chongqing.
fn is_municipality(province: RegionCode) -> bool {
    matches!(province.0, 110_000 | 120_000 | 310_000 | 500_000)
}

fn days(form: &Form, faults: &Faults, today: Day) -> Markup {
    let from = Field {
        name: "from",
        label: Said::new("开始日期", "First day"),
        hint: Some(Said::new("不填则从今天开始。", "Left empty: today.")),
    };
    let to = Field {
        name: "to",
        label: Said::new("结束日期（可不填）", "Last day (optional)"),
        hint: Some(Said::new("不填则按参保地规定的期限。", "Left empty: as your region rules.")),
    };
    html! {
        div.row {
            (field(&from, faults, html! {
                input id="from" name="from" type="date" min=(today) value=(form.get("from")) aria-describedby=[from.described_by(faults)] aria-invalid=[from.invalid(faults)];
            }))
            (field(&to, faults, html! {
                input id="to" name="to" type="date" min=(today) value=(form.get("to")) aria-describedby=[to.described_by(faults)] aria-invalid=[to.invalid(faults)];
            }))
        }
    }
}

fn phone(form: &Form, faults: &Faults) -> Markup {
    let phone =
        Field {
            name: "phone", label: Said::new("联系电话（可不填）", "Phone (optional)"), hint: None
        };
    field(
        &phone,
        faults,
        html! {
            input id="phone" name="phone" type="tel" autocomplete="tel" maxlength="20" value=(form.get("phone"))
                aria-describedby=[phone.described_by(faults)] aria-invalid=[phone.invalid(faults)];
        },
    )
}

fn commitment(form: &Form, faults: &Faults) -> Markup {
    html! {
        div.field.wrong[faults.of("commitment").is_some()] {
            (fault_line("commitment", faults))
            div.choice {
                input type="checkbox" id="commitment" name="commitment" value="yes" checked[form.has("commitment")]
                    aria-describedby=[faults.of("commitment").map(|_| "commitment-fault")];
                label for="commitment" { (pair(
                    "长期备案：我承诺在备案地长期居住或工作，所填内容属实。",
                    "Long-term filing: I promise that I live or work there and that what I entered is true.")) }
            }
        }
    }
}

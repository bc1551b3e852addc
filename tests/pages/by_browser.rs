//! What a person and a clerk do, in a real browser: on a phone, at a desk, with scripts off.

use banyan::sandbox::story::Role;

use crate::browser::Screen;
use crate::browser::Scripts;
use crate::browser::visit;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_reads_who_paid_what_and_signs_out() {
    let world = World::start().await;
    let number = world.number(Role::LongTerm).to_owned();
    visit(world.persons, Screen::Phone, Scripts::On, async move |browser| {
        browser.open("/").await;
        assert_eq!(browser.path().await, "/sign-in");
        browser.fill("#number", &number).await;
        browser.follow("main button").await;
        assert!(browser.text().await.contains("演示环境不发短信"), "the sandbox says what its code is worth");
        let code = browser.text_of(".sandbox-code").await;
        browser.fill("#code", &code).await;
        browser.follow("main button").await;

        assert_eq!(browser.path().await, "/me");
        let list = browser.text().await;
        assert!(list.contains("已结算") && list.contains("¥42,069.45"), "{list}");
        browser.follow(".card a").await;
        let claim = browser.text().await;
        for words in ["医保支付", "¥29,987.49", "您支付", "¥12,081.96", "83%", "异地长期居住备案"]
        {
            assert!(claim.contains(words), "{words} in {claim}");
        }

        let claim = browser.path().await;
        browser.follow("header button").await;
        assert_eq!(browser.path().await, "/sign-in");
        browser.open(&claim).await;
        assert_eq!(browser.path().await, "/sign-in?again=1", "nothing is shown after signing out");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_files_for_care_elsewhere_with_scripts_off() {
    let world = World::start().await;
    let number = world.number(Role::Unfiled).to_owned();
    visit(world.persons, Screen::Phone, Scripts::Off, async move |browser| {
        let page = "data:text/html,<title>off</title><script>document.title='on'</script>";
        browser.open_elsewhere(page).await;
        assert_eq!(browser.title().await, "off", "this browser runs no scripts");

        browser.sign_in(&number).await;
        browser.follow_link("异地备案").await;
        browser.follow_link("办理备案").await;
        browser.follow("main button").await;
        browser.jump(".summary a[href='#target']").await;
        assert!(browser.path().await.ends_with("#target"), "a fault leads to its field");
        browser.tick("#category").await;
        browser.choose_next("#target").await;
        browser.follow("main button").await;

        let filings = browser.text().await;
        assert!(filings.contains("备案成功") && filings.contains("北京市"), "{filings}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_opens_what_is_another_persons() {
    let world = World::start().await;
    let (hers, his) = (world.number(Role::LongTerm).to_owned(), world.number(Role::Unfiled).to_owned());
    visit(world.persons, Screen::Phone, Scripts::On, async move |browser| {
        browser.sign_in(&hers).await;
        browser.follow(".card a").await;
        let claim = browser.path().await;
        browser.follow("header button").await;
        // On the same phone, with everything that it remembers.
        browser.sign_in(&his).await;
        browser.open(&claim).await;
        let page = browser.text().await;
        assert!(page.contains("没有找到这个页面") && !page.contains("42,069.45"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_follows_a_figure_of_the_month_to_its_settlement() {
    let world = World::start().await;
    let names: Vec<String> = world.figures.iter().map(|figure| figure.insured.private.name.clone()).collect();
    visit(world.center, Screen::Desk, Scripts::Off, async move |browser| {
        browser.open("/center/months/202611").await;
        let month = browser.text().await;
        assert!(month.contains("Σ = 0.00") && month.contains("账目平衡"), "{month}");
        browser.follow_link("江门市").await;
        let region = browser.text().await;
        assert_eq!(browser.path().await, "/center/months/202611/440700");
        browser.follow_link("江门市 → 长沙市").await;
        browser.follow("td a, th a").await;
        let rows = browser.text().await;
        browser.follow("th a").await;
        let one = browser.text().await;
        assert!(one.contains("基金支付") && one.contains("¥42,069.45"), "{one}");
        for name in &names {
            assert!(![&month, &region, &rows, &one].iter().any(|page| page.contains(name)), "{name}");
        }
        browser.follow_link("江门市 → 长沙市").await;
        browser.follow_link("2026年11月").await;
        assert_eq!(browser.path().await, "/center/months/202611", "and back up again");
    })
    .await;
}

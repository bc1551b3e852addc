//! Owns the one layout of all pages.

use maud::DOCTYPE;
use maud::Markup;
use maud::html;

use crate::protocol::web::form::Faults;
use crate::protocol::web::form::Said;
use crate::protocol::web::icon;
use crate::protocol::web::style;
use crate::protocol::web::words::both;
use crate::protocol::web::words::pair;

/// What stands around the content of a page.
pub struct Frame<'a> {
    /// Of the browser's tab: the page first, the service after it.
    pub title: &'a Said,
    pub service: Said,
    /// Path and name of each place in the service's navigation.
    pub places: Vec<(&'static str, Said)>,
    /// Path of the place that the page belongs to.
    pub here: &'static str,
    /// Stands above everything: that this is a sandbox, for one.
    pub notice: Option<Said>,
    /// At the right end of the navigation: the way out.
    pub aside: Option<Markup>,
    pub hotline: &'a str,
    /// Tables of the desk want the whole width; text wants lines that can be read.
    pub wide: bool,
}

pub fn lay_out(frame: Frame<'_>, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="format-detection" content="telephone=no";
                meta name="robots" content="noindex";
                meta name="color-scheme" content="light dark";
                title { (frame.title.zh) " " (frame.title.en) " – " (frame.service.zh) }
                link rel="stylesheet" href=(style::path());
                link rel="icon" type="image/svg+xml" href=(icon::PATH);
            }
            body.wide[frame.wide] {
                a.skip href="#content" { "跳到正文 " span lang="en" { "Skip to content" } }
                @if let Some(notice) = &frame.notice {
                    div.notice role="note" { div.inner { (both(notice)) } }
                }
                (header(&frame))
                main #content tabindex="-1" { (content) }
                (footer(&frame))
            }
        }
    }
}

fn header(frame: &Frame<'_>) -> Markup {
    html! {
        header.top {
            div.inner {
                a.service href="/" { span.zh { (frame.service.zh) } " " span.en lang="en" { (frame.service.en) } }
                @if !frame.places.is_empty() || frame.aside.is_some() {
                    nav aria-label="主导航 Main" {
                        ul {
                            @for (path, name) in &frame.places {
                                li {
                                    a href=(path) aria-current=[(*path == frame.here).then_some("page")] {
                                        (both(name))
                                    }
                                }
                            }
                            @if let Some(aside) = &frame.aside { li.aside { (aside) } }
                        }
                    }
                }
            }
        }
    }
}

fn footer(frame: &Frame<'_>) -> Markup {
    html! {
        footer.bottom {
            div.inner {
                p {
                    "有疑问请拨打医保服务热线 " a href={ "tel:" (dialled(frame.hotline)) } { (frame.hotline) } "。"
                    " "
                    span.en lang="en" { "Questions? Call " (frame.hotline) "." }
                }
                p.small {
                    "金额单位：元。本页为查询结果，以结算单为准。"
                    " " span.en lang="en" { "Amounts in yuan. For information; the settlement sheet counts." }
                }
            }
        }
    }
}

/// What a phone dials of a hotline as people write it: `0750-12393（沙盒）`.
fn dialled(hotline: &str) -> String {
    hotline.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

/// One labelled field of a form.
pub struct Field {
    /// Also the id of its input, with `-hint` for the hint's.
    pub name: &'static str,
    pub label: Said,
    pub hint: Option<Said>,
}

impl Field {
    /// Ids of what is said about the input, for the reader who does not see them beside it.
    pub fn described_by(&self, faults: &Faults) -> Option<String> {
        let hint = self.hint.as_ref().map(|_| format!("{}-hint", self.name));
        let fault = faults.of(self.name).map(|_| fault_id(self.name));
        let all: Vec<String> = hint.into_iter().chain(fault).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    pub fn invalid(&self, faults: &Faults) -> Option<&'static str> {
        faults.of(self.name).map(|_| "true")
    }
}

fn fault_id(name: &str) -> String {
    format!("{name}-fault")
}

/// Label, hint, fault and input, in the order in which a screen reader should meet them.
pub fn field(field: &Field, faults: &Faults, input: Markup) -> Markup {
    let fault = faults.of(field.name);
    html! {
        div.field.wrong[fault.is_some()] {
            label for=(field.name) { (both(&field.label)) }
            @if let Some(hint) = &field.hint { p.hint id={ (field.name) "-hint" } { (both(hint)) } }
            (fault_line(field.name, faults))
            (input)
        }
    }
}

pub fn fault_line(name: &str, faults: &Faults) -> Markup {
    html! {
        @if let Some(fault) = faults.of(name) { p.fault id=(fault_id(name)) { span.zh { "错误：" (fault.zh) } " " span.en lang="en" { (fault.en) } } }
    }
}

/// All faults of a form at its top, each a link to its field.
pub fn faults_on_top(faults: &Faults) -> Markup {
    html! {
        @if !faults.is_empty() {
            div.summary role="alert" tabindex="-1" {
                h2 { (pair("请改正以下内容", "Correct the following")) }
                ul { @for (field, fault) in faults.iter() { li { a href={ "#" (field) } { (both(fault)) } } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::dialled;

    #[test]
    fn a_hotline_is_dialled_without_what_is_written_beside_it() {
        for (hotline, number) in
            [("12393", "12393"), ("12393（沙盒）", "12393"), ("+86 750-12393", "+8675012393")]
        {
            assert_eq!(dialled(hotline), number);
        }
    }
}

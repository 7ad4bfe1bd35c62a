//! What axe-core says about the pages: rules of WCAG 2.2 that a program can check, in a real browser. `INDELIBLE_AXE` names its
//! file; `./test` fetches it from the npm registry and says at its end if it could not.

use event::Value;

use crate::browser::{Browser, Look};
use crate::pages::Site;
use crate::program::text;

/// Rules of WCAG up to 2.2 AA, and what is good practice beyond them.
const RULES: &str = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']";

/// What is serious or critical on the page that is shown.
fn look(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe);
    let found = browser.run(&format!(
        "return axe.run(document, {{resultTypes: ['violations'], runOnly: {RULES}}}).then(found => \
         found.passes.length ? found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(one => \
         one.id + ': ' + one.nodes.slice(0, 4).map(node => node.target.join(' ') + ' ' + (node.any[0]?.message ?? '')).join(' | ')) \
         : ['axe looked at nothing'])"
    ));
    found.as_array().expect("a list").iter().map(|one| text(one, "")).collect()
}

#[test]
fn axe_finds_nothing_serious_on_any_page() {
    let Some(file) = std::env::var_os("INDELIBLE_AXE") else {
        eprintln!("skipped: INDELIBLE_AXE is not set");
        return;
    };
    let axe = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("INDELIBLE_AXE: {error}"));
    let site = Site::new();
    let browser = &site.browser;
    let mut wrong = Vec::new();
    site.go("/login");
    wrong.extend(look(browser, &axe).into_iter().map(|one| format!("/login: {one}")));
    site.sign_in("/search?q=type:budget.updated");
    let event = browser.attribute("#list a.open", "href");
    let open_menus = "document.querySelectorAll('details').forEach(one => one.open = true)";
    let open_help = "document.dispatchEvent(new KeyboardEvent('keydown', {key: '?', bubbles: true}))";
    for (width, is_dark) in [(1280, false), (1280, true), (390, false)] {
        browser.look(Look { width, height: 1000, is_dark });
        for (path, first) in [
            ("/overview", ""),
            ("/integrity", ""),
            ("/search", ""),
            ("/search?by=severity&rows=dense", open_menus),
            ("/search?q=statsu:failed", ""),
            ("/search?q=type:key.rotated+status:timeout", ""),
            ("/search?q=type:budget.updated", open_help),
            (&*event, open_menus),
            ("/events/nothing", ""),
            ("/timeline?by=actor&id=u-601", ""),
            ("/timeline?by=target&id=nothing", ""),
            ("/admin/keys", open_menus),
            ("/admin/users", open_menus),
            ("/admin/organisations", open_menus),
            ("/admin/quarantine", ""),
            ("/admin/configuration", ""),
        ] {
            site.go(path);
            browser.wait("document.readyState === 'complete'");
            browser.run(first);
            let found = look(browser, &axe);
            wrong.extend(found.into_iter().map(|one| format!("{path} at {width}, dark: {is_dark}: {one}")));
        }
        // An event beside the list.
        site.go("/search?q=type:budget.updated");
        browser.press("#list a.open");
        browser.wait("document.querySelector('#drawer article')");
        wrong.extend(
            look(browser, &axe).into_iter().map(|one| format!("drawer at {width}, {is_dark}: {one}")),
        );
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    // It would have found something.
    browser.run("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/x.png\"><button></button>')");
    assert!(look(browser, &axe).iter().any(|one| one.starts_with("button-name")));
    assert_ne!(browser.run("return axe.version"), Value::Null);
}

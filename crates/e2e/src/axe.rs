//! axe-core, which finds what keeps people with assistive technology from using a page.

use crate::browser::Browser;

/// See `vendor/axe-core/README.md`.
const AXE: &str = include_str!("../vendor/axe-core/axe.min.js");

/// Looks once nothing moves any more: on its way from one colour to another, a text has neither's contrast.
const LOOK: &str = "
    const moving = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map(({ finished }) => finished));
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, impact, help, nodes }) => {
        const found = nodes.map(({ html, any }) => [html, ...any.map(({ message }) => message)].join(' '));
        return [`${id} (${impact}): ${help}`, ...found].join('\\n  ');
    });";

/// What axe-core finds wrong with the page as it is now, whatever its impact: each rule that is broken, and where.
pub async fn violations(browser: &Browser) -> Vec<String> {
    // The driver runs it as the browser's own, past the page's policy.
    let script = format!("if (!window.axe) {{ {AXE}\n}} return (async () => {{ {LOOK} }})();");
    let found = browser.run(&script, &[]).await;
    let found = found.as_array().unwrap_or_else(|| panic!("axe-core gave {found}"));
    found.iter().map(|rule| rule.as_str().unwrap().to_owned()).collect()
}

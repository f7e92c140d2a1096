//! Whether a page is for everybody, as axe-core judges it.

use std::fmt::Write as _;

use super::window::Window;

/// axe-core, which `cargo xtask assets` brings; nothing of it is in the program.
const AXE: &str = include_str!("vendor/axe-core/axe.min.js");

/// Levels A and AA of WCAG 2.0, 2.1 and 2.2.
const JUDGE: &str = "
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const options = { runOnly: { type: 'tag', values: tags }, rules: { 'target-size': { enabled: true } },
      resultTypes: ['violations'] };
    axe.run(document, options).then(
      ({ violations }) => done(violations.map((rule) => [
        `${rule.id}: ${rule.help}`,
        ...rule.nodes.slice(0, 4).map((node) => `${node.target.join(' ')} ${node.html.slice(0, 160)} ${node.failureSummary}`),
      ].join('\\n    '))),
      (error) => done([`axe failed: ${error}`]),
    );";

impl Window {
    /// What of the page keeps somebody out; empty where nothing does.
    pub(super) fn barriers(&self) -> String {
        self.script(AXE);
        let found = self.script_that_calls_back(JUDGE);
        let found = found.as_array().expect("a list of findings").iter();
        found.filter_map(|finding| finding.as_str()).fold(String::new(), |mut all, finding| {
            writeln!(all, "  {finding}").unwrap();
            all
        })
    }
}

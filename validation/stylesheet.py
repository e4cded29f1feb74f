"""How the report looks: on a desk, on a phone, in the dark and on paper."""

from __future__ import annotations

STYLESHEET = """
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --quiet: #57606a; --paper: #ffffff; --shade: #f5f6f8; --line: #d8dee4; --link: #005a9c;
  --good: #116329; --good-shade: #e3f5e8; --bad: #a40e26; --bad-shade: #fde8ea; --warn-shade: #fff6dc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e2e6ea; --quiet: #9aa4af; --paper: #14171b; --shade: #1d2126; --line: #363c44; --link: #7ab8f5;
    --good: #6fd08c; --good-shade: #12301d; --bad: #ff9aa5; --bad-shade: #431820; --warn-shade: #3a3213;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0 auto; max-width: 72rem; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 3rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
h1 { font-size: 2rem; line-height: 1.15; margin: 0 0 .75rem; letter-spacing: -.01em; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 .5rem; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
p, ul, dl { margin: .25rem 0 .75rem; }
a { color: var(--link); }
small { color: var(--quiet); font-size: .85em; }
sup, sub { line-height: 0; font-size: .75em; }
section { margin: 2.25rem 0; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.total { font-size: 1.15rem; padding: .6rem .9rem; border-left: .3rem solid; border-radius: .25rem; }
.total.agreed { border-color: var(--good); background: var(--good-shade); }
.total.failed { border-color: var(--bad); background: var(--bad-shade); }
.origin { display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; }
.origin dt { color: var(--quiet); font-size: .8rem; }
.origin dd { margin: 0; font-size: .95rem; }

.badge { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .82rem; font-weight: 600;
  white-space: nowrap; border: 1px solid transparent; }
.badge.verdict { border-color: var(--line); background: var(--shade); font-weight: 500; }
.badge.agreed { color: var(--good); background: var(--good-shade); }
.badge.failed { color: var(--bad); background: var(--bad-shade); border-color: currentColor; }
.facts { color: var(--quiet); font-size: .92rem; }

table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--quiet); font-weight: 500; font-size: .82rem; vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
td.failed { color: var(--bad); font-weight: 700; }
.overview tbody th { white-space: nowrap; font-weight: 600; }

.claim { border-top: 2px solid var(--line); padding-top: 1.5rem; }
.claim.disagrees { border: 2px solid var(--bad); border-radius: .5rem; padding: 1.25rem; }
.identifier { color: var(--quiet); font-weight: 500; margin-right: .35rem; }
.statements { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1.25rem;
  padding: .9rem 1.1rem; background: var(--shade); border-radius: .5rem; }
.statements dt { color: var(--quiet); font-size: .9rem; }
.statements dd { margin: 0; max-width: 62rem; }
.statements dd.written { font-style: italic; }
.statements ul { margin: 0; padding-left: 1.1rem; font-size: .92rem; }
.check { margin: 1.5rem 0 0; }
.check > p { max-width: 62rem; }
.error { color: var(--bad); background: var(--bad-shade); padding: .5rem .8rem; border-radius: .35rem; }
.warnings { background: var(--warn-shade); padding: .5rem .8rem; border-radius: .35rem; font-size: .9rem;
  margin-top: 1rem; }
.warnings p, .warnings ul { margin: 0; }

.comparisons td { white-space: nowrap; }
.comparisons td[data-label="Tolerance"] { white-space: normal; min-width: 9rem; }
.comparisons .mark { text-align: center; padding-right: .4rem; }
.sign { font-weight: 700; }
.sign.agreed { color: var(--good); }
.sign.failed { color: var(--bad); }
tr.failed th, tr.failed td { background: var(--bad-shade); }
tr.failed th { padding-left: .5rem; }

.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 1.25rem;
  margin-top: 1rem; }
figure { margin: 0; max-width: 36rem; }
figure:only-child { grid-column: 1 / -1; }
figure img { display: block; width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .4rem; padding: .4rem; }
figcaption { color: var(--quiet); font-size: .88rem; margin-top: .4rem; }
footer { border-top: 1px solid var(--line); color: var(--quiet); font-size: .88rem; max-width: 62rem;
  margin-top: 3rem; }

@media (max-width: 46rem) {
  h1 { font-size: 1.6rem; }
  .wide { display: none; }
  .overview th, .overview td { padding-right: .5rem; }
  #claims thead, .comparisons thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  #claims tr { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content; gap: .1rem .6rem;
    padding: .5rem 0; border-bottom: 1px solid var(--line); }
  #claims tr > * { padding: 0; border: 0; }
  #claims .title { grid-column: 2 / 4; }
  #claims td:nth-child(3) { grid-column: 2; }
  #claims td:last-child { grid-column: 3; }
  .statements { display: block; }
  .statements dd + dt { margin-top: .6rem; }
  .claim.disagrees { padding: .9rem; }
  .comparisons tr { display: grid; grid-template-columns: minmax(0, 1fr) max-content; padding: .5rem 0;
    border-bottom: 1px solid var(--line); }
  .comparisons tbody th, .comparisons td { border: 0; padding: .05rem 0; white-space: normal; }
  .comparisons tbody th { grid-row: 1; grid-column: 1; }
  .comparisons .mark { grid-row: 1; grid-column: 2; }
  .comparisons td[data-label] { grid-column: 1 / 3; display: grid; grid-template-columns: 7.2rem minmax(0, 1fr); }
  .comparisons td[data-label]::before { content: attr(data-label); color: var(--quiet); font-size: .85em; }
  .comparisons tr.failed { background: var(--bad-shade); padding: .5rem; border-radius: .35rem; }
  tr.failed th { padding-left: 0; }
}
@media print {
  :root { --ink: #000; --quiet: #444; --paper: #fff; --shade: #f4f4f4; --line: #bbb; --link: #000;
    --good: #116329; --good-shade: #fff; --bad: #a40e26; --bad-shade: #fff; --warn-shade: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  tr, figure, .statements { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""

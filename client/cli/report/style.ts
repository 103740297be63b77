/** Colours have two values each; a printed page takes those of the light one. */
const colours = `
:root {
  --paper: #ffffff; --ink: #1c2024; --faint: #646c76; --rule: #d9dde2; --panel: #f5f7f9;
  --good: #18794e; --bad: #c62a2f; --odd: #9a6700; --new: #0b68cb; --old: #b45309; --other: #6e56cf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a; --ink: #e8eaed; --faint: #9aa3ad; --rule: #333a41; --panel: #1d2125;
    --good: #4cc38a; --bad: #ff6369; --odd: #f0c000; --new: #70b8ff; --old: #ffa057; --other: #b3a5f5;
  }
}
@media print {
  :root {
    --paper: #ffffff; --ink: #000000; --faint: #444444; --rule: #bbbbbb; --panel: #ffffff;
    --good: #18794e; --bad: #c62a2f; --odd: #9a6700; --new: #0b68cb; --old: #b45309; --other: #6e56cf;
  }
  figure, tr, .failure { break-inside: avoid; }
  h2 { break-after: avoid; }
  main { max-width: none; padding: 0; }
}`;

const page = `
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; print-color-adjust: exact; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 0.5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.25rem; }
code, pre, time { font: 0.86em/1.5 ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
pre { margin: 0.4rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: var(--new); overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 1rem 0 0; }
dt { color: var(--faint); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.none, footer { color: var(--faint); }
footer { margin-top: 3rem; font-size: 0.86em; }
.outcome { display: inline-block; margin: 0.5rem 0 0; padding: 0.1rem 0.7rem; border-radius: 1rem;
  border: 1px solid currentColor; font-weight: 600; }
.failure { margin: 1rem 0 0; padding: 0.6rem 0.9rem; background: var(--panel);
  border-left: 3px solid var(--bad); }
.failure p { margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92em; }
th { text-align: left; font-weight: 400; color: var(--faint); white-space: nowrap; }
th, td { padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; overflow-wrap: break-word; }
td { max-width: 32rem; }
time, .verdict { white-space: nowrap; }
.badge { display: inline-block; min-width: 1.5em; text-align: center; border-radius: 1em;
  border: 1px solid currentColor; font-size: 0.82em; }`;

const charts = `
.good { color: var(--good); }
.bad { color: var(--bad); }
.odd { color: var(--odd); }
figure { margin: 1rem 0 1.5rem; }
figcaption { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; align-items: baseline; }
.legend { display: inline-flex; flex-wrap: wrap; gap: 0.1rem 1rem; color: var(--faint);
  font-size: 0.86em; }
.key svg { width: 1.75rem; height: 0.625rem; margin-right: 0.35rem; }
figure > svg { width: 100%; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--faint); }
.tick line { stroke: var(--rule); }
.limit line { stroke: var(--bad); stroke-dasharray: 2 3; }
.limit text { fill: var(--bad); stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }
.mark path { fill: none; stroke: currentColor; stroke-opacity: 0.55; stroke-dasharray: 3 3; }
.mark circle { fill: var(--paper); stroke: currentColor; }
.mark text { fill: currentColor; }
.line { color: var(--other); }
.line.new, .line.measured { color: var(--new); }
.line.old { color: var(--old); }
.line.wanted { color: var(--ink); }
.line polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.line circle { fill: currentColor; }
.line.wanted circle { fill: transparent; }
.line.p99 polyline { stroke-dasharray: 6 4; stroke-width: 1.5; }
.line.p99 circle { fill: var(--paper); stroke: currentColor; }`;

/** The look of a chart that stands by itself, as a picture in a page of others. */
export const chartStyle = `${charts}${colours}\n`;

/** The look of a report: on a screen by day and night, and on paper. */
export const reportStyle = `${page}${charts}${colours}\n`;

/** Style of the page: light and dark by the reader's choice, one column on a phone, two sheets of paper. Contrast 4.5 : 1 at least. */
export const STYLE = `:root {
  color-scheme: light dark;
  --text: #1f2328; --muted: #57606a; --back: #ffffff; --box: #f6f8fa; --line: #8c959f; --link: #0550ae;
  --good: #116329; --good-back: #dafbe1; --bad: #82071e; --bad-back: #ffebe9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #f0f6fc; --muted: #9ea7b3; --back: #0d1117; --box: #161b22; --line: #6e7681; --link: #79c0ff;
    --good: #7ee787; --good-back: #0f2d1a; --bad: #ffa198; --bad-back: #3d1113;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; color: var(--text); background: var(--back);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
h2 { margin: 2.5rem 0 .75rem; padding-bottom: .25rem; font-size: 1.35rem; border-bottom: 1px solid var(--line); }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 1rem; top: .5rem; padding: .5rem 1rem; background: var(--back); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .2rem 0; }
pre, code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .875em; }
code { padding: .1em .3em; background: var(--box); border-radius: 4px; }
pre { margin: .75rem 0; padding: .75rem 1rem; background: var(--box); border: 1px solid var(--line); border-radius: 8px;
  overflow-x: auto; user-select: all; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody th { font-weight: 600; }
/* A wide table is scrolled in its box; its words are never broken into letters. */
@media screen { th, td { min-width: 6rem; overflow-wrap: break-word; } }
.warning { padding: .75rem 1rem; color: var(--bad); background: var(--bad-back); border-left: 4px solid var(--bad); border-radius: 4px; }
details { margin: .5rem 0; padding: .25rem 1rem; border: 1px solid var(--line); border-radius: 8px; }
summary { padding: .35rem 0; cursor: pointer; font-weight: 600; }
figure { margin: 1rem 0; }
svg { display: block; width: 100%; max-width: 26rem; height: auto; margin: 0 auto; }
svg text { fill: var(--text); font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
svg .head { font-weight: 600; font-size: 14px; }
svg .note { fill: var(--muted); font-size: 12px; }
svg .box { fill: var(--box); stroke: var(--line); }
svg .end { fill: var(--good-back); stroke: var(--good); }
svg .way { fill: none; stroke: var(--muted); stroke-width: 1.5; }
svg .tip { fill: var(--muted); }
@media print {
  @page { size: A4; margin: 11mm 13mm; }
  :root { --text: #000; --muted: #444; --back: #fff; --box: #fff; --line: #999; --link: #000; --good: #000; --good-back: #fff;
    --bad: #000; --bad-back: #fff; }
  body { max-width: none; padding: 0; font-size: 8pt; line-height: 1.3; }
  h1 { font-size: 14pt; }
  h2 { margin: .8em 0 .25em; font-size: 10pt; break-after: avoid; }
  nav, .skip, details { display: none; }
  figure { float: right; width: 4.8cm; margin: .3em 0 .3em .6cm; }
  p, ul, ol { margin: .3em 0; }
  pre { margin: .3em 0; padding: .3em .6em; white-space: pre-wrap; }
  th, td { padding: .1em .6em .1em 0; }
  .wide { overflow: visible; margin: .3em 0; }
  tr, li, pre { break-inside: avoid; }
}
`;

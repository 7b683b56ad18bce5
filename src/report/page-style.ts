// How a report looks, in light and in dark, and the little that it does: a cursor over all curves at once.

/** The style sheet of a report. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--back:#f6f5f2;--card:#fff;--ink:#1d1f23;--soft:#686d76;--rule:#dedcd6;--warn:#d9480f;
--s0:#1c6dd0;--s1:#d0632a;--s2:#2b8a4b}
@media(prefers-color-scheme:dark){:root{--back:#14161a;--card:#1d2026;--ink:#e8e6e1;--soft:#9aa0aa;--rule:#33373f;
--warn:#ff8a4c;--s0:#6db3ff;--s1:#ffa26b;--s2:#6fd08f}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:24px;margin:0;font-weight:650;overflow-wrap:anywhere}
h2{font-size:16px;margin:34px 0 10px;font-weight:650}
h2 small,.lead{color:var(--soft);font-weight:400;font-size:14px}
.lead{margin:4px 0 18px}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:1px;background:var(--card);border:1px solid var(--rule);border-radius:10px;overflow:hidden;margin:0}
.facts div{box-shadow:0 0 0 1px var(--rule);padding:10px 14px}
.facts dt{color:var(--soft);font-size:12.5px;white-space:nowrap}
.facts dd{margin:0;font-size:18px;white-space:nowrap;font-weight:600;font-variant-numeric:tabular-nums}
.facts dd small{font-weight:400;font-size:13px;color:var(--soft)}
.facts .bad dd{color:var(--warn)}
.strip,.poses,.doubts{display:grid;gap:10px;align-items:start}
.strip{grid-template-columns:repeat(12,1fr);gap:6px}
@media(max-width:1000px){.strip{grid-template-columns:repeat(6,1fr)}}
@media(max-width:520px){.strip{grid-template-columns:repeat(4,1fr)}}
.poses{grid-template-columns:repeat(auto-fill,minmax(160px,1fr))}
.shot{all:unset;cursor:pointer;display:block;background:var(--card);border-radius:8px;overflow:hidden;border:1px solid var(--rule);font-size:12.5px;color:var(--soft)}
.shot:focus-visible,.shot.near{outline:2px solid var(--s0);outline-offset:1px}
.shot img{display:block;width:100%;height:auto}
.shot span{display:block;padding:4px 8px 5px;font-variant-numeric:tabular-nums}
.strip .shot span{padding:3px 0 4px;text-align:center;font-size:11.5px}
.shot b{color:var(--ink);font-weight:550;display:block}
.doubts{grid-template-columns:repeat(auto-fill,minmax(330px,1fr))}
.doubts .shot{display:grid;grid-template-columns:128px 1fr;align-items:start}
.doubts .shot span{padding:8px 12px}
.doubts .shot b{color:var(--warn)}
.curves{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:10px 16px 8px}
.panel{margin:0 0 6px}
figcaption{display:flex;flex-wrap:wrap;gap:3px 16px;align-items:baseline;font-size:13px}
figcaption small{color:var(--soft);margin-left:auto}
.key::before{content:"";display:inline-block;width:14px;height:3px;border-radius:2px;background:currentColor;margin-right:6px;vertical-align:middle}
.key.s0{color:var(--s0)}.key.s1{color:var(--s1)}.key.s2{color:var(--s2)}
output{display:inline-block;min-width:4.2em;color:var(--ink);font-variant-numeric:tabular-nums}
.plot{position:relative;margin:2px 0 8px 46px;touch-action:pan-y}
.plot svg{display:block;width:100%;height:96px;overflow:visible}
.ticks span{position:absolute;right:100%;margin-right:7px;transform:translateY(-50%);font-size:11px;color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
.grid,.zero{stroke:var(--rule);vector-effect:non-scaling-stroke}
.zero{stroke:var(--soft);stroke-opacity:.55}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
.line.s0{stroke:var(--s0)}.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}
.band{fill:var(--warn);fill-opacity:.13}
.band.no-face{fill-opacity:.3}
.cut{stroke:var(--soft);stroke-dasharray:3 3;vector-effect:non-scaling-stroke}
.cursor{position:absolute;top:0;bottom:0;width:1px;background:var(--ink);opacity:.6;display:none;pointer-events:none}
.time-axis{position:relative;height:20px;margin-left:46px;font-size:11px;color:var(--soft);font-variant-numeric:tabular-nums}
.time-axis span{position:absolute;transform:translateX(-50%);white-space:nowrap}
.now{font-variant-numeric:tabular-nums}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:3px 18px 3px 0;text-align:left;font-weight:400}
th{color:var(--soft);font-size:13px}
footer{margin-top:36px;color:var(--soft);font-size:13px;border-top:1px solid var(--rule);padding-top:12px}
`;

/** Moves the cursor with the pointer, and to the picture that is clicked. Reads `#data`. */
export const PAGE_SCRIPT = `
const data = JSON.parse(document.getElementById('data').textContent);
const { seconds, series, start } = data;
const first = seconds[0], last = seconds[seconds.length - 1] > first ? seconds[seconds.length - 1] : first + 1;
const plots = [...document.querySelectorAll('.plot')];
const outputs = [...document.querySelectorAll('output[data-series]')];
const pictures = [...document.querySelectorAll('.strip .shot')];
function show(time) {
  let low = 0, high = seconds.length - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (seconds[middle] <= time + 1e-6) low = middle; else high = middle - 1; }
  for (const output of outputs) {
    const { values, unit, decimals } = series[output.dataset.series];
    output.textContent = values[low] === null ? '\\u2013' : values[low].toFixed(decimals) + unit;
  }
  for (const plot of plots) {
    const cursor = plot.querySelector('.cursor');
    cursor.style.display = 'block';
    cursor.style.left = 100 * (seconds[low] - first) / (last - first) + '%';
  }
  document.querySelector('.now').textContent = 'at ' + (start + seconds[low]).toFixed(2) + ' s';
  const near = pictures.reduce((a, b) => Math.abs(b.dataset.t - time) < Math.abs(a.dataset.t - time) ? b : a, pictures[0]);
  for (const picture of pictures) picture.classList.toggle('near', picture === near);
}
for (const plot of plots) plot.addEventListener('pointermove', (event) => {
  const { left, width } = plot.getBoundingClientRect();
  show(first + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (last - first));
});
for (const picture of document.querySelectorAll('.shot')) picture.addEventListener('click', () => {
  show(Number(picture.dataset.t));
  document.querySelector('.curves').scrollIntoView({ behavior: 'smooth', block: 'center' });
});
`;

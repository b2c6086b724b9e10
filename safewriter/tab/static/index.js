// The page of the tab. Names of runs, tags and files are anybody's text: they go in by text nodes alone.
/* global STYLE -- the style sheet, which the server puts before this module: the page is never seen without it */

const PERIOD = 5000; // milliseconds between two questions, while the page is seen
const CHUNK = 100; // rows that are drawn at once
const CHARTS = 8; // that a run opens with
const FATES = {
  shown: { colour: 'var(--curve)', shape: 'dot', says: 'shown by TensorBoard' },
  'not finite': { colour: 'var(--damaged)', shape: 'cross', says: 'NaN or infinite: a gap in the chart' },
  'behind damage': { colour: 'var(--look)', shape: 'square', says: 'behind a damaged record: TensorBoard does not get there' },
  overtaken: { colour: 'var(--not-shown)', shape: 'triangle', says: 'overtaken: a later point has the same or an earlier step' },
  'sampled away': { colour: 'var(--soft)', shape: 'dot', says: 'sampled away: TensorBoard keeps a part of long curves' },
  'not loaded': { colour: 'var(--damaged)', shape: 'diamond', says: 'not loaded: TensorBoard has not read so far' },
};
const ORDER = { 'not shown': 0, damaged: 1, look: 2, sound: 3 };
const SVG = 'http://www.w3.org/2000/svg';

const state = { version: -1, runs: [], roots: null, filter: '', verdict: '', sort: 'verdict', down: false, open: null, tags: null, drawn: 0 };
let page;

/** An element with properties and children; strings become text nodes. */
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const count = (number) => number.toLocaleString('en-US');
const several = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

async function ask(path, parameters) {
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

/** Whether anybody can see the page: TensorBoard keeps the frames of hidden tabs. */
function seen() {
  if (document.visibilityState !== 'visible') return false;
  try {
    return !window.frameElement || window.frameElement.getClientRects().length > 0;
  } catch {
    return true;
  }
}

async function poll() {
  if (seen()) {
    try {
      const answer = await ask('audit', { since: state.version });
      page.problem.textContent = answer.error || '';
      if (answer.runs) {
        Object.assign(state, { version: answer.version, runs: answer.runs, roots: answer.roots });
        drawRuns();
      }
      drawProgress(answer);
      if (answer.state !== 'done') return void setTimeout(poll, 500);
    } catch (error) {
      page.problem.textContent = `TensorBoard does not answer: ${error.message}`;
    }
  }
  setTimeout(poll, PERIOD);
}

function drawProgress(answer) {
  const reading = answer.state !== 'done';
  page.progress.hidden = !reading;
  page.progress.max = Math.max(1, answer.progress.known);
  page.progress.value = answer.progress.read;
  const wrong = state.runs.filter((run) => run.verdict !== 'sound').length;
  const text = `${several(state.runs.length, 'run')}${reading ? ' so far' : ''}, ${wrong ? `${count(wrong)} with findings` : 'none with findings'}.`;
  if (page.summary.textContent !== text) page.summary.textContent = text;
  drawEmptiness(!reading && state.runs.length === 0);
}

function drawEmptiness(empty) {
  page.table.hidden = page.tools.hidden = empty;
  page.empty.replaceChildren();
  if (!empty || !state.roots) return;
  page.empty.append(make('h2', {}, 'There are no event files where TensorBoard looks.'));
  for (const root of state.roots.paths) {
    page.empty.append(make('p', {}, 'It looks in ', make('code', {}, root.path), root.name ? ` (${root.name})` : ''));
    const list = make('ul');
    if (root.problem) list.append(make('li', {}, root.problem));
    for (const reason of root.reasons) list.append(make('li', {}, reason));
    page.empty.append(list);
  }
  page.empty.append(make('p', { class: 'soft' }, 'TensorBoard was started in ', make('code', {}, state.roots.working_directory)));
}

const COLUMNS = [
  ['run', 'Run', (run) => run.run],
  ['verdict', 'Verdict', (run) => ORDER[run.verdict]],
  ['findings', 'Findings', (run) => run.findings.length],
  ['disk_points', 'Points on disk', (run) => run.disk_points],
  ['held_points', 'Points in TensorBoard', (run) => run.held_points ?? -1],
  ['disk_step', 'Last step on disk', (run) => run.disk_step ?? -1],
  ['held_step', 'Last step in TensorBoard', (run) => run.held_step ?? -1],
];

function chosen() {
  const wanted = state.filter.toLowerCase();
  const key = COLUMNS.find(([name]) => name === state.sort)[2];
  const runs = state.runs.filter((run) => run.run.toLowerCase().includes(wanted) && (!state.verdict || run.verdict === state.verdict));
  const sign = state.down ? -1 : 1;
  const compare = (a, b) => (typeof a === 'string' ? a.localeCompare(b, 'en', { numeric: true }) : a - b);
  return runs.sort((a, b) => sign * compare(key(a), key(b)) || compare(a.run, b.run));
}

function drawRuns() {
  for (const [name, , ] of COLUMNS) {
    page.heads[name].setAttribute('aria-sort', state.sort !== name ? 'none' : state.down ? 'descending' : 'ascending');
  }
  const focused = document.activeElement?.closest?.('tr')?.dataset.run;
  const rows = chosen();
  const wanted = Math.max(CHUNK, Math.min(state.drawn, rows.length));
  page.body.replaceChildren();
  state.drawn = 0;
  drawMore(rows, wanted);
  page.none.hidden = rows.length > 0;
  if (focused !== undefined) page.body.querySelector(`tr[data-run="${CSS.escape(focused)}"] button`)?.focus();
}

function drawMore(rows, number = CHUNK) {
  for (const run of rows.slice(state.drawn, state.drawn + number)) {
    page.body.append(drawRow(run));
    if (state.open === run.run) page.body.append(drawDetail(run));
  }
  state.drawn = Math.min(rows.length, state.drawn + number);
  page.more.hidden = state.drawn >= rows.length;
}

function drawRow(run) {
  const open = state.open === run.run;
  const cell = (name, text) => make('td', { class: 'number', 'data-name': name }, text);
  const button = make('button', { class: 'plain', 'aria-expanded': String(open), onclick: () => toggle(run.run) }, run.run);
  return make('tr', { 'data-run': run.run },
    make('td', {}, button),
    make('td', {}, make('span', { class: `verdict ${run.verdict.replace(' ', '-')}` }, run.verdict)),
    cell('Findings', count(run.findings.length)),
    cell('Points on disk', count(run.disk_points)),
    cell('In TensorBoard', run.held_points === null ? '–' : count(run.held_points)),
    cell('Last step on disk', run.disk_step === null ? '–' : count(run.disk_step)),
    cell('In TensorBoard', run.held_step === null ? '–' : count(run.held_step)));
}

function toggle(name) {
  state.open = state.open === name ? null : name;
  state.tags = null;
  history.replaceState(null, '', state.open === null ? location.pathname + location.search : `#run=${encodeURIComponent(name)}`);
  drawRuns();
}

function copyButton(text, label) {
  const button = make('button', { 'aria-label': label, onclick: async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not allowed';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1500);
  } }, 'Copy');
  return button;
}

function drawDetail(run) {
  const cell = make('td', { colspan: COLUMNS.length });
  const link = new URL(`plugin_entry.html?name=safewriter#run=${encodeURIComponent(run.run)}`, new URL('../../', document.baseURI));
  cell.append(make('p', { class: 'soft' }, `${several(run.files, 'file')}, ${several(run.events, 'event')}, ${count(run.bytes)} bytes. `, make('a', { href: link.href, target: '_blank', rel: 'noopener' }, 'Link to this run')));
  if (!run.findings.length) cell.append(make('p', {}, 'Nothing is wrong with what is on disk.'));
  for (const finding of run.findings) {
    const title = make('strong', {}, `${finding.code} ${finding.name}`.trim());
    const box = make('div', { class: 'finding' }, make('p', {}, title, finding.file ? ` in ${finding.file}` : ''), make('p', {}, finding.message));
    if (finding.hint) box.append(make('div', { class: 'hint' }, make('p', {}, finding.hint), copyButton(finding.hint, 'Copy the hint')));
    if (finding.code) box.append(explainer(finding.code));
    cell.append(box);
  }
  if (run.tags.length) cell.append(...drawCurves(run));
  return make('tr', { class: 'detail' }, cell);
}

/** A button for each curve, and the charts of those that are chosen: at first, of those that are affected. */
function drawCurves(run) {
  state.tags ??= new Set(run.tags.filter(({ affected }) => affected).slice(0, CHARTS).map(({ tag }) => tag));
  const charts = make('div');
  const tags = make('div', { class: 'tags', role: 'group', 'aria-label': 'Curves of the run' });
  for (const { tag, affected } of run.tags) {
    const place = make('section', { 'aria-label': tag });
    const show = () => (state.tags.has(tag) ? showChart(run.run, tag, place) : place.replaceChildren());
    tags.append(make('button', { 'aria-pressed': String(state.tags.has(tag)), onclick: (event) => {
      if (!state.tags.delete(tag)) state.tags.add(tag);
      event.currentTarget.setAttribute('aria-pressed', String(state.tags.has(tag)));
      show();
    } }, affected ? `${tag} ●` : tag));
    charts.append(place);
    show();
  }
  const more = run.more_tags ? [make('p', { class: 'soft' }, `and ${several(run.more_tags, 'more tag')}`)] : [];
  return [make('h2', {}, 'Curves'), make('p', { class: 'soft' }, '● has points that may not be shown'), tags, ...more, charts];
}

function explainer(code) {
  const more = make('details', { ontoggle: async () => {
    if (!more.open || more.children.length > 1) return;
    try {
      const entry = await ask('explain', { code });
      for (const text of [entry.when, entry.why, entry.fix]) if (text) more.append(make('p', {}, text));
    } catch (error) {
      more.append(make('p', {}, error.message));
    }
  } }, make('summary', {}, `What is ${code}?`));
  return more;
}

async function showChart(run, tag, place) {
  try {
    const series = await ask('series', { run, tag });
    if (series.error) throw new Error(series.error);
    place.replaceChildren(...chartOf(series));
  } catch (error) {
    place.replaceChildren(make('p', {}, error.message));
  }
}

function mark(shape, x, y, colour) {
  const size = 4;
  const paths = {
    cross: `M${x - size} ${y - size}L${x + size} ${y + size}M${x - size} ${y + size}L${x + size} ${y - size}`,
    square: `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}z`,
    triangle: `M${x} ${y - size}L${x + size} ${y + size}H${x - size}z`,
    diamond: `M${x} ${y - size - 1}L${x + size + 1} ${y}L${x} ${y + size + 1}L${x - size - 1} ${y}z`,
  };
  if (shape === 'dot') return draw('circle', { cx: x, cy: y, r: 2.5, fill: colour });
  return draw('path', { d: paths[shape], fill: shape === 'cross' ? 'none' : colour, stroke: colour, 'stroke-width': 1.5 });
}

function chartOf(series) {
  const [width, height, left, right, top, bottom] = [800, 220, 64, 12, 12, 28];
  const values = series.points.filter((point) => point[1] !== null);
  const lowest = Math.min(...values.map((point) => point[1])), highest = Math.max(...values.map((point) => point[1]));
  const first = Math.min(...series.points.map((point) => point[0])), last = Math.max(...series.points.map((point) => point[0]));
  const x = (step) => left + ((width - left - right) * (step - first)) / Math.max(1, last - first);
  const y = (value) => (value === null || !values.length ? height - bottom : top + ((height - top - bottom) * (highest - value)) / (highest - lowest || 1));
  const missing = Object.entries(series.counts).filter(([fate, number]) => number && fate !== 'shown');
  const says = `${series.tag}: ${several(series.on_disk, 'point')} on disk, ${series.held === null ? 'TensorBoard does not say how many it holds' : `${count(series.held)} in TensorBoard`}. `
    + (missing.map(([fate, number]) => `${count(number)} ${fate}`).join(', ') || 'All are shown') + '.';
  const chart = draw('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': says });
  const shown = series.points.filter((point) => point[2] === 'shown' && point[1] !== null);
  chart.append(draw('polyline', { points: shown.map((point) => `${x(point[0])},${y(point[1])}`).join(' '), fill: 'none', stroke: 'var(--curve)', 'stroke-width': 1.5 }));
  for (const [step, value, fate] of series.points) {
    if (fate !== 'shown' || shown.length < 200) chart.append(mark(FATES[fate].shape, x(step), y(value), FATES[fate].colour));
  }
  const label = (text, at, up, anchor) => draw('text', { x: at, y: up, 'text-anchor': anchor }, text);
  if (values.length) chart.append(label(highest.toPrecision(4), left - 6, top + 8, 'end'), label(lowest.toPrecision(4), left - 6, height - bottom, 'end'));
  chart.append(label(`step ${count(first)}`, left, height - 8, 'start'), label(count(last), width - right, height - 8, 'end'));
  const legend = make('ul', { class: 'legend' });
  for (const [fate, number] of Object.entries(series.counts)) {
    if (!number) continue;
    const sign = draw('svg', { viewBox: '0 0 14 14', 'aria-hidden': 'true' }, mark(FATES[fate].shape, 7, 7, FATES[fate].colour));
    legend.append(make('li', {}, sign, ` ${count(number)} ${FATES[fate].says}`));
  }
  return [make('p', {}, says), chart, legend];
}

function followTheme() {
  const set = () => {
    let dark = matchMedia('(prefers-color-scheme: dark)').matches && window.parent === window;
    try {
      if (window.parent !== window) dark = window.parent.document.body.classList.contains('dark-mode');
    } catch { /* another origin: light */ }
    document.documentElement.classList.toggle('dark', dark);
  };
  set();
  try {
    if (window.parent !== window) new MutationObserver(set).observe(window.parent.document.body, { attributes: true, attributeFilter: ['class'] });
  } catch { /* another origin */ }
}

function build() {
  document.documentElement.lang = 'en';
  document.title = 'Safewriter';
  document.head.append(make('style', {}, STYLE), make('meta', { name: 'viewport', content: 'width=device-width' }));
  page = {
    summary: make('p', { role: 'status' }, 'Reading…'),
    progress: make('progress', { 'aria-label': 'Event files read', hidden: true }),
    problem: make('p', { role: 'alert', class: 'damaged' }),
    empty: make('section', {}),
    body: make('tbody'),
    none: make('p', { hidden: true }, 'No run matches.'),
    more: make('button', { onclick: () => drawMore(chosen()) }, 'More runs'),
    heads: {},
  };
  const head = make('tr');
  for (const [name, title] of COLUMNS) {
    page.heads[name] = make('th', { scope: 'col', class: name === 'run' || name === 'verdict' ? '' : 'number', 'aria-sort': 'none' }, make('button', { onclick: () => {
      state.down = state.sort === name ? !state.down : false;
      state.sort = name;
      drawRuns();
    } }, title));
    head.append(page.heads[name]);
  }
  const filter = make('input', { type: 'search', id: 'filter', placeholder: 'part of a name', oninput: (event) => { state.filter = event.target.value; state.drawn = 0; drawRuns(); } });
  const verdict = make('select', { id: 'verdict', onchange: (event) => { state.verdict = event.target.value; state.drawn = 0; drawRuns(); } },
    make('option', { value: '' }, 'all'), ...Object.keys(ORDER).map((name) => make('option', { value: name }, name)));
  page.tools = make('div', { class: 'tools' }, make('label', { for: 'filter' }, 'Runs'), filter, make('label', { for: 'verdict' }, 'Verdict'), verdict);
  page.table = make('table', { 'aria-label': 'Runs in the log directory' }, make('thead', {}, head), page.body);
  document.body.replaceChildren(make('main', {}, make('h1', {}, 'What is on disk, and what TensorBoard shows of it'),
    page.summary, page.progress, page.problem, page.empty, page.tools, page.table, page.none, page.more));
  new IntersectionObserver((entries) => { if (entries.some((each) => each.isIntersecting) && !page.more.hidden) drawMore(chosen()); }).observe(page.more);
}

export async function render() {
  const wanted = /[#&]run=([^&]*)/.exec(location.hash);
  if (wanted) state.open = decodeURIComponent(wanted[1]);
  build();
  followTheme();
  await poll();
}

// @ts-check
import { html } from '../vendor/preact-htm.js';
import { Action, Empty, Problem, Stat, Status, useFetch, useQuery } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { number, size } from '../lib/format.js';

const PAGE = 100;
const KINDS = { tasks: 'Tasks', actors: 'Actors', objects: 'Objects', placement_groups: 'Placement groups', workers: 'Workers' };
const IDS = { tasks: 'task_id', actors: 'actor_id', objects: 'object_id', placement_groups: 'placement_group_id', workers: 'worker_id' };
const STATES = ['state', 'phase'];

/** Tasks, actors, objects, placement groups and workers. Sorted, searched and paged by the node, so that a million tasks cost no more than 200. @param {{ session: any, path: string[] }} props */
export default function Core({ session, path }) {
  const kind = path[0] in KINDS ? path[0] : 'tasks';
  const [query, setQuery] = useQuery('q');
  const [sort, setSort] = useQuery('sort');
  const [state, setState] = useQuery('state');
  const [offset, setOffset] = useQuery('offset', '0');
  const summary = useFetch('/api/v0/summarize', 3);
  const filters = new URLSearchParams(Object.entries({ q: query, state }).filter(([, value]) => value));
  const list = useFetch(`/api/v0/${kind}?limit=${PAGE}&offset=${offset}&sort=${encodeURIComponent(sort || `-${IDS[kind]}`)}&${filters}`, 2);
  const rows = list.data?.data?.result?.result ?? [];
  const found = list.data?.data?.result?.num_filtered ?? 0;
  const columns = [...new Set(rows.flatMap((/** @type {any} */ row) => Object.keys(row)))].filter((name) => rows.some((/** @type {any} */ row) => typeof row[name] !== 'object' || (row[name] && Object.keys(row[name]).length > 0)));
  const totals = summary.data?.data?.result;
  const by = sort.replace('-', '');
  return html`<div class="head"><h1>Tasks and actors</h1></div>
    ${totals?.resources && html`<div class="grid">${Object.entries(totals.resources).slice(0, 6).map(([name, amount]) => {
      const [total, free] = [/** @type {any} */ (amount).total ?? 0, /** @type {any} */ (amount).available ?? 0];
      const text = name === 'memory' ? (/** @type {number} */ bytes) => size(bytes / 1048576) : (/** @type {number} */ units) => number(units, 2);
      return html`<${Stat} key=${name} label=${`${name} reserved`} value=${html`${text(total - free)} <small>of ${text(total)}</small>`} part=${total - free} total=${total} />`;
    })}</div>`}
    <nav class="tabs" aria-label="Kinds">${Object.entries(KINDS).map(([name, title]) => html`<a key=${name} href=${`/core/${name}`} aria-current=${kind === name ? 'page' : undefined}>${title}</a>`)}</nav>
    <div class="row"><label><span class="hidden">Search</span><input type="search" placeholder="Search" value=${query} onChange=${(/** @type {any} */ event) => { setQuery(event.target.value); }} /></label>
      ${['tasks', 'actors'].includes(kind) && html`<label><span class="hidden">State</span><select value=${state} onChange=${(/** @type {any} */ event) => setState(event.target.value)}><option value="">All states</option>${(kind === 'tasks' ? ['PENDING_ARGS', 'PENDING_SCHEDULING', 'RUNNING', 'FINISHED', 'FAILED'] : ['PENDING', 'ALIVE', 'RESTARTING', 'DEAD']).map((name) => html`<option key=${name}>${name}</option>`)}</select></label>`}
      <span class="spacer"></span><span class="muted num" role="status">${number(found)} found</span>
      <button type="button" disabled=${Number(offset) === 0} onClick=${() => setOffset(String(Math.max(0, Number(offset) - PAGE)))}>Previous</button><button type="button" disabled=${Number(offset) + PAGE >= found} onClick=${() => setOffset(String(Number(offset) + PAGE))}>Next</button></div>
    ${list.error && html`<${Problem}>${list.error.message}<//>`}
    ${list.data && rows.length === 0 ? html`<${Empty} title=${filters.size ? 'Nothing matches' : `No ${KINDS[kind].toLowerCase()}`}>${filters.size ? '' : 'Tasks and actors of deployments and programs appear here while they run, and a while afterwards.'}<//>`
      : html`<div class="card table" tabindex="0" role="region" aria-label=${KINDS[kind]}><table><caption class="hidden">${KINDS[kind]}</caption><thead><tr>${columns.map((name) => html`<th scope="col" key=${name} aria-sort=${by === name ? (sort.startsWith('-') ? 'descending' : 'ascending') : 'none'}><button type="button" onClick=${() => setSort(sort === name ? `-${name}` : name)}>${name.replaceAll('_', ' ')}<span aria-hidden="true">${by === name ? (sort.startsWith('-') ? '↓' : '↑') : ''}</span></button></th>`)}${session.can_change && ['tasks', 'actors'].includes(kind) && html`<th scope="col"><span class="hidden">Actions</span></th>`}</tr></thead>
        <tbody>${rows.map((/** @type {any} */ row) => html`<tr key=${row[IDS[kind]]}>${columns.map((name) => html`<td key=${name} title=${text(row[name])}>${STATES.includes(name) ? html`<${Status} status=${row[name]} />` : name.endsWith('_id') ? html`<code>${text(row[name])}</code>` : text(row[name])}</td>`)}
          ${session.can_change && kind === 'tasks' && html`<td>${/PENDING|RUNNING/.test(row.state) && html`<${Action} text="Cancel" isDanger title=${`Cancel ${row.name}?`} detail="Its token is canceled; who waits for its result receives an OperationCanceledException." act=${() => send(`/api/v1/tasks/${encodeURIComponent(row.task_id)}/cancel`, { method: 'POST', body: { force: false } })} done=${list.reload} />`}</td>`}
          ${session.can_change && kind === 'actors' && html`<td>${row.state !== 'DEAD' && html`<${Action} text="Kill" isDanger title=${`Kill ${row.class_name ?? row.name}?`} detail="Running and pending calls fail. It is not restarted." act=${() => send(`/api/v1/actors/${encodeURIComponent(row.actor_id)}/kill`, { method: 'POST', body: { no_restart: true } })} done=${list.reload} />`}</td>`}</tr>`)}</tbody></table></div>`}`;
}

/** @param {any} value */
function text(value) {
  return value == null ? '' : typeof value === 'object' ? JSON.stringify(value) : typeof value === 'number' && !Number.isInteger(value) ? number(value, 3) : String(value);
}

// @ts-check
import { html } from '../vendor/preact-htm.js';
import { Action, Empty, LiveState, Status, Table, useLive } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { duration, number } from '../lib/format.js';

/** Models of the Open Inference Protocol. @param {{ session: any }} props */
export default function Models({ session }) {
  const live = useLive(['models']);
  const topic = live?.topics.models;
  const rows = topic?.list() ?? [];
  const figure = (/** @type {string} */ name, /** @type {string} */ title, /** @type {(value: any) => any} */ text) => ({ name, title, end: true, value: (/** @type {any} */ row) => topic?.value(row, name), cell: (/** @type {any} */ row) => text(topic?.value(row, name)) });
  return html`<div class="head"><h1>Models</h1><span class="spacer"></span><${LiveState} live=${live} /></div>
    ${live?.state === 'live' && rows.length === 0 ? html`<${Empty} title="No model is deployed" command="serve deploy model.onnx">An ONNX file needs no code; it is served at /v2/models/NAME.<//>`
      : topic && html`<${Table} label="Models" rows=${rows} keyOf=${(/** @type {any} */ row) => row.n} sort="name" columns=${[
        { name: 'name', title: 'Model', value: (/** @type {any} */ row) => row.key, cell: (/** @type {any} */ row) => html`<a href=${`/applications/${encodeURIComponent(row.info.application ?? row.key)}`}>${row.key}</a>` },
        { name: 'state', title: 'State', value: (/** @type {any} */ row) => row.info.state, cell: (/** @type {any} */ row) => html`<${Status} status=${row.info.state} title=${row.info.reason} />` },
        figure('replicas_running', 'Replicas', number), figure('rps', 'Requests/s', (value) => number(value, 1)), figure('p50_ms', 'p50', duration), figure('p99_ms', 'p99', duration), figure('queued', 'Queued', number), figure('ongoing', 'Ongoing', number), figure('errors_per_s', 'Errors/s', (value) => number(value, 2)),
        { name: 'reason', title: 'Reason', value: (/** @type {any} */ row) => row.info.reason, cell: (/** @type {any} */ row) => html`<span title=${row.info.reason}>${row.info.reason}</span>` },
        { name: 'actions', title: '', cell: (/** @type {any} */ row) => html`<span class="row"><a href=${`/console?path=${encodeURIComponent(`/v2/models/${row.key}`)}`}>Try it</a>
          ${session.can_change && html`<${Action} text=${row.info.state === 'READY' ? 'Unload' : 'Load'} isDanger=${row.info.state === 'READY'} title=${`${row.info.state === 'READY' ? 'Unload' : 'Load'} ${row.key}?`} act=${() => send(`/api/v1/models/${encodeURIComponent(row.key)}/${row.info.state === 'READY' ? 'unload' : 'load'}`, { method: 'POST' })} />`}</span>` },
      ]} />`}`;
}

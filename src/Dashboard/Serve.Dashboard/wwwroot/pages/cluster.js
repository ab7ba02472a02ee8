// @ts-check
import { html } from '../vendor/preact-htm.js';
import { Action, LiveState, Status, useLive } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { age, moment, number, size } from '../lib/format.js';

/** Nodes. @param {{ session: any }} props */
export default function Cluster({ session }) {
  const live = useLive(['nodes']);
  const topic = live?.topics.nodes;
  const nodes = topic?.list() ?? [];
  return html`<div class="head"><h1>Cluster</h1><span class="spacer"></span><${LiveState} live=${live} /></div>
    ${nodes.length === 1 && html`<p class="muted">This cluster has one node.</p>`}
    ${topic && nodes.map((node) => html`<section class="card pad section" key=${node.key} aria-label=${node.key}><div class="row"><h2>${node.info.node_id}</h2><${Status} status=${node.info.phase} /><span class="spacer"></span>
      ${session.can_change && session.kind === 'node' && html`<${Action} text="Drain" isDanger title="Drain this node?" detail="It reports “not ready” to load balancers and keeps serving; stop it afterwards. This cannot be undone without a restart." act=${() => send('/api/v1/drain', { method: 'POST' })} />`}</div>
      <dl class="facts"><dt>Host</dt><dd>${node.info.host} · ${node.info.os}</dd><dt>Version</dt><dd>${node.info.version}</dd><dt>Process</dt><dd><a href=${`/?q=${node.info.pid}`}>${node.info.pid}</a></dd><dt>Started</dt><dd>${moment(node.info.start_time_s)} (${age(node.info.start_time_s)})</dd>
        ${node.info.gateway_address && html`<dt>Gateway</dt><dd><code>${node.info.gateway_address}</code></dd>`}${node.info.admin_address && html`<dt>Admin</dt><dd><code>${node.info.admin_address}</code></dd>`}${node.info.state_dir && html`<dt>State directory</dt><dd><code>${node.info.state_dir}</code></dd>`}
        <dt>Machine</dt><dd>${node.info.cpus} cores, ${size(node.info.memory_total_mib)} memory, ${size(node.info.disk_total_mib)} disk${(node.info.gpus ?? []).map((/** @type {any} */ gpu) => `, ${gpu.name}`)}</dd>
        <dt>Reserved</dt><dd>${number(topic.value(node, 'resources_reserved_cpu'), 2)} of ${number(node.info.resources_total?.CPU, 2)} CPUs${topic.value(node, 'resources_reserved_gpu') != null && node.info.resources_total?.GPU ? `, ${number(topic.value(node, 'resources_reserved_gpu'), 2)} of ${number(node.info.resources_total.GPU, 2)} GPUs` : ''}</dd></dl></section>`)}`;
}

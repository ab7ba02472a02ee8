// @ts-check
import { html, useState } from '../vendor/preact-htm.js';
import { Problem, useQuery } from '../lib/ui.js';
import { send } from '../lib/api.js';
import { duration } from '../lib/format.js';

/** Sends a request to an application or model of this node. @param {{ session: any }} props */
export default function Console({ session }) {
  const [path, setPath] = useQuery('path', '/');
  const [method, setMethod] = useQuery('method', 'GET');
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setError('');
    try {
      const body = String(form.get('body') ?? '');
      setAnswer(await send('/api/v1/console', { method: 'POST', body: { method, path: String(form.get('path')), headers: body ? { 'content-type': String(form.get('type')) } : {}, body: body || undefined } }));
    } catch (failure) {
      setAnswer(null);
      setError(failure instanceof Error ? failure.message : String(failure));
    }
    setBusy(false);
  };
  return html`<div class="head"><h1>Console</h1></div><p class="muted">Sends a request to an application or a model of this node.</p>
    <form class="card pad section" onSubmit=${submit}><div class="row"><label>Method<select value=${method} onChange=${(/** @type {any} */ event) => setMethod(event.target.value)}>${['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'].map((name) => html`<option key=${name}>${name}</option>`)}</select></label>
      <label class="wide">Path<input name="path" required size="48" value=${path} onChange=${(/** @type {any} */ event) => setPath(event.target.value)} /></label>
      <label>Content type<input name="type" value="application/json" /></label></div>
      ${!['GET', 'HEAD'].includes(method) && html`<label>Body<textarea name="body" spellcheck="false"></textarea></label>`}
      <div class="row"><button class="primary" disabled=${isBusy || !session.can_change}>${isBusy ? 'Sending…' : 'Send'}</button>${!session.can_change && html`<span class="muted">The dashboard is read-only.</span>`}</div></form>
    ${error && html`<${Problem}>${error}<//>`}
    ${answer && html`<section class="section" aria-label="Response"><div class="row"><h2>Response</h2><span class=${`pill ${answer.status < 400 ? 'good' : answer.status < 500 ? 'warn' : 'bad'}`}>${answer.status}</span><span class="muted">${duration(answer.elapsed_ms)}</span></div>
      <div class="card pad"><pre>${pretty(answer)}</pre></div><div class="card pad"><dl class="facts">${Object.entries(answer.headers ?? {}).map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl></div></section>`}`;
}

/** @param {any} answer */
function pretty(answer) {
  if (answer.body == null)
    return answer.body_base64 ? `${answer.body_base64.length * 0.75 | 0} bytes that are not text` : '(no body)';
  try {
    return JSON.stringify(JSON.parse(answer.body), null, 2);
  } catch {
    return answer.body + (answer.is_truncated ? '\n… (cut at 1 MiB)' : '');
  }
}

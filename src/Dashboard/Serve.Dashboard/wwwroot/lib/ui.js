// @ts-check
/** Elements that several pages share. */
import { html, useEffect, useMemo, useRef, useState } from '../vendor/preact-htm.js';
import { Live } from './live.js';
import { send } from './api.js';
import { words } from './format.js';

/** @param {string} path */
export function go(path, replace = false) {
  if (replace)
    history.replaceState(null, '', path);
  else
    history.pushState(null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** The value of a query parameter, and a function that changes it. The address is the state. @param {string} name @param {string} [otherwise] @returns {[string, (value: string) => void]} */
export function useQuery(name, otherwise = '') {
  const value = new URLSearchParams(location.search).get(name) ?? otherwise;
  return [value, (next) => {
    const query = new URLSearchParams(location.search);
    if (next === otherwise)
      query.delete(name);
    else
      query.set(name, next);
    const text = query.toString();
    go(location.pathname + (text ? `?${text}` : ''), true);
  }];
}

/** Live topics; draws again after each change. @param {string[]} names @returns {Live | null} */
export function useLive(names) {
  const [, draw] = useState(0);
  const [live, setLive] = useState(/** @type {Live | null} */ (null));
  useEffect(() => {
    const opened = new Live(names, () => requestAnimationFrame(() => draw((count) => count + 1)));
    setLive(opened);
    return () => opened.close();
  }, [names.join()]);
  return live;
}

/** A document that is fetched again each `seconds`. @param {string | null} path @param {number} [seconds] @returns {{ data: any, error: Error | null, reload: () => void }} */
export function useFetch(path, seconds = 0) {
  const [state, setState] = useState({ path: /** @type {string | null} */ (null), data: /** @type {any} */ (null), error: /** @type {Error | null} */ (null) });
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!path)
      return undefined;
    const abort = new AbortController();
    let timer = 0;
    const load = async () => {
      try {
        const data = await send(path, { signal: abort.signal });
        setState({ path, data, error: null });
      } catch (failure) {
        if (!abort.signal.aborted)
          setState((last) => ({ path, data: last.path === path ? last.data : null, error: /** @type {Error} */ (failure) }));
      }
      if (seconds > 0 && !abort.signal.aborted)
        timer = setTimeout(load, seconds * 1000);
    };
    load();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, seconds, round]);
  return { data: state.path === path ? state.data : null, error: state.error, reload: () => setRound((count) => count + 1) };
}

/** Connection state of a page. @param {{ live: Live | null }} props */
export function LiveState({ live }) {
  const state = live?.state ?? 'connecting';
  const text = state === 'live' ? 'Live' : state === 'lost' ? 'Connection lost, retrying' : 'Connecting';
  return html`<span class="row muted" role="status"><i class="dot ${state === 'live' ? '' : state}"></i>${text}</span>`;
}

/** @param {{ children?: any }} props */
export function Problem({ children }) {
  return html`<div class="notice bad" role="alert">${children}</div>`;
}

/** A state that teaches. @param {{ title: string, command?: string, children?: any }} props */
export function Empty({ title, command, children }) {
  return html`<div class="card empty"><strong>${title}</strong>${children && html`<p>${children}</p>`}${command && html`<code>${command}</code>`}</div>`;
}

const TONES = {
  good: ['RUNNING', 'HEALTHY', 'READY', 'ALIVE', 'FINISHED', 'CREATED', 'SUCCESSFUL', 'ACTIVE'],
  warn: ['DEPLOYING', 'STARTING', 'UPDATING', 'UPSCALING', 'DOWNSCALING', 'RECOVERING', 'RESTARTING', 'PENDING', 'DRAINING', 'STOPPING', 'DELETING', 'RESCHEDULING', 'LOADING', 'BLOCKED'],
  bad: ['DEPLOY_FAILED', 'UNHEALTHY', 'FAILED', 'DEAD', 'EXITED', 'UNAVAILABLE', 'CANCELED'],
};

/** A status with its colour; the word says the same. @param {{ status: string, title?: string }} props */
export function Status({ status, title }) {
  const upper = String(status ?? '').toUpperCase();
  const tone = Object.entries(TONES).find(([, known]) => known.includes(upper))?.[0] ?? (upper.startsWith('PENDING') ? 'warn' : '');
  return html`<span class="pill ${tone}" title=${title ?? ''}>${words(status)}</span>`;
}

/** @param {{ values: number[], label: string, max?: number }} props */
export function Spark({ values, label, max }) {
  if (values.length < 2)
    return html`<svg class="spark" aria-hidden="true"></svg>`;
  const top = Math.max(max ?? 0, ...values, 1e-9);
  const points = values.map((value, i) => `${((i / 59) * 100 + (60 - values.length) / 59 * 100).toFixed(1)} ${(21 - (value / top) * 19).toFixed(1)}`);
  return html`<svg class="spark" viewBox="0 0 100 22" preserveAspectRatio="none" role="img" aria-label=${label}><path d=${`M${points.join('L')}`} /></svg>`;
}

/** A number with its share of a total. @param {{ label: string, value: any, part?: number | null, total?: number | null, children?: any }} props */
export function Stat({ label, value, part, total, children }) {
  const share = part != null && total ? Math.min(1, part / total) : null;
  const bar = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (bar.current && share != null)
      bar.current.style.width = `${(share * 100).toFixed(1)}%`;
  });
  return html`<div class="card stat"><span class="label">${label}</span><span class="value">${value}</span>
    ${share != null && html`<div class="bar" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(share * 100)}><i ref=${bar} class=${share > 0.95 ? 'full' : share > 0.8 ? 'high' : ''}></i></div>`}
    ${children}</div>`;
}

/**
 * A table that is sorted by its columns and draws only the rows in view. The sort order is part of the address.
 * @typedef {{ name: string, title: string, value?: (row: any) => any, cell?: (row: any) => any, end?: boolean, hidden?: boolean }} Column
 * @param {{ rows: any[], columns: Column[], keyOf: (row: any) => any, sort?: string, label: string, rowClass?: (row: any) => string }} props
 */
export function Table({ rows, columns, keyOf, sort = '', label, rowClass }) {
  const shown = columns.filter((column) => !column.hidden);
  const [order, setOrder] = useQuery('sort', sort);
  const [scroll, setScroll] = useState({ top: 0, height: 760 });
  const isDescending = order.startsWith('-');
  const by = shown.find((column) => column.name === order.replace('-', ''));
  const sorted = useMemo(() => {
    if (!by)
      return rows;
    const value = by.value ?? ((row) => row[by.name]);
    return [...rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const compared = x == null ? (y == null ? 0 : -1) : y == null ? 1 : typeof x === 'number' ? x - y : String(x).localeCompare(String(y), 'en', { numeric: true });
      return isDescending ? -compared : compared;
    });
  }, [rows, order]);
  const height = 37;
  const first = sorted.length > 200 ? Math.max(0, Math.floor(scroll.top / height) - 10) : 0;
  const last = sorted.length > 200 ? Math.min(sorted.length, first + Math.ceil(scroll.height / height) + 20) : sorted.length;
  const filler = (/** @type {number} */ count) => count > 0 && html`<tr class="filler" aria-hidden="true"><td colspan=${shown.length} ref=${(/** @type {any} */ cell) => cell && (cell.style.height = `${count * height}px`)}></td></tr>`;
  return html`<div class="card table" tabindex="0" role="region" aria-label=${label}
      onScroll=${(/** @type {any} */ event) => sorted.length > 200 && setScroll({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}>
    <table aria-rowcount=${sorted.length + 1}>
      <caption class="hidden">${label}</caption>
      <thead><tr aria-rowindex="1">${shown.map((column) => html`<th scope="col" key=${column.name} class=${column.end ? 'end' : ''} aria-sort=${by === column ? (isDescending ? 'descending' : 'ascending') : 'none'}>
        ${column.title ? html`<button type="button" onClick=${() => setOrder(order === column.name ? `-${column.name}` : order === `-${column.name}` ? column.name : column.end ? `-${column.name}` : column.name)}>${column.title}<span aria-hidden="true">${by === column ? (isDescending ? '↓' : '↑') : ''}</span></button>` : html`<span class="hidden">Actions</span>`}</th>`)}</tr></thead>
      <tbody>${filler(first)}${sorted.slice(first, last).map((row, i) => html`<tr key=${keyOf(row)} aria-rowindex=${first + i + 2} class=${rowClass?.(row) ?? ''}>${shown.map((column) => html`<td key=${column.name} class=${column.end ? 'end' : ''}>${column.cell ? column.cell(row) : column.value ? column.value(row) : row[column.name]}</td>`)}</tr>`)}${filler(sorted.length - last)}</tbody>
    </table></div>`;
}

/**
 * A button that asks before it acts, and shows why it failed.
 * @param {{ text: string, title: string, detail?: any, act: (form: FormData) => Promise<any>, isDanger?: boolean, fields?: any, done?: () => void }} props
 */
export function Action({ text, title, detail, act, isDanger, fields, done }) {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const [state, setState] = useState({ isBusy: false, error: '' });
  const run = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setState({ isBusy: true, error: '' });
    try {
      await act(new FormData(/** @type {HTMLFormElement} */ (event.currentTarget)));
      setState({ isBusy: false, error: '' });
      dialog.current?.close();
      done?.();
    } catch (failure) {
      setState({ isBusy: false, error: failure instanceof Error ? failure.message : String(failure) });
    }
  };
  return html`<button type="button" class=${isDanger ? 'danger' : ''} onClick=${() => dialog.current?.showModal()}>${text}</button>
    <dialog ref=${dialog} aria-label=${title}><form method="dialog" onSubmit=${run}>
      <h2>${title}</h2>${detail && html`<p class="muted">${detail}</p>`}${fields}
      ${state.error && html`<${Problem}>${state.error}<//>`}
      <div class="row"><span class="spacer"></span><button type="button" onClick=${() => dialog.current?.close()}>Cancel</button>
      <button class=${isDanger ? 'primary danger' : 'primary'} disabled=${state.isBusy}>${state.isBusy ? 'Working…' : text}</button></div>
    </form></dialog>`;
}

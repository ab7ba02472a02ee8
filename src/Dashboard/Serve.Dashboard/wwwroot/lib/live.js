// @ts-check
/** Live tables of the node: a snapshot, then changes once a second by server-sent events. */
import { send } from './api.js';

/** @typedef {{ n: number, key: string, info: Record<string, any>, values: (number | null)[], history: Float32Array[], at: number }} Row */

const HISTORY = 60;
const RETRY_MS = 2000;

/** Rows of one topic, and the last minute of their values for spark lines. */
export class Topic {
  constructor() {
    /** @type {string[]} */
    this.columns = [];
    /** @type {Map<number, Row>} */
    this.rows = new Map();
    this.version = 0;
  }

  /** @param {Row} row @param {string} column @returns {number | null} */
  value(row, column) {
    const index = this.columns.indexOf(column);
    return index < 0 ? null : row.values[index];
  }

  /** @returns {Row[]} */
  list() {
    return [...this.rows.values()];
  }

  /** @param {string} key @returns {Row | undefined} */
  find(key) {
    for (const row of this.rows.values()) {
      if (row.key === key)
        return row;
    }
    return undefined;
  }

  /** Values of the last minute, oldest first. @param {Row} row @param {string} column @returns {number[]} */
  past(row, column) {
    const ring = row.history[this.columns.indexOf(column)];
    return ring ? Array.from({ length: HISTORY }, (_, i) => ring[(row.at + i) % HISTORY]).filter((value) => !Number.isNaN(value)) : [];
  }

  /** @param {any} row */
  add(row) {
    this.rows.set(row.n, { ...row, history: this.columns.map(() => new Float32Array(HISTORY).fill(NaN)), at: 0 });
  }

  /** Appends the current values to the spark lines. */
  tick() {
    for (const row of this.rows.values()) {
      for (let i = 0; i < row.history.length; i++)
        row.history[i][row.at] = row.values[i] ?? NaN;
      row.at = (row.at + 1) % HISTORY;
    }
  }
}

/** A subscription to topics; calls back after each change. */
export class Live {
  /** @param {string[]} topics @param {() => void} changed */
  constructor(topics, changed) {
    this.names = topics;
    this.changed = changed;
    /** @type {Record<string, Topic>} */
    this.topics = Object.fromEntries(topics.map((name) => [name, new Topic()]));
    /** @type {'connecting' | 'live' | 'lost'} */
    this.state = 'connecting';
    this.error = '';
    this.isClosed = false;
    /** @type {EventSource | null} */
    this.source = null;
    this.timer = 0;
    this.open();
  }

  async open() {
    const query = `topics=${this.names.join(',')}`;
    try {
      const snapshot = await send(`/api/v1/snapshot?${query}`);
      if (this.isClosed)
        return;
      for (const name of this.names) {
        const topic = this.topics[name];
        const { columns, rows } = snapshot.topics[name];
        topic.columns = columns;
        topic.rows.clear();
        for (const row of rows)
          topic.add(row);
        topic.tick();
      }
      this.listen(`/api/v1/events?${query}&since=${encodeURIComponent(snapshot.version)}`);
      this.set('live');
    } catch (failure) {
      this.error = failure instanceof Error ? failure.message : String(failure);
      this.retry();
    }
  }

  /** @param {string} url */
  listen(url) {
    const source = new EventSource(url);
    this.source = source;
    for (const name of this.names)
      source.addEventListener(name, (event) => this.apply(this.topics[name], JSON.parse(event.data)));
    source.addEventListener('tick', () => {
      for (const name of this.names)
        this.topics[name].tick();
      this.set('live');
    });
    source.addEventListener('reset', () => {
      source.close();
      this.open();
    });
    source.addEventListener('error', () => {
      source.close();
      this.retry();
    });
  }

  /** @param {Topic} topic @param {any} change */
  apply(topic, change) {
    for (const n of change.removed ?? [])
      topic.rows.delete(n);
    for (const row of change.added ?? [])
      topic.add(row);
    for (const [n, ...values] of change.rows ?? []) {
      const row = topic.rows.get(n);
      if (row)
        row.values = values;
    }
    for (const [n, info] of change.info ?? []) {
      const row = topic.rows.get(n);
      if (row)
        row.info = info;
    }
    topic.version++;
  }

  retry() {
    if (this.isClosed)
      return;
    this.set('lost');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), RETRY_MS);
  }

  /** @param {'connecting' | 'live' | 'lost'} state */
  set(state) {
    this.state = state;
    this.changed();
  }

  close() {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.source?.close();
  }
}

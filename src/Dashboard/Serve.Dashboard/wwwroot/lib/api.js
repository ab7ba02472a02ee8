// @ts-check
/** Requests to the node that serves this page. */

/** An answer with an error status: `status`, and `reason` and `detail` of its problem document. */
export class ApiError extends Error {
  /** @param {number} status @param {string} reason @param {string} detail */
  constructor(status, reason, detail) {
    super(detail);
    this.status = status;
    this.reason = reason;
  }
}

/** Called when the node answers 401. @type {() => void} */
let onSignedOut = () => {};

/** @param {() => void} callback */
export function whenSignedOut(callback) {
  onSignedOut = callback;
}

/**
 * Sends a request and returns its JSON; undefined for an empty answer.
 * @param {string} path
 * @param {{ method?: string, body?: unknown, signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
export async function send(path, { method = 'GET', body, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { Accept: 'application/json' };
  if (method !== 'GET')
    headers['Serve-Dashboard'] = '1';
  if (body !== undefined)
    headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (failure) {
    if (signal?.aborted)
      throw failure;
    throw new ApiError(0, 'unreachable', 'The node does not answer. It may have stopped: run “serve status”, or start it again.');
  }
  const text = await response.text();
  if (response.ok)
    return text ? JSON.parse(text) : undefined;
  let problem = {};
  try {
    problem = JSON.parse(text);
  } catch {
    // Not a problem document; the status suffices.
  }
  if (response.status === 401 && !path.endsWith('/session'))
    onSignedOut();
  throw new ApiError(response.status, problem.reason ?? '', problem.detail ?? `The node answered with status ${response.status}.`);
}

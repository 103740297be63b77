/** Plain requests to the API server, authenticated by a client certificate. */
import { readFile } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { CertificateFiles } from './certificates.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, e.g. `/api/v1/nodes?limit=1`. */
  readonly path: string;
  readonly body?: unknown;
  /** `application/json` when absent. */
  readonly contentType?: string;
}

export interface ApiResponse {
  readonly status: number;
  /** Parsed JSON, or the text where the answer is not JSON. */
  readonly body: unknown;
}

/** Sends one request. Any HTTP status is an answer; only a failing connection rejects. */
export type SendApiRequest = (request: ApiRequest) => Promise<ApiResponse>;

const REQUEST_TIMEOUT_MS = 10_000;

export interface ApiAccess {
  readonly server: string;
  readonly authorityCertificatePath: string;
  readonly certificate: CertificateFiles;
}

export async function createApiRequests(access: ApiAccess): Promise<SendApiRequest> {
  // One connection per request: an idle one would keep the caller's process from ending.
  const agent = new Agent({
    keepAlive: false,
    ca: await readFile(access.authorityCertificatePath),
    cert: await readFile(access.certificate.certificatePath),
    key: await readFile(access.certificate.keyPath),
  });
  return async (request) => send({ agent, server: access.server, request });
}

async function send(call: {
  readonly agent: Agent;
  readonly server: string;
  readonly request: ApiRequest;
}): Promise<ApiResponse> {
  const { method, path, body, contentType = 'application/json' } = call.request;
  const payload = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(new URL(path, call.server), {
      method,
      agent: call.agent,
      timeout: REQUEST_TIMEOUT_MS,
      headers: {
        'user-agent': 'holdfast-sandbox',
        accept: 'application/json',
        ...(payload === undefined ? {} : { 'content-type': contentType }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} timed out`)));
    outgoing.on('response', (incoming) => {
      text(incoming).then(
        (received) => resolve({ status: incoming.statusCode ?? 0, body: parseBody(received) }),
        reject,
      );
    });
    outgoing.end(payload);
  });
}

function parseBody(received: string): unknown {
  try {
    return JSON.parse(received);
  } catch {
    return received;
  }
}

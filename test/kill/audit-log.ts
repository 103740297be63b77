import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One completed write of a worker, as the API server itself recorded it. */
export interface AuditedWrite {
  auditId: string;
  namespace: string;
  verb: string;
  /** Path without the namespace, e.g. `apps/v1/deployments/shop`. */
  object: string;
  /** `<workflow id>; <activity type>; <activity id>` from the user agent. */
  step: string;
  activityType: string;
  status: number;
}

interface AuditEvent {
  auditID: string;
  stage: string;
  verb: string;
  userAgent?: string;
  requestURI: string;
  objectRef?: {
    namespace?: string;
    resource?: string;
    name?: string;
    apiGroup?: string;
    apiVersion?: string;
    subresource?: string;
  };
  responseStatus: { code: number };
  responseObject?: { metadata?: { name?: string } };
}

const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const agentPattern = /^holdfast\/\S+ \((?<step>[^)]*)\)$/;

/** A finished request that the server stored or refused: not a dry run. */
const isStored = (event: AuditEvent): boolean =>
  event.stage === 'ResponseComplete' &&
  writing.has(event.verb) &&
  !event.requestURI.includes('dryRun=');

const objectOf = (event: AuditEvent): string => {
  const { apiGroup, apiVersion, resource, name, subresource } = event.objectRef ?? {};
  const named = name ?? event.responseObject?.metadata?.name ?? '(unnamed)';
  return [apiGroup, apiVersion, resource, named, subresource]
    .filter((part) => part !== undefined && part !== '')
    .join('/');
};

const activityTypeOf = (step: string): string => step.split('; ')[1] ?? '';

const asWrite = (event: AuditEvent): AuditedWrite | undefined => {
  const step = agentPattern.exec(event.userAgent ?? '')?.groups?.['step'];
  const namespace = event.objectRef?.namespace;
  if (step === undefined || namespace === undefined || !isStored(event)) return undefined;
  return {
    auditId: event.auditID,
    namespace,
    verb: event.verb,
    object: objectOf(event),
    step,
    activityType: activityTypeOf(step),
    status: event.responseStatus.code,
  };
};

async function* eventsOf(auditLogPath: string, namespace: string): AsyncGenerator<AuditEvent> {
  const lines = createInterface({ input: createReadStream(auditLogPath) });
  for await (const line of lines) {
    if (line.includes(`"namespace":"${namespace}"`)) yield JSON.parse(line) as AuditEvent;
  }
}

/** Components of the cluster itself, and the tests' own reader. */
const knownWriters = /^(kube-|etcd|kwok|kubelet|traefik|kubectl|holdfast-checker)/;

/** Writes to a namespace by a client that neither says which step it is nor is part of the cluster. */
export const readUnsignedWrites = async (
  auditLogPath: string,
  namespace: string,
): Promise<string[]> => {
  const found: string[] = [];
  for await (const event of eventsOf(auditLogPath, namespace)) {
    const agent = event.userAgent ?? '';
    if (isStored(event) && !knownWriters.test(agent) && !agentPattern.test(agent)) {
      found.push(`${agent}: ${event.verb} ${event.requestURI}`);
    }
  }
  return found;
};

/** All writes that workers of the product sent to one namespace, in the server's order. */
export const readWrites = async (
  auditLogPath: string,
  namespace: string,
): Promise<AuditedWrite[]> => {
  const writes: AuditedWrite[] = [];
  for await (const event of eventsOf(auditLogPath, namespace)) {
    const write = asWrite(event);
    if (write?.namespace === namespace) writes.push(write);
  }
  return writes;
};

export const tookEffect = (write: AuditedWrite): boolean =>
  write.status >= 200 && write.status < 300;

/** Steps whose writes to one object took effect more than once: there must be none. */
export const repeatedEffects = (writes: AuditedWrite[]): string[] => {
  const counts = new Map<string, number>();
  for (const write of writes.filter(tookEffect)) {
    const key = `${write.step}: ${write.verb} ${write.object}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([key, count]) => `${key} ×${String(count)}`);
};

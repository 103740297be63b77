import { createReadStream } from 'node:fs';

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

/** Components of the cluster itself, and the tests' own reader. */
const knownWriters = /^(kube-|etcd|kwok|kubelet|traefik|kubectl|holdfast-checker)/;

const isUnsigned = (event: AuditEvent): boolean => {
  const agent = event.userAgent ?? '';
  return isStored(event) && !knownWriters.test(agent) && !agentPattern.test(agent);
};

/** Reads a growing audit log once, however often it is asked. */
export interface AuditLog {
  /** Writes that workers of the product sent to the namespace, in the server's order. */
  writesIn(namespace: string): Promise<AuditedWrite[]>;
  /** Writes by a client that neither says which step it is nor is part of the cluster. */
  unsignedWritesIn(namespace: string): Promise<string[]>;
}

export const openAuditLog = (filePath: string): AuditLog => {
  const writes = new Map<string, AuditedWrite[]>();
  const unsigned = new Map<string, string[]>();
  let offset = 0;
  let reading: Promise<void> = Promise.resolve();

  const take = (line: string): void => {
    const event = JSON.parse(line) as AuditEvent;
    const namespace = event.objectRef?.namespace;
    if (namespace === undefined) return;
    const write = asWrite(event);
    if (write !== undefined) addTo(writes, namespace, write);
    if (isUnsigned(event)) {
      addTo(unsigned, namespace, `${event.userAgent ?? ''}: ${event.verb} ${event.requestURI}`);
    }
  };
  const readOn = async (): Promise<void> => {
    const bytes = await bytesFrom(filePath, offset);
    const end = bytes.lastIndexOf(newline) + 1;
    offset += end;
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      if (line !== '') take(line);
    }
  };
  // One reader at a time; a second one would take the same lines again.
  const refresh = (): Promise<void> => {
    reading = reading.then(readOn);
    return reading;
  };
  return {
    writesIn: async (namespace) => {
      await refresh();
      return [...(writes.get(namespace) ?? [])];
    },
    unsignedWritesIn: async (namespace) => {
      await refresh();
      return [...(unsigned.get(namespace) ?? [])];
    },
  };
};

const newline = 0x0a;

const addTo = <T>(all: Map<string, T[]>, key: string, value: T): void => {
  all.set(key, [...(all.get(key) ?? []), value]);
};

const bytesFrom = async (filePath: string, offset: number): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(filePath, { start: offset })) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
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

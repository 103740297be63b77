import { readFile } from 'node:fs/promises';

interface AuditEvent {
  verb: string;
  stage: string;
  requestURI: string;
  responseStatus?: { code?: number };
  objectRef?: { namespace?: string };
  responseObject?: { kind?: string; metadata?: { name?: string } };
}

/** An object as the API server answered it to one write. */
export interface AuditedObject {
  /** `Deployment/shop`. */
  name: string;
  verb: string;
  object: Record<string, unknown>;
}

const stores = ({ verb, stage, requestURI, responseStatus }: AuditEvent): boolean =>
  ['create', 'update', 'patch'].includes(verb) &&
  stage === 'ResponseComplete' &&
  !requestURI.includes('dryRun=') &&
  (responseStatus?.code ?? 500) < 300;

/** Every stored write to a namespace in order, read from the audit log of the API server. */
export const readAuditedObjects = async (
  auditLogPath: string,
  namespace: string,
): Promise<AuditedObject[]> => {
  const lines = (await readFile(auditLogPath, 'utf8')).split('\n');
  return lines
    .filter((line) => line.includes(`"namespace":"${namespace}"`))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.objectRef?.namespace === namespace && stores(event))
    .flatMap(({ verb, responseObject }) => {
      const { kind = '', metadata = {} } = responseObject ?? {};
      if (responseObject === undefined || kind === 'Namespace') return [];
      const object = responseObject as Record<string, unknown>;
      return [{ name: `${kind}/${metadata.name ?? ''}`, verb, object }];
    });
};

/** Bookkeeping of the server and of the writer, which no plan lists. */
const bookkeeping = [
  'holdfast.dev/',
  'deployment.kubernetes.io/',
  'deprecated.daemonset.template.generation',
];

export const withoutBookkeeping = (object: Record<string, unknown>): Record<string, unknown> => {
  const { status: _status, ...rest } = structuredClone(object);
  const metadata = rest['metadata'] as Record<string, unknown>;
  for (const field of ['resourceVersion', 'generation', 'managedFields']) {
    Reflect.deleteProperty(metadata, field);
  }
  const marks = Object.entries((metadata['annotations'] ?? {}) as Record<string, string>).filter(
    ([name]) => !bookkeeping.some((start) => name.startsWith(start)),
  );
  if (marks.length === 0) Reflect.deleteProperty(metadata, 'annotations');
  else metadata['annotations'] = Object.fromEntries(marks);
  return rest;
};

const stepsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

type Branch = Record<string, unknown>;

export const readPointer = (object: unknown, pointer: string): unknown =>
  stepsOf(pointer).reduce<unknown>((value, step) => (value as Branch | undefined)?.[step], object);

/** Carries the value at a pointer over from one object to another, or its absence. */
export const carryOver = (from: unknown, to: unknown, pointer: string): void => {
  const steps = stepsOf(pointer);
  const last = steps.pop() ?? '';
  const parent = steps.reduce<unknown>((value, step) => (value as Branch)[step], to) as Branch;
  const value = readPointer(from, pointer);
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = structuredClone(value);
};

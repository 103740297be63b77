import { createHash } from 'node:crypto';
import { copyJson, isRecord } from '../../domain/delivery/canonical-json.ts';
import { withHashedConfig, type HashedConfig } from '../../domain/delivery/config-hash-names.ts';
import type { KubernetesObject } from '../../domain/delivery/kubernetes-object.ts';
import { decodeManifestSet, type ManifestSet } from '../../domain/delivery/manifest-set.ts';
import { problemsOf } from '../../domain/delivery/manifest-validation.ts';
import { codedFailure } from '../coded-failure.ts';
import type { Blobs } from './stored-plans.ts';

export const hexDigest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What tools print into manifests and the API server fills in by itself. */
const serverFields = [
  'uid',
  'resourceVersion',
  'generation',
  'managedFields',
  'creationTimestamp',
  'selfLink',
];

/** `stringData` is only a way to write `data`; in `data` it can be compared and removed. */
const encodeStringData = (secret: KubernetesObject): void => {
  const { stringData, data } = secret;
  if (!isRecord(stringData)) return;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  secret['data'] = { ...(isRecord(data) ? data : {}), ...Object.fromEntries(encoded) };
  Reflect.deleteProperty(secret, 'stringData');
};

const cleaned = (object: KubernetesObject): KubernetesObject => {
  const copy = copyJson(object);
  Reflect.deleteProperty(copy, 'status');
  for (const field of serverFields) Reflect.deleteProperty(copy.metadata, field);
  if (copy.kind === 'Secret') encodeStringData(copy);
  return copy;
};

const decode = (bytes: Uint8Array, digest: string): ManifestSet => {
  try {
    return decodeManifestSet(new TextDecoder().decode(bytes));
  } catch (error) {
    throw codedFailure(
      {
        code: 'MANIFEST_INVALID',
        message: `Blob ${digest} is no manifest set; nothing was touched.`,
        subject: digest,
      },
      { cause: error },
    );
  }
};

/** All problems in one error: the reader corrects them in one go. */
const refuseProblems = (set: ManifestSet, namespace: string): void => {
  const problems = problemsOf(set, namespace);
  const [first] = problems;
  if (first === undefined) return;
  const lines = problems.map(({ object, field, message }) =>
    [`${object}${field === '' ? '' : ` ${field}`}`, message].join(': '),
  );
  throw codedFailure({
    code: first.code,
    message: `${lines.join('; ')}. Nothing was touched.`,
    subject: first.object,
  });
};

/** The objects of a set, checked, with names by content for what pods read. */
export const loadManifests = async (
  blobs: Blobs,
  digest: string,
  namespace: string,
): Promise<HashedConfig> => {
  const set = decode(await blobs.get(digest), digest);
  refuseProblems(set, namespace);
  return withHashedConfig(set.objects.map(cleaned), hexDigest);
};

/** The objects of a set that was checked when it was released. */
export const loadRecordedManifests = async (
  blobs: Blobs,
  digest: string,
): Promise<KubernetesObject[]> => {
  const set = decode(await blobs.get(digest), digest);
  return withHashedConfig(set.objects.map(cleaned), hexDigest).objects;
};

/** What `kubectl apply` recorded; undefined where it is no object. */
export const parseLastApplied = (text: string): KubernetesObject | undefined => {
  const [object] = decodeManifestSet(`{"objects":[${text}]}`).objects;
  return object === undefined ? undefined : cleaned(object);
};

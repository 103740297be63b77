import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { describeRef, type KubernetesObject } from '../../../domain/delivery/kubernetes-object.ts';
import {
  displayPath,
  invalidFile,
  parseYaml,
  type YamlDocument,
  type YamlText,
} from './yaml-source.ts';

/** Where manifests are read from. */
export interface ManifestSource {
  /** Files, directories or `-` for standard input, relative to `directory`. */
  paths: readonly string[];
  /** No path may lead out of this directory. */
  directory: string;
  /** Text of standard input; only asked for if a path is `-`. */
  readStdin?: () => Promise<string>;
}

const manifestFile = /\.(ya?ml|json)$/;
const templateTools: Readonly<Record<string, string>> = {
  'kustomization.yaml': 'kubectl kustomize DIR',
  'kustomization.yml': 'kubectl kustomize DIR',
  'Chart.yaml': 'helm template DIR',
};

/** More than this is a mistake in the path, not a service. */
const maxManifestBytes = 8 * 1024 * 1024;

/**
 * Reads ordinary Kubernetes manifests: files with any number of documents, `List`
 * objects, and directories with everything below them.
 *
 * @throws MANIFEST_INVALID naming file, line and column; INVALID_INPUT for a path that is
 * missing, empty or outside of its directory
 */
export const readManifests = async (source: ManifestSource): Promise<KubernetesObject[]> => {
  const texts: YamlText[] = [];
  for (const entry of source.paths) texts.push(...(await textsOf(entry, source)));
  const bytes = texts.reduce((total, { text }) => total + text.length, 0);
  if (bytes > maxManifestBytes) {
    throw badPath(
      source.directory,
      `the manifests are larger than ${String(maxManifestBytes)} bytes`,
    );
  }
  const located = texts.flatMap((text) =>
    parseYaml(text, { dialect: 'kubernetes', code: 'MANIFEST_INVALID' }).flatMap(objectsOf),
  );
  if (located.length === 0) throw badPath(source.paths.join(', '), 'there is no manifest in it');
  refuseDuplicates(located);
  return located.map(({ object }) => object);
};

const textsOf = async (entry: string, source: ManifestSource): Promise<YamlText[]> => {
  if (entry === '-') {
    if (source.readStdin === undefined) throw badPath('-', 'there is no standard input here');
    return [{ name: '<stdin>', text: await source.readStdin() }];
  }
  const root = await realpath(source.directory);
  const start = await insideOf(root, path.resolve(source.directory, entry), entry);
  const files = (await stat(start)).isDirectory() ? await filesBelow(start) : [start];
  if (files.length === 0) throw badPath(entry, 'no .yaml, .yml or .json file is in this directory');
  const texts: YamlText[] = [];
  for (const file of files) {
    const real = await insideOf(root, file, entry);
    const name = displayPath(
      path.resolve(source.directory, path.relative(root, file)),
      process.cwd(),
    );
    texts.push({ name, text: await readFile(real, 'utf8') });
  }
  return texts;
};

/** The real path, which must be inside of `root` also behind symbolic links. */
const insideOf = async (root: string, candidate: string, entry: string): Promise<string> => {
  let real: string;
  try {
    real = await realpath(candidate);
  } catch {
    throw badPath(entry, 'there is no such file or directory');
  }
  const relative = path.relative(root, real);
  if (relative.startsWith('..') || path.isAbsolute(relative)) {
    throw badPath(entry, `it leads out of ${root}`);
  }
  return real;
};

const filesBelow = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const full = path.join(directory, entry.name);
    const render = templateTools[entry.name];
    if (render !== undefined) {
      throw badPath(
        full,
        `manifests must be rendered first: ${render} | holdfast deploy …, with manifests: ["-"]`,
      );
    }
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) files.push(...(await filesBelow(full)));
    else if (manifestFile.test(entry.name)) files.push(full);
  }
  return files;
};

interface LocatedObject {
  object: KubernetesObject;
  place: string;
}

const objectsOf = (document: YamlDocument): LocatedObject[] => {
  const { value } = document;
  if (!isRecord(value)) throw badManifest(document, [], 'a manifest must be an object');
  const { kind, items } = value;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    return items.map((item: unknown, index) => checkedObject(document, item, ['items', index]));
  }
  return [checkedObject(document, value, [])];
};

const checkedObject = (
  document: YamlDocument,
  value: unknown,
  at: readonly PropertyKey[],
): LocatedObject => {
  if (!isRecord(value)) throw badManifest(document, at, 'a manifest must be an object');
  for (const field of ['apiVersion', 'kind']) {
    if (!isText(value[field])) throw badManifest(document, [...at, field], `${field} must be text`);
  }
  const { metadata } = value;
  if (!isRecord(metadata)) throw badManifest(document, [...at, 'metadata'], 'metadata is missing');
  if (!isText(metadata['name'])) {
    const reason = isText(metadata['generateName'])
      ? 'generateName cannot be released again; give the object a name'
      : 'metadata.name is missing';
    throw badManifest(document, [...at, 'metadata', 'name'], reason);
  }
  return { object: value as KubernetesObject, place: document.locate([...at, 'kind']) };
};

const refuseDuplicates = (located: readonly LocatedObject[]): void => {
  const seen = new Map<string, string>();
  for (const { object, place } of located) {
    const { apiVersion, kind, metadata } = object;
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
    const key = `${group ?? ''} ${kind} ${metadata.name}`;
    const first = seen.get(key);
    const name = describeRef({ apiVersion, kind, name: metadata.name });
    if (first !== undefined) {
      const mistakes = [`${place} ${name} is there already, at ${first}`];
      throw invalidFile({ code: 'MANIFEST_INVALID', mistakes, subject: name });
    }
    seen.set(key, place);
  }
};

const badManifest = (document: YamlDocument, field: readonly PropertyKey[], reason: string) => {
  const place = document.locate(field);
  return invalidFile({
    code: 'MANIFEST_INVALID',
    mistakes: [`${place} ${reason}`],
    subject: place,
  });
};

const badPath = (subject: string, reason: string) =>
  invalidFile({ code: 'INVALID_INPUT', mistakes: [`manifests: ${subject}: ${reason}`], subject });

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { AccessFile, DirectoryFile } from '../../contracts/shared/access-file.ts';
import { describeProblems, inputProblems } from '../../contracts/shared/input-problems.ts';
import type { Freeze, Person, RoleGrant } from '../../domain/security/permission.ts';
import { codedFailure } from '../coded-failure.ts';
import { createCedarPolicies } from './cedar-policies.ts';
import { defaultPolicies } from './default-policies.ts';
import type { Policies } from './port.ts';

export type IssuerSettings = AccessFile['issuers'][number];

/** How roles are given by changes of access, and which targets follow; files by their full paths. */
export type ManagedAccess = NonNullable<AccessFile['managed']>;

/** Who may do what, as the files said when they were read last. */
export interface AccessSettings {
  users: ReadonlyMap<string, Person & { isDisabled: boolean }>;
  /** Those of access.yaml alone; `AccessGate.roleGrants` has all. */
  grants: readonly RoleGrant[];
  /** Absent where no roles are given but those of access.yaml. */
  managed: ManagedAccess | undefined;
  freezes: readonly Freeze[];
  issuers: readonly IssuerSettings[];
  policies: Policies;
  /** Where access keys are, if not in a database. */
  keysFile: string;
  /** For access tokens; both absent where no issuer is named. */
  sealingPublicKey: string | undefined;
  sealingKeyFile: string | undefined;
}

/**
 * Reads access.yaml and what it names, again for each question: someone who was removed is out at
 * once. What has not changed is not parsed again.
 *
 * @throws CONFIGURATION_INVALID with every field that is wrong; nobody is let in then
 */
export const openAccessSettings = (file: string): (() => Promise<AccessSettings>) => {
  let known: { read: string; settings: Promise<AccessSettings> } | undefined;
  let named: NamedFiles | undefined;
  return async () => {
    const access = readText(file);
    if (named?.access !== access) named = namedIn(file, access);
    const texts = readNamed(file, named);
    const read = JSON.stringify(texts);
    if (known?.read !== read) known = { read, settings: settingsOf(file, texts) };
    return known.settings;
  };
};

/** What access.yaml says, with the text that says it. */
interface NamedFiles {
  access: string;
  content: AccessFile;
}

interface Texts extends NamedFiles {
  directory: string;
  policies: { file: string; text: string }[];
}

const namedIn = (file: string, access: string): NamedFiles => ({
  access,
  content: parseYaml(AccessFile, file, access),
});

const readNamed = (file: string, named: NamedFiles): Texts => {
  const { directory, policies } = named.content;
  return {
    ...named,
    directory: readText(resolveBeside(file, directory)),
    policies: policies.map((name) => ({ file: name, text: readText(resolveBeside(file, name)) })),
  };
};

const settingsOf = async (file: string, texts: Texts): Promise<AccessSettings> => {
  const named = texts.content;
  const { users } = parseYaml(DirectoryFile, resolveBeside(file, named.directory), texts.directory);
  const preset = named.defaultPolicies ? [{ file: 'default policies', text: defaultPolicies }] : [];
  const { sealing } = named;
  return {
    users: new Map(
      Object.entries(users).map(([name, { disabled, ...user }]) => [
        name,
        { ...user, name, isDisabled: disabled },
      ]),
    ),
    grants: named.roles,
    managed: named.managed === undefined ? undefined : managedBeside(file, named.managed),
    freezes: named.freezes.map(({ environment, from, until, reason }) => ({
      ...{ environment, reason },
      fromMs: Date.parse(from),
      untilMs: Date.parse(until),
    })),
    issuers: named.issuers,
    policies: await createCedarPolicies([...preset, ...texts.policies]),
    keysFile: resolveBeside(file, named.keys),
    sealingPublicKey: sealing?.publicKey,
    sealingKeyFile: sealing === undefined ? undefined : resolveBeside(file, sealing.privateKeyFile),
  };
};

const managedBeside = (file: string, managed: ManagedAccess): ManagedAccess => ({
  ...managed,
  targets: managed.targets.map(({ postgres, temporal, ...target }) => ({
    ...target,
    ...(postgres === undefined
      ? {}
      : { postgres: { ...postgres, urlFile: resolveBeside(file, postgres.urlFile) } }),
    ...(temporal === undefined
      ? {}
      : { temporal: { ...temporal, claimsFile: resolveBeside(file, temporal.claimsFile) } }),
  })),
});

const resolveBeside = (file: string, name: string): string =>
  path.resolve(path.dirname(file), name);

/** At once: a few small files, for which the way through a pool of threads takes twenty times as long. */
const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
};

const parseYaml = <Schema extends z.ZodType>(
  schema: Schema,
  file: string,
  text: string,
): z.output<Schema> => {
  const document = parseDocument(text);
  const [broken] = document.errors;
  if (broken !== undefined) throw invalid(file, broken.message);
  const outcome = schema.safeParse(document.toJS());
  if (outcome.success) return outcome.data;
  throw invalid(file, describeProblems(inputProblems(outcome.error)));
};

const invalid = (file: string, reason: string): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `The access configuration ${file} cannot be used: ${reason}. Nobody is let in.`,
    next: 'Correct the named field; `holdfast access check` reads the files as workers do.',
    subject: file,
  });

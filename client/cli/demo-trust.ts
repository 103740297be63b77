import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import {
  codecTokensBeside,
  createKeyRingFile,
  issueCodecToken,
} from '../../activities/encryption/index.ts';
import { addKey } from './access.ts';
import { withAccess } from './open-access.ts';

/** Someone of the story, with the key that they sign with. */
export interface StoryPerson {
  name: string;
  accessKey: string;
}

/** What `--secure` switches on: who may do what, by proof, and keys for what Temporal stores. */
export interface DemoTrust {
  accessFile: string;
  keyRingFile: string;
  /** Asks for each release, and may not approve it. */
  releaser: StoryPerson;
  /** Approves each plan, and may ask for none. */
  approver: StoryPerson;
  /** Opens payloads in the Temporal UI; of the approver. */
  codecToken: string;
}

const releaserName = 'rita@example.com';
const approverName = 'anna@example.com';
const dayMs = 86_400_000;

/** The story's own files, keys and token, made anew; good for a day. */
export const prepareTrust = async (
  stateDirectory: string,
  environment: string,
): Promise<DemoTrust> => {
  const directory = path.join(stateDirectory, 'demo', 'trust');
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const accessFile = await writeAccess(directory, environment);
  const keyRingFile = path.join(directory, 'key-ring.json');
  const at = new Date();
  await createKeyRingFile(keyRingFile, at);
  const { token } = await issueCodecToken(codecTokensBeside(keyRingFile), {
    ...{ holder: approverName, lifetimeMs: dayMs, at },
  });
  return withAccess({ access: accessFile, stateDirectory }, async (gate) => {
    const personOf = async (name: string): Promise<StoryPerson> => {
      const scope = { environments: [environment], actions: [] };
      const { text } = await addKey(gate, { holder: name, scope, lifetimeMs: dayMs });
      return { name, accessKey: text };
    };
    const [releaser, approver] = [await personOf(releaserName), await personOf(approverName)];
    return { accessFile, keyRingFile, releaser, approver, codecToken: token };
  });
};

const writeAccess = async (directory: string, environment: string): Promise<string> => {
  const people = { users: { [releaserName]: {}, [approverName]: {} } };
  const roles = [
    { role: 'releaser', users: [releaserName], environments: [environment] },
    { role: 'approver', users: [approverName], environments: [environment] },
  ];
  const write = async (name: string, content: object): Promise<string> => {
    const file = path.join(directory, name);
    await writeFile(file, stringify(content), { mode: 0o600 });
    return file;
  };
  await write('directory.yaml', people);
  return write('access.yaml', { directory: 'directory.yaml', roles });
};

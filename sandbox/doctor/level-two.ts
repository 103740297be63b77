/** Can this machine run real pods, who does already, and what would be changed? */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { levelTwoHolder, nodeLayer } from '../node/index.ts';
import { runCommand } from '../tools/run-command.ts';
import type { DoctorCheck } from './check.ts';

/** Real pods are an addition, so nothing here is worse than a warning. */
export async function checkLevelTwo(stateDirectory: string): Promise<readonly DoctorCheck[]> {
  if (process.platform !== 'linux') {
    return [
      {
        id: 'level-two',
        verdict: 'warning',
        evidence: `Real pods need Linux; this is ${process.platform}.`,
      },
    ];
  }
  return [
    checkRoot(),
    await checkCgroups(),
    await checkPacketRules(),
    await checkHolder(stateDirectory),
    await checkAvailable(stateDirectory),
  ];
}

function checkRoot(): DoctorCheck {
  const user = process.getuid?.();
  if (user === 0) return { id: 'root', verdict: 'ok', evidence: 'running as root' };
  return {
    id: 'root',
    verdict: 'warning',
    evidence: `running as user ${String(user)}; real pods need root`,
    fix: 'Run as root for real pods; everything else works without.',
  };
}

async function checkCgroups(): Promise<DoctorCheck> {
  const unified = await access('/sys/fs/cgroup/cgroup.controllers').then(
    () => true,
    () => false,
  );
  return {
    id: 'cgroups',
    verdict: 'ok',
    evidence: unified ? 'cgroup version 2' : 'cgroup version 1',
  };
}

async function checkPacketRules(): Promise<DoctorCheck> {
  const { exitCode, stdout, tail } = await runCommand({ command: 'nft', args: ['--version'] });
  if (exitCode === 0) return { id: 'nft', verdict: 'ok', evidence: stdout };
  return {
    id: 'nft',
    verdict: 'warning',
    evidence: `nft --version failed: ${tail}`,
    fix: 'Nothing: the package nftables is among the changes that level 2 asks for.',
  };
}

async function checkHolder(stateDirectory: string): Promise<DoctorCheck> {
  const holder = await levelTwoHolder();
  const id = 'level-two-holder';
  if (holder === undefined) return { id, verdict: 'ok', evidence: 'nobody runs real pods' };
  const who = `${holder.checkout} (state in ${holder.stateDirectory}, since ${holder.since})`;
  if (holder.stateDirectory === resolve(stateDirectory)) {
    return { id, verdict: 'ok', evidence: 'this sandbox runs the real pods' };
  }
  if (!holder.alive) {
    return {
      id,
      verdict: 'warning',
      evidence: `left behind by ${who}, which has ended`,
      fix: `Nothing: the next level 2 clears it away; or run \`HOLDFAST_STATE_DIR=${holder.stateDirectory} holdfast sandbox down\`.`,
    };
  }
  return {
    id,
    verdict: 'warning',
    evidence: `real pods belong to ${who}`,
    fix: `Run \`HOLDFAST_STATE_DIR=${holder.stateDirectory} holdfast sandbox down\` to free them.`,
  };
}

async function checkAvailable(stateDirectory: string): Promise<DoctorCheck> {
  const obstacle = await nodeLayer.explainUnavailable(stateDirectory);
  const id = 'level-two';
  if (obstacle !== undefined) {
    return { id, verdict: 'warning', evidence: obstacle, fix: 'Level 1 works without it.' };
  }
  const changes = await nodeLayer.listHostChanges(stateDirectory);
  const evidence =
    changes.length === 0
      ? 'real pods can run; the machine is prepared'
      : `real pods can run after these changes, which are asked about first: ${changes.map(({ change }) => change).join('; ')}`;
  return { id, verdict: 'ok', evidence };
}
